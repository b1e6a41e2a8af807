// SPDX-License-Identifier: GPL-2.0-or-later
/* A cgroup for each machine: control's side. */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "checkpoint.h"
#include "log.h"
#include "options.h"
#include "util.h"

#define PATH_LEN (OPT_PATH_MAX + 64)

static bool left;

bool cgroup_usable(void)
{
	return opt.cgroup[0];
}

static void path_of(char *buf, uint64_t handle, const char *file)
{
	snprintf(buf, PATH_LEN, "%s/vm%" PRIu64 "%s", opt.cgroup, handle, file);
}

static int put(const char *path, const char *value)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(value);

	if (fd < 0)
		return -errno;
	return write(fd, value, len) == (ssize_t)len ? 0 : -errno;
}

static int set(uint64_t handle, const char *file, uint64_t value)
{
	char path[PATH_LEN], text[32];

	path_of(path, handle, file);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return put(path, text);
}

/* Return: bytes of the text, NUL-terminated; 0: there is none. */
static size_t get(uint64_t handle, const char *file, char *buf, size_t len)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_LEN];
	ssize_t n;

	path_of(path, handle, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, len - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Over the limit it is to end, and not to go on slowly out of swap. */
static int set_memory(uint64_t handle, uint32_t mib)
{
	int r = set(handle, "/memory.max", ((uint64_t)mib + CGROUP_QEMU_MIB) << 20);

	if (r == 0)
		r = set(handle, "/memory.oom.group", 1);
	if (r < 0)
		return r;
	r = set(handle, "/memory.swap.max", 0);
	return r == -ENOENT ? 0 : r;	/* a kernel without swap has no such file */
}

int cgroup_make(uint64_t handle, const struct limits *l)
{
	char path[PATH_LEN];
	int r = 0;

	if (!cgroup_usable())
		return l->memory_mib || l->cpu_weight ? -EOPNOTSUPP : 0;
	path_of(path, handle, "");
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (l->memory_mib)
		r = set_memory(handle, l->memory_mib);
	if (r == 0 && l->cpu_weight)
		r = set(handle, "/cpu.weight", l->cpu_weight);
	if (r < 0)
		cgroup_remove(handle);
	return r;
}

int cgroup_procs(uint64_t handle)
{
	char path[PATH_LEN];

	if (!cgroup_usable())
		return -1;
	path_of(path, handle, "/cgroup.procs");
	return open(path, O_WRONLY | O_CLOEXEC);
}

void cgroup_remove(uint64_t handle)
{
	char path[PATH_LEN];

	if (!cgroup_usable())
		return;
	path_of(path, handle, "");
	if (rmdir(path) == 0 || errno == ENOENT)
		return;
	log_debug("%s: cannot be removed yet: %m", path);
	left = true;
}

static void remove_unknown(bool (*known)(uint64_t handle))
{
	DIR *d = cgroup_usable() ? opendir(opt.cgroup) : NULL;
	const struct dirent *e;
	uint64_t handle;

	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "vm%" SCNu64, &handle) == 1 && !known(handle))
			cgroup_remove(handle);
	if (d)
		closedir(d);
}

bool cgroup_left(void)
{
	return left;
}

void cgroup_sweep(bool (*known)(uint64_t handle))
{
	left = false;
	remove_unknown(known);
}
/* QEMU said which process it is: it is believed of one in its own cgroup only. */
static bool is_in(uint64_t handle, int pid)
{
	_cleanup_close_ int fd = -1;
	char path[64], text[1024], wanted[32], *line;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	snprintf(wanted, sizeof(wanted), "/vm%" PRIu64, handle);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "0::");
	if (!line)
		return false;
	line[strcspn(line, "\n")] = '\0';
	n = (ssize_t)(strlen(line) - strlen(wanted));
	return n > 0 && !strcmp(line + n, wanted);
}

void core_hold_snapshot(const struct checkpoint *cp, int pid)
{
	char path[PATH_LEN], text[16];
	int r;

	if (!cgroup_usable() || !is_in(cp->vm, pid))
		return;
	snprintf(path, sizeof(path), "%s/checkpoints/cgroup.procs", opt.cgroup);
	snprintf(text, sizeof(text), "%d", pid);
	r = put(path, text);
	if (r < 0)
		log_warn("a snapshot process stays in its machine's cgroup: %s", strerror(-r));
}

uint64_t cgroup_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	}
	return 0;
}

bool cgroup_killed(uint64_t handle)
{
	char text[512];

	return cgroup_usable() && get(handle, "/memory.events", text, sizeof(text)) &&
		cgroup_value(text, "oom_kill");
}

json_t *cgroup_describe(uint64_t handle)
{
	char text[2048];
	json_t *o;

	if (!cgroup_usable() || !get(handle, "/memory.current", text, sizeof(text)))
		return NULL;
	o = json_pack("{s:I}", "memory", (json_int_t)strtoull(text, NULL, 10));
	if (get(handle, "/cpu.stat", text, sizeof(text)))
		json_object_set_new(o, "cpu_usec",
				    json_integer((json_int_t)cgroup_value(text, "usage_usec")));
	return o;
}
