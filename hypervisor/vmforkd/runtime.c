// SPDX-License-Identifier: GPL-2.0-or-later
/* The runtime directory: made, locked, cleaned. */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "util.h"

static int make_parents(const char *dir)
{
	char path[OPT_PATH_MAX];

	snprintf(path, sizeof(path), "%s", dir);
	for (char *s = path + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int runtime_lock(int *ret_fd)
{
	char path[OPT_PATH_MAX + 16];
	_cleanup_close_ int fd = -1;
	int r;

	r = make_parents(opt.runtime_dir);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/lock", opt.runtime_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

void runtime_unlock(void)
{
	char path[OPT_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/lock", opt.runtime_dir);
	unlink(path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (remove(path) < 0 && errno != ENOENT)
		log_warn("%s: cannot be removed: %m", path);
	return 0;
}

void runtime_remove_dir(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void runtime_clean(void)
{
	static const char *const files[] = { "state.json", "state.json.new", "control.sock" };
	char path[OPT_PATH_MAX + 16];

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", opt.runtime_dir, files[i]);
		unlink(path);
	}
	unlink(opt.socket);
	snprintf(path, sizeof(path), "%s/vm", opt.runtime_dir);
	runtime_remove_dir(path);
	snprintf(path, sizeof(path), "%s/net", opt.runtime_dir);
	runtime_remove_dir(path);
}

int runtime_vm_dir(const char *dir)
{
	char path[OPT_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/vm", opt.runtime_dir);
	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		return -errno;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (opt.uid != (uid_t)-1 && chown(dir, opt.uid, opt.gid) < 0)
		return -errno;
	return 0;
}
