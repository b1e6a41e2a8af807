// SPDX-License-Identifier: GPL-2.0-or-later
/* Files as tar(1) archives. See archive.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"

/* tar with @theirs as its @number, in a process group of its own: Ctrl-C is ours */
static pid_t start(char *const *argv, int theirs, int number)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	dup2(theirs, number);
	execvp(argv[0], argv);
	fprintf(stderr, "vmfork: tar: %s\n", strerror(errno));
	_exit(STATUS_NOT_FOUND);
}

static pid_t start_piped(char *const *argv, bool reading, int *ret_fd)
{
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC))
		return -errno;
	pid = start(argv, p[reading ? 1 : 0], reading ? STDOUT_FILENO : STDIN_FILENO);
	close(p[reading ? 1 : 0]);
	if (pid < 0)
		close(p[reading ? 0 : 1]);
	else
		*ret_fd = p[reading ? 0 : 1];
	return pid;
}

/* Three words for each path: -C DIR NAME. Return: false: no memory. */
static bool add_words(char **argv, const char *path, const char *base)
{
	char *one = strdup(path), *two = strdup(path), *dir, *name;
	bool done = false;

	if (one && two) {
		/* a folder that is not there is for tar to complain of */
		dir = realpath(dirname(one), NULL);
		name = basename(two);
		argv[0] = strdup("-C");
		argv[1] = strdup(base ? base : dir ? dir : ".");
		done = argv[0] && argv[1] &&
			asprintf(&argv[2], "%s%s%s", base && dir ? dir + strspn(dir, "/") : "",
				 base && dir && dir[1] ? "/" : "", name) >= 0;
		free(dir);
	}
	free(one);
	free(two);
	return done;
}

pid_t archive_read(const struct paths *paths, const char *base, int *ret_fd)
{
	char *argv[3 * PATHS_MAX + 4] = { strdup("tar"), strdup("-cf"), strdup("-") };
	unsigned int i, n = 3;
	pid_t pid = -ENOMEM;

	for (i = 0; i < paths->n && add_words(argv + n, paths->path[i], base); i++)
		n += 3;
	if (i == paths->n)
		pid = start_piped(argv, true, ret_fd);
	for (i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
		free(argv[i]);
	return pid;
}

pid_t archive_write(const char *dir, int *ret_fd)
{
	/* clones' clocks are the host's, their parent's may be a little behind */
	char *argv[] = { "tar", "-C", (char *)dir, "--no-same-owner", "--warning=no-timestamp",
			 "-xf", "-", NULL };

	if (geteuid() == 0)
		argv[3] = "--same-owner";
	return start_piped(argv, false, ret_fd);
}

int archive_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
