// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens in a clone. See clone.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clone.h"
#include "options.h"
#include "vmfork.h"

static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

static void set_signals(void (*how)(int))
{
	size_t i;

	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		signal(handled[i], how);
}

static void end(int vm, int status) __attribute__((noreturn));
static void end(int vm, int status)
{
	int r;

	/* -ESTALE: this clone was forked on its way out, and so has another end to come to */
	do {
		r = vmfork_exit(vm, status);
	} while (r == -EINTR || r == -ESTALE);
	/* It cannot end itself: the parent or the host can. It must not return. */
	for (;;)
		pause();
}

static int set_environment(int vm)
{
	struct vmfork_identity who;
	char text[24];
	int r = vmfork_get_identity(vm, &who);

	if (r)
		return r;
	snprintf(text, sizeof(text), "%u", who.id);
	setenv("VMFORK_ID", text, 1);
	snprintf(text, sizeof(text), "%u", who.clones);
	setenv("VMFORK_CLONES", text, 1);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)who.family);
	setenv("VMFORK_FAMILY", text, 1);
	return 0;
}

static void command(char **argv, int out, int err) __attribute__((noreturn));
static void command(char **argv, int out, int err)
{
	int null = open("/dev/null", O_RDONLY), e;

	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	setsid();
	set_signals(SIG_DFL);
	execvp(argv[0], argv);
	e = errno;
	dprintf(STDERR_FILENO, "vmfork: %s: %s\n", argv[0], strerror(e));
	_exit(e == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
}

/* One read's worth from the command to the parent. Return: false at its end. */
static bool forward(int from, int link, unsigned int stream)
{
	static const int own[] = {
		[STREAM_OUT] = STDOUT_FILENO, [STREAM_ERR] = STDERR_FILENO,
	};
	char buf[VMFORK_MSG_MAX];
	ssize_t n = read(from, buf, sizeof(buf));
	int r;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	do {
		r = vmfork_send(link, 0, stream, buf, (size_t)n);
	} while (r == -EINTR);
	if (r)
		write_all(own[stream], buf, (size_t)n);
	return true;
}

static void forward_all(int out, int err, int link)
{
	struct pollfd p[2] = {
		{ .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN },
	};
	int i;

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0)
			continue;
		for (i = 0; i < 2; i++) {
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			if (!forward(p[i].fd, link, i ? STREAM_ERR : STREAM_OUT)) {
				close(p[i].fd);
				p[i].fd = -1;
			}
		}
	}
}

static int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_FAILED;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void clone_run(int vm, int link, char **argv)
{
	int out[2], err[2];
	pid_t pid;

	set_signals(SIG_IGN);
	if (set_environment(vm) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		end(vm, STATUS_FAILED);
	pid = fork();
	if (pid < 0)
		end(vm, STATUS_FAILED);
	if (pid == 0)
		command(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	forward_all(out[0], err[0], link);
	end(vm, wait_status(pid));
}
