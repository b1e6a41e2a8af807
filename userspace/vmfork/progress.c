// SPDX-License-Identifier: GPL-2.0-or-later
/* One line on the terminal: how many clones run, how many are done, how long still. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

/* What began together ends together: nothing is known before some of a queue are done. */
double progress_eta(const struct progress *p)
{
	if (!p->done || p->done >= p->total)
		return -1;
	return p->seconds / p->done * (p->total - p->done);
}

void progress_draw(const struct progress *p)
{
	static char last[160];
	double eta = progress_eta(p);
	char text[160];
	int n;

	if (!on_terminal())
		return;
	n = snprintf(text, sizeof(text), "vmfork: %u running, %u of %u done", p->running, p->done,
		     p->total);
	if (p->failed)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", %u failed", p->failed);
	if (eta >= 0)
		snprintf(text + n, sizeof(text) - (size_t)n, ", %.0f s, about %.0f s left",
			 p->seconds, eta);
	if (drawn && !strcmp(text, last))
		return;
	dprintf(STDERR_FILENO, "\r\033[K%s", text);
	memcpy(last, text, sizeof(last));
	drawn = true;
}

void progress_clear(void)
{
	if (drawn)
		dprintf(STDERR_FILENO, "\r\033[K");
	drawn = false;
}
