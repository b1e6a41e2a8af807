// SPDX-License-Identifier: GPL-2.0-or-later
/* How the clones ended, and what that makes together. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "options.h"
#include "summary.h"

int result_status(const struct clone_result *result)
{
	switch (result->reason) {
	case VMFORK_EXITED:
		return result->status & 0xff;
	case VMFORK_KILLED:
		return 128 + SIGKILL;
	default:
		return STATUS_FAILED;
	}
}

int summary_fold(const struct clone_result *results, unsigned int n)
{
	int highest = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (result_status(&results[i]) > highest)
			highest = result_status(&results[i]);
	return highest;
}

static const char *reason_name(unsigned int reason)
{
	switch (reason) {
	case VMFORK_EXITED:
		return "exited";
	case VMFORK_KILLED:
		return "killed";
	case VMFORK_LOST:
		return "lost";
	default:
		return "running";
	}
}

int summary_print(FILE *to, const struct summary *s)
{
	unsigned int i;

	fprintf(to, "{\"status\": %d, \"requested\": %u, \"granted\": %u, \"family\": \"%" PRIu64
		"\", \"seconds\": %.3f, \"clones\": [",
		s->status, s->requested, s->granted, s->family, s->seconds);
	for (i = 0; i < s->granted; i++) {
		const struct clone_result *c = &s->clones[i];

		fprintf(to, "%s{\"id\": %u, \"reason\": \"%s\", \"status\": %d, \"exit_code\": %d, "
			"\"seconds\": %.3f, \"stdout_bytes\": %" PRIu64 ", \"stderr_bytes\": %"
			PRIu64 "}", i ? ", " : "", i + 1, reason_name(c->reason), c->status,
			result_status(c), c->seconds, c->out_bytes, c->err_bytes);
	}
	fputs("]}\n", to);
	return fflush(to) || ferror(to) ? -EIO : 0;
}
