// SPDX-License-Identifier: GPL-2.0-or-later
/* One line on the terminal: how many clones run, how many are done. */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "progress.h"

static bool drawn;

static bool on_terminal(void)
{
	static int known = -1;

	if (known < 0)
		known = isatty(STDERR_FILENO);
	return known;
}

void progress_draw(unsigned int running, unsigned int done, unsigned int failed)
{
	if (!on_terminal())
		return;
	dprintf(STDERR_FILENO, "\r\033[Kvmfork: %u running, %u done", running, done);
	if (failed)
		dprintf(STDERR_FILENO, ", %u failed", failed);
	drawn = true;
}

void progress_clear(void)
{
	if (drawn)
		dprintf(STDERR_FILENO, "\r\033[K");
	drawn = false;
}
