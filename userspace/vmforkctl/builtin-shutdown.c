// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl shutdown: end vmforkd, and every VM with it. */
#include "vmforkctl.h"

int cmd_shutdown(struct ctl *ctl, int argc, char **argv)
{
	json_t *result;

	if (argc != 1)
		return usage(ctl, "no arguments, please");
	result = ctl_call(ctl, "shutdown", NULL);
	if (!result)
		return STATUS_ERROR;
	if (ctl->json)
		print_json(result);
	json_decref(result);
	return STATUS_OK;
}
