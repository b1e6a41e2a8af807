// SPDX-License-Identifier: GPL-2.0-or-later
/* Log lines of the daemons: stderr, with sd-daemon(3) level prefixes under systemd. */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *ident = "vmfork";
static enum log_level max_level = LOG_L_INFO;
static bool prefix;

void log_init(const char *name)
{
	const char *l = getenv("VMFORK_LOG");

	ident = name;
	prefix = getenv("JOURNAL_STREAM") != NULL;
	if (!l)
		return;
	if (!strcmp(l, "error"))
		max_level = LOG_L_ERR;
	else if (!strcmp(l, "warning"))
		max_level = LOG_L_WARN;
	else if (!strcmp(l, "debug"))
		max_level = LOG_L_DEBUG;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n = 0;

	if (level > max_level)
		return;
	if (prefix)
		n = snprintf(line, sizeof(line), "<%d>", level);
	n += snprintf(line + n, sizeof(line) - n, "%s: ", ident);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if ((size_t)n >= sizeof(line) - 1)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
