// SPDX-License-Identifier: GPL-2.0-or-later
/* How the clones ended, and what that makes together. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "options.h"
#include "summary.h"

int result_status(const struct clone_result *result)
{
	if (result->timed_out)
		return STATUS_TIMEOUT;
	switch (result->reason) {
	case VMFORK_EXITED:
		return result->status & 0xff;
	case VMFORK_KILLED:
	case VMFORK_EXPIRED:
	case VMFORK_OUT_OF_MEMORY:
		return 128 + SIGKILL;
	default:
		return STATUS_FAILED;
	}
}

int summary_fold(const struct clone_result *results, unsigned int n)
{
	int highest = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (results[i].timed_out)
			return STATUS_TIMEOUT;
		if (result_status(&results[i]) > highest)
			highest = result_status(&results[i]);
	}
	return highest;
}

const char *reason_name(unsigned int reason)
{
	static const char *const names[] = {
		[0] = "running", [VMFORK_EXITED] = "exited", [VMFORK_KILLED] = "killed",
		[VMFORK_LOST] = "lost", [VMFORK_EXPIRED] = "expired",
		[VMFORK_OUT_OF_MEMORY] = "out of memory",
		[VMFORK_UNIDENTIFIED] = "unidentified",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "ended";
}

/* the bytes of a sequence of UTF-8 that is well-formed (RFC 3629), or 0 */
static unsigned int utf8_length(const unsigned char *s)
{
	unsigned int n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* a JSON string (RFC 8259); what is no UTF-8 becomes U+FFFD */
static void print_string(FILE *to, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned int n;

	fputc('"', to);
	for (; *s; s += n ? n : 1) {
		n = utf8_length(s);
		if (!n)
			fputs("\\ufffd", to);
		else if (*s < 0x20 || *s == '"' || *s == '\\')
			fprintf(to, "\\u%04x", *s);
		else
			fwrite(s, 1, n, to);
	}
	fputc('"', to);
}

static void print_clone(FILE *to, const struct summary *s, unsigned int i)
{
	const struct clone_result *c = &s->clones[i];

	fprintf(to, "%s{\"id\": %u, \"reason\": \"%s\", \"status\": %d, \"exit_code\": %d, "
		"\"timed_out\": %s, \"seconds\": %.3f, \"stdout_bytes\": %" PRIu64
		", \"stderr_bytes\": %" PRIu64 ", \"got_bytes\": %" PRIu64, i ? ", " : "", i + 1,
		reason_name(c->reason), c->status, result_status(c),
		c->timed_out ? "true" : "false", c->seconds, c->out_bytes, c->err_bytes,
		c->got_bytes);
	if (c->why[0]) {
		fputs(", \"why\": ", to);
		print_string(to, c->why);
	}
	if (s->sets) {
		fputs(", \"args\": ", to);
		print_string(to, s->sets[i]);
	}
	fputc('}', to);
}

int summary_print(FILE *to, const struct summary *s)
{
	unsigned int i;

	fprintf(to, "{\"status\": %d, \"requested\": %u, \"granted\": %u, \"family\": \"%" PRIu64
		"\", \"seconds\": %.3f, \"clones\": [",
		s->status, s->requested, s->granted, s->family, s->seconds);
	for (i = 0; i < s->n; i++)
		print_clone(to, s, i);
	fputs("]}\n", to);
	return fflush(to) || ferror(to) ? -EIO : 0;
}
