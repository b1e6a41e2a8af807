// SPDX-License-Identifier: GPL-2.0-or-later
/* The cgroup that those of all machines are in: the keeper's side. */
#include "keeper_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "util.h"

#define PATH_LEN (OPT_PATH_MAX + 64)
#define PREFIX "vmfork."

static char base[OPT_PATH_MAX];		/* empty: none */
static char origin[OPT_PATH_MAX];	/* where we were */
static bool made;			/* by us: to be removed */

int cgroup_mount_find(const char *mountinfo, char *ret, size_t len)
{
	char line[1024], root[512], where[512];

	while (*mountinfo) {
		size_t n = strcspn(mountinfo, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, mountinfo);
		mountinfo += n + (mountinfo[n] == '\n');
		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*s %*s %*s %511s %511s", root, where) != 2 ||
		    strcmp(root, "/") || strlen(where) >= len)
			continue;
		strcpy(ret, where);
		return 0;
	}
	return -ENOENT;
}

int cgroup_own_find(const char *cgroup, char *ret, size_t len)
{
	const char *s = !strncmp(cgroup, "0::/", 4) ? cgroup : strstr(cgroup, "\n0::/");
	size_t n;

	if (!s)
		return -ENOENT;
	s = strchr(s, '/');
	n = strcspn(s, "\n");
	if (n >= len)
		return -ENOENT;
	memcpy(ret, s, n);
	ret[n] = '\0';
	return 0;
}

static int read_text(const char *path, char *buf, size_t len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (have < len - 1 && (n = read(fd, buf + have, len - 1 - have)) > 0)
		have += (size_t)n;
	buf[have] = '\0';
	return 0;
}

static int put(const char *dir, const char *file, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

static bool delegated(const char *dir)
{
	char v[2] = "";

	return getxattr(dir, "trusted.delegate", v, 1) == 1 ? v[0] == '1' :
		getxattr(dir, "user.delegate", v, 1) == 1 && v[0] == '1';
}

static void remove_tree(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	char path[PATH_LEN + 256];

	while (d && (e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		rmdir(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

/* What keepers that were killed have left. */
static void remove_old(const char *mount)
{
	DIR *d = opendir(mount);
	const struct dirent *e;
	char path[PATH_LEN + 256];

	while (d && (e = readdir(d))) {
		int pid = strncmp(e->d_name, PREFIX, strlen(PREFIX)) ? 0 :
			atoi(e->d_name + strlen(PREFIX));

		if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/%s", mount, e->d_name);
		remove_tree(path);
	}
	if (d)
		closedir(d);
}

static int find_places(char *mount)
{
	_cleanup_free_ char *text = malloc(65536);
	char own[OPT_PATH_MAX - 128];
	int r;

	if (!text)
		return -ENOMEM;
	r = read_text("/proc/self/mountinfo", text, 65536);
	r = r ? r : cgroup_mount_find(text, mount, OPT_PATH_MAX - 128);
	r = r ? r : read_text("/proc/self/cgroup", text, 65536);
	r = r ? r : cgroup_own_find(text, own, sizeof(own));
	if (r == 0)
		snprintf(origin, sizeof(origin), "%.127s%s", mount, strcmp(own, "/") ? own : "");
	return r;
}

/* The controllers must be ours to give on to machines. */
static int enter(const char *dir)
{
	char path[PATH_LEN], self[16];
	int r;

	snprintf(path, sizeof(path), "%s/checkpoints", dir);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/daemon", dir);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(self, sizeof(self), "%d", getpid());
	r = put(path, "cgroup.procs", self);
	return r ? r : put(dir, "cgroup.subtree_control", "+memory +cpu");
}

static int make(const char *mount)
{
	int r;

	if (geteuid() != 0)
		return -EPERM;
	remove_old(mount);
	r = put(mount, "cgroup.subtree_control", "+memory +cpu");
	if (r < 0)
		return r;
	snprintf(base, sizeof(base), "%.127s/" PREFIX "%d", mount, getpid());
	if (mkdir(base, 0755) < 0 && errno != EEXIST)
		return -errno;
	made = true;
	return 0;
}

const char *keeper_cgroup_open(void)
{
	char mount[OPT_PATH_MAX - 128];
	int r = find_places(mount);

	if (r < 0) {
		log_info("no limits on machines' memory and CPU: cgroup v2 is not mounted");
		return NULL;
	}
	if (delegated(origin))
		snprintf(base, sizeof(base), "%s", origin);
	else
		r = make(mount);
	if (r == 0)
		r = enter(base);
	if (r == 0)
		return base;
	log_info("no limits on machines' memory and CPU: %s: %s",
		 base[0] ? base : mount, r == -EPERM ? "not delegated to vmforkd" :
		 r == -ENOENT || r == -EINVAL ? "no memory or cpu controller" : strerror(-r));
	keeper_cgroup_close();
	return NULL;
}

void keeper_cgroup_close(void)
{
	char self[16];

	snprintf(self, sizeof(self), "%d", getpid());
	if (made)
		put(origin, "cgroup.procs", self);
	if (base[0])
		remove_tree(base);
	base[0] = '\0';
	made = false;
}
