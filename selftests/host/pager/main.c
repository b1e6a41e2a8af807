// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-pager-test: the real pager and RAM library without QEMU. TAP. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"
#include "util.h"

static unsigned int count, failures;

static void line(bool good, const char *text)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++count, text);
	fflush(stdout);
	failures += !good;
}

bool ok(bool good, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line(good, text);
	return good;
}

bool same(long long got, long long want, const char *what)
{
	line(got == want, what);
	if (got != want)
		printf("# got %lld, want %lld\n", got, want);
	return got == want;
}

void skip(const char *why, const char *what)
{
	printf("ok %u - %s # SKIP %s\n", ++count, what, why);
	fflush(stdout);
}

static const struct test tests[] = {
	{ "ramlib", test_ramlib },
	{ "clones", test_clones },
	{ "avoid", test_avoid },
	{ "generations", test_generations },
	{ "restart", test_restart },
	{ "restart-fill", test_restart_fill },
	{ "nospace", test_nospace },
	{ "snapshot-gone", test_snapshot_gone },
	{ "record", test_record },
	{ "fill", test_fill },
	{ "fill-lower", test_fill_lower },
	{ "requests", test_requests },
	{ "reconnect", test_reconnect },
};

static bool may_use_userfaultfd(void)
{
	_cleanup_close_ int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int fd = dev < 0 ? (int)syscall(SYS_userfaultfd, O_CLOEXEC) : -1;

	return dev >= 0 || fd >= 0;
}

int main(int argc, char **argv)
{
	puts("TAP version 13");
	if (!may_use_userfaultfd()) {
		puts("1..0 # SKIP neither /dev/userfaultfd nor userfaultfd(2) may be used");
		return EXIT_SUCCESS;
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		if (argc > 1 && strcmp(argv[1], tests[i].name))
			continue;
		printf("# %s\n", tests[i].name);
		fflush(stdout);
		tests[i].run();
	}
	printf("1..%u\n", count);
	return failures || !count ? EXIT_FAILURE : EXIT_SUCCESS;
}
