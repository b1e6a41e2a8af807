// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs that the agent runs: with a time limit, and their end known for sure. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"

#define ARGS_MAX	80

/* In the child. */
static void run(const struct spawn *s)
{
	sigset_t none;
	int fd, i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 0; s->envp && s->envp[i]; i++)
		putenv(s->envp[i]);
	fd = open("/dev/null", O_RDONLY);
	if (fd >= 0)
		dup2(fd, STDIN_FILENO);
	if (s->output) {
		fd = open(s->output, O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (fd < 0)
			_exit(126);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	execvp(s->argv[0], s->argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int spawn_wait(const struct spawn *s)
{
	struct pollfd p = { .events = POLLIN };
	int status, timeout, r;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run(s);
	setpgid(pid, pid);	/* whoever comes first */
	p.fd = pidfd_open(pid, 0);
	timeout = s->timeout_ms ? (int)s->timeout_ms : -1;
	do {
		r = p.fd < 0 ? -1 : poll(&p, 1, timeout);
	} while (r < 0 && p.fd >= 0 && errno == EINTR);
	if (r <= 0)
		kill(-pid, SIGKILL);
	if (p.fd >= 0)
		close(p.fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return r <= 0 ? -ETIMEDOUT : status_of(status);
}

int spawn(unsigned int timeout_ms, const char *command, ...)
{
	char *argv[ARGS_MAX] = { (char *)command };
	struct spawn s = { .argv = argv, .timeout_ms = timeout_ms };
	unsigned int n = 1;
	va_list ap;

	va_start(ap, command);
	while (n < ARGS_MAX - 1 && (argv[n] = va_arg(ap, char *)))
		n++;
	va_end(ap);
	argv[n] = NULL;
	return spawn_wait(&s);
}
