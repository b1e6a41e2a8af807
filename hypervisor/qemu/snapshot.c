// SPDX-License-Identifier: GPL-2.0-or-later
/* The snapshot process: frozen memory, and nothing else. */
#include "snapshot.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void snapshot_hold(int lifeline)
{
	struct pollfd p = { .fd = lifeline };

	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_NAME, "vmfork-snapshot");
	if (lifeline > 0)
		close_range(0, (unsigned int)lifeline - 1, 0);
	close_range((unsigned int)lifeline + 1, ~0U, 0);
	for (;;) {
		if (poll(&p, 1, -1) > 0)
			_exit(0);
	}
}

int snapshots_room(const struct snapshots *s)
{
	return s->n < SNAPSHOTS_MAX ? 0 : -ENFILE;
}

void snapshots_add(struct snapshots *s, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	s->pid[s->n] = pid;
	s->pidfd[s->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	s->n++;
}

void snapshots_reap(struct snapshots *s)
{
	for (unsigned int i = 0; i < s->n;) {
		if (waitpid(s->pid[i], NULL, WNOHANG) == 0) {
			i++;
			continue;
		}
		if (s->pidfd[i].fd >= 0)
			close(s->pidfd[i].fd);
		s->n--;
		s->pid[i] = s->pid[s->n];
		s->pidfd[i] = s->pidfd[s->n];
	}
}
