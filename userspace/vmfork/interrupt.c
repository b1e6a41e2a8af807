// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals that end vmfork(1): the first one in order, the second at once. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "interrupt.h"

static volatile sig_atomic_t caught;
static int event[2] = { -1, -1 };

static void note(int sig)
{
	int e = errno;

	if (caught)
		_exit(128 + sig);
	caught = sig;
	/* a full pipe is readable already */
	if (write(event[1], "", 1) < 0)
		errno = e;
}

int interrupt_init(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = note }, old;
	size_t i;

	if (pipe2(event, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* nohup(1) and a shell's background jobs ignore some: leave it so */
		if (sigaction(signals[i], NULL, &old) || old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &act, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int interrupt_fd(void)
{
	return event[0];
}

int interrupt_signal(void)
{
	return caught;
}
