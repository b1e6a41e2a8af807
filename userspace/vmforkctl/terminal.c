// SPDX-License-Identifier: GPL-2.0-or-later
/* The user's terminal, changed for a while and given back on every way out. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

static struct termios before;
static bool changed;
static int signals = -1;

int terminal_begin(enum terminal_mode mode)
{
	struct termios t;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return -errno;
	if (mode == TERMINAL_PLAIN || tcgetattr(STDIN_FILENO, &before))
		return 0;
	t = before;
	if (mode == TERMINAL_RAW)
		cfmakeraw(&t);
	else
		t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	changed = !tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
	return 0;
}

int terminal_signal_fd(void)
{
	return signals;
}

void terminal_end(void)
{
	if (changed)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	changed = false;
	if (signals >= 0)
		close(signals);
	signals = -1;
}
