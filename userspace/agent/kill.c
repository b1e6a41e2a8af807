// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that must not go on with their parent's state. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "file.h"
#include "kill.h"

#define CGROUP_MAX	8192
#define PASSES_MAX	16	/* a fork in flight adds to what was found */
#define DEATH_MS	5000

static bool ends_with(const char *at, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(at + len - n, end, n);
}

/* The parts of one path, outermost first; the last one that is a unit counts. */
static void unit_in_path(const char *path, size_t len, char *unit)
{
	const char *slash;
	size_t n;

	while (len) {
		slash = memchr(path, '/', len);
		n = slash ? (size_t)(slash - path) : len;
		if (n < WORD_MAX && (ends_with(path, n, ".service") || ends_with(path, n, ".scope"))) {
			memcpy(unit, path, n);
			unit[n] = '\0';
		}
		n += slash ? 1 : 0;
		path += n;
		len -= n;
	}
}

void kill_unit_of(const char *cgroup, char *unit)
{
	const char *line, *end, *path;

	unit[0] = '\0';
	for (line = cgroup; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		/* "0::/path" of cgroup v2, "N:name=systemd:/path" of v1 */
		if (strncmp(line, "0::", 3) && !memmem(line, (size_t)(end - line), ":name=systemd:", 14))
			continue;
		path = memchr(line, '/', (size_t)(end - line));
		if (path)
			unit_in_path(path, (size_t)(end - path), unit);
		if (unit[0])
			return;
	}
}

static bool executable_matches(const char *pattern, const char *exe)
{
	const char *last = strrchr(exe, '/');

	if (!strchr(pattern, '/'))
		return fnmatch(pattern, last ? last + 1 : exe, 0) == 0;
	return fnmatch(pattern, exe, 0) == 0;
}

bool kill_matches(const struct kill_list *list, const char *unit, const char *exe)
{
	unsigned int i;

	for (i = 0; unit[0] && i < list->units.n; i++)
		if (fnmatch(list->units.word[i], unit, 0) == 0)
			return true;
	for (i = 0; exe[0] && i < list->executables.n; i++)
		if (executable_matches(list->executables.word[i], exe))
			return true;
	return false;
}

/* What /proc says of one process; false: a kernel thread, or it is gone or dead. */
static bool describe(pid_t pid, char *unit, char *exe)
{
	static const char deleted[] = " (deleted)";
	char path[64], *cgroup;
	size_t len;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, PATH_MAX - 1);
	if (n <= 0)
		return false;
	exe[n] = '\0';
	if (ends_with(exe, (size_t)n, deleted))
		exe[(size_t)n - strlen(deleted)] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (file_read(path, CGROUP_MAX, &cgroup, &len))
		return false;
	kill_unit_of(cgroup, unit);
	free(cgroup);
	return true;
}

/* SIGKILL, and until it is dead. Return: 0 also if it was gone. */
static int kill_one(pid_t pid)
{
	struct pollfd p = { .events = POLLIN };
	int r;

	p.fd = pidfd_open(pid, 0);
	if (p.fd < 0)
		return errno == ESRCH ? 0 : -errno;
	pidfd_send_signal(p.fd, SIGKILL, NULL, 0);
	do {
		r = poll(&p, 1, DEATH_MS);
	} while (r < 0 && errno == EINTR);
	close(p.fd);
	if (r < 0)
		return -errno;
	return r ? 0 : -ETIMEDOUT;
}

/* Signals to all first, so that they die side by side. */
static int kill_pids(const pid_t *pids, unsigned int n)
{
	unsigned int i;
	int r = 0;

	for (i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < n && !r; i++)
		r = kill_one(pids[i]);
	return r;
}

/* One pass over all processes. Return: how many matched, or -errno. */
static int kill_pass(const struct kill_list *list, struct words *units)
{
	char unit[WORD_MAX], exe[PATH_MAX];
	pid_t pid, self = getpid(), *pids = NULL;
	struct dirent *entry;
	unsigned int n = 0;
	DIR *proc = opendir("/proc");
	int r = 0;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc)) && !r) {
		pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
		if (pid < 2 || pid == self || !describe(pid, unit, exe) ||
		    !kill_matches(list, unit, exe))
			continue;
		if (ends_with(unit, strlen(unit), ".service"))
			r = words_add(units, unit, strlen(unit));
		if (n % 64 == 0) {
			pid_t *more = reallocarray(pids, n + 64, sizeof(*pids));

			if (!more)
				r = -ENOMEM;
			else
				pids = more;
		}
		if (!r)
			pids[n++] = pid;
	}
	closedir(proc);
	if (!r)
		r = kill_pids(pids, n);
	free(pids);
	return r ? r : (int)n;
}

int kill_all(const struct kill_list *list, struct words *units, unsigned int *ret_killed)
{
	unsigned int pass, killed = 0;
	int n = 1;

	*ret_killed = 0;
	if (!list->units.n && !list->executables.n)
		return 0;
	for (pass = 0; pass < PASSES_MAX && n > 0; pass++) {
		n = kill_pass(list, units);
		killed += n > 0 ? (unsigned int)n : 0;
	}
	*ret_killed = killed;
	return n > 0 ? -EBUSY : n;
}
