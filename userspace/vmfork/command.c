// SPDX-License-Identifier: GPL-2.0-or-later
/* The command in a clone: its process, its output, its input. See command.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clone.h"
#include "command.h"

/**
 * DOC: Flow control
 *
 * What comes from the parent is read off the link only when the command has taken
 * what came before: a command that does not read its input makes the parent wait, with
 * this clone alone. Output is never held up by that: the pipe to the command does not
 * block.
 */
struct pipes {
	struct link *link;
	int out, err;		/* from the command; -1: closed */
	int in;			/* to the command, or -1 */
	char buf[VMFORK_MSG_MAX];	/* came and was not taken yet: */
	size_t from, len;
};

void command_signals(void (*how)(int))
{
	static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		signal(handled[i], how);
}

static void become(char *const *argv, int in, int out, int err) __attribute__((noreturn));
static void become(char *const *argv, int in, int out, int err)
{
	int e;

	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (in >= 0)
		dup2(in, STDIN_FILENO);
	setsid();
	command_signals(SIG_DFL);
	execvp(argv[0], argv);
	e = errno;
	dprintf(STDERR_FILENO, "vmfork: %s: %s\n", argv[0], strerror(e));
	_exit(e == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/* Leaves errno as it is. Return: -1 */
static int close_pair(const int *pair)
{
	int e = errno;

	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	errno = e;
	return -1;
}

static int open_input(int *in, bool input)
{
	if (input)
		return pipe2(in, O_CLOEXEC);
	in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	in[1] = -1;
	return in[0] < 0 ? -1 : 0;
}

/* Return: the command's pid, or -1 */
static pid_t start(struct pipes *p, char *const *argv, bool input)
{
	int in[2], out[2], err[2];
	pid_t pid;

	if (open_input(in, input))
		return -1;
	if (pipe2(out, O_CLOEXEC))
		return close_pair(in);
	if (pipe2(err, O_CLOEXEC)) {
		close_pair(out);
		return close_pair(in);
	}
	pid = fork();
	if (pid == 0)
		become(argv, in[0], out[1], err[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	if (in[1] >= 0)
		fcntl(in[1], F_SETFL, O_NONBLOCK);
	p->in = in[1];
	p->out = out[0];
	p->err = err[0];
	return pid;
}

static void end_input(struct pipes *p)
{
	close(p->in);
	p->in = -1;
	p->len = 0;
}

/* As much as the command takes now. */
static void give(struct pipes *p)
{
	ssize_t n = write(p->in, p->buf + p->from, p->len);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		end_input(p);	/* it reads no more: the rest comes to nothing */
		return;
	}
	p->from += n > 0 ? (size_t)n : 0;
	p->len -= n > 0 ? (size_t)n : 0;
}

static void take(struct pipes *p)
{
	unsigned int tag = TAG_STDIN_END;
	ssize_t n = link_recv(p->link, &tag, p->buf);

	if (n <= 0 || tag != TAG_STDIN) {
		end_input(p);
		return;
	}
	p->from = 0;
	p->len = (size_t)n;
	give(p);
}

static void forward(struct pipes *p, int *fd, short events, unsigned int tag)
{
	if (!events || link_forward(p->link, *fd, tag))
		return;
	close(*fd);
	*fd = -1;
}

static void forward_all(struct pipes *p)
{
	while (p->out >= 0 || p->err >= 0) {
		struct pollfd f[] = {
			{ .fd = p->out, .events = POLLIN },
			{ .fd = p->err, .events = POLLIN },
			{ .fd = p->in, .events = p->len ? POLLOUT : 0 },
			{ .fd = p->in >= 0 && !p->len ? p->link->fd : -1, .events = POLLIN },
		};

		if (poll(f, 4, -1) < 0)
			continue;
		forward(p, &p->out, f[0].revents, TAG_OUT);
		forward(p, &p->err, f[1].revents, TAG_ERR);
		if (f[2].revents & (POLLERR | POLLHUP))
			end_input(p);
		else if (f[2].revents)
			give(p);
		if (f[3].revents && p->in >= 0)
			take(p);
	}
	if (p->in >= 0)
		end_input(p);
}

static int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_FAILED;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int command_run(struct link *l, char *const *argv, bool input)
{
	struct pipes p = { .link = l, .in = -1 };
	pid_t pid = start(&p, argv, input);

	if (pid < 0) {
		link_say(l, "vmfork: cannot start the command: %s\n", strerror(errno));
		return STATUS_FAILED;
	}
	forward_all(&p);
	return wait_status(pid);
}
