// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkd: one binary, two roles. */
#include <stdlib.h>

#include "control.h"
#include "keeper.h"
#include "log.h"
#include "options.h"

int main(int argc, char **argv)
{
	int r = options_parse(&opt, argc, argv);

	if (r)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	log_init("vmforkd");
	return opt.control ? control_run() : keeper_run(&opt, argv);
}
