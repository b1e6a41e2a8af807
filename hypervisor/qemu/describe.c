// SPDX-License-Identifier: GPL-2.0-or-later
/* Figures and places of VMs and checkpoints, for vmforkctl. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "presence.h"
#include "qemu.h"
#include "util.h"

void log_tail(const char *dir, char *buf, size_t len)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = dirfd < 0 ? -1 : openat(dirfd, QEMU_LOG, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *line;
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	n = pread(fd, buf, len - 1, st.st_size > (off_t)len - 1 ? st.st_size - (off_t)len + 1 : 0);
	if (n < 0)
		n = 0;
	while (n && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	line = strrchr(buf, '\n');
	if (line)
		memmove(buf, line + 1, strlen(line));
	for (; *buf; buf++) {
		if ((unsigned char)*buf < ' ')
			*buf = ' ';
	}
}

static void add_path(const char *dir, const char *name, const char *key, json_t *into)
{
	char path[VM_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	json_object_set_new(into, key, json_string(path));
}

static json_int_t overlay_bytes(const struct qemu_vm *q)
{
	json_int_t sum = 0;
	struct stat st;

	for (unsigned int i = 0; i < VM_DISKS_MAX; i++) {
		const struct layer *l = q->disks[i].top;

		if (l && fstat(l->fd, &st) == 0)
			sum += (json_int_t)st.st_blocks * 512;
	}
	return sum;
}

void qemu_describe(const struct vm *vm, json_t *into)
{
	const struct qemu_vm *q = qemu_of(vm);

	if (!q)
		return;
	json_object_set_new(into, "pid", json_integer(q->pid));
	json_object_set_new(into, "accel", json_string(accel_of(vm_config(vm))));
	add_path(vm_dir(vm), CONSOLE_SOCKET, "console", into);
	add_path(vm_dir(vm), CONSOLE_LOG, "log", into);
	add_path(vm_dir(vm), QEMU_LOG, "hypervisor_log", into);
	add_path(vm_dir(vm), QMP_SOCKET, "qmp", into);
	json_object_set_new(into, "overlay_bytes", json_integer(overlay_bytes(q)));
	json_object_set_new(into, "disk_layers", json_integer(layer_depth(q->disks[0].top)));
}

void qemu_checkpoint_describe(const struct checkpoint *cp, json_t *into)
{
	const struct qemu_checkpoint *c = checkpoint_backend(cp);
	uint64_t present;
	struct stat st;

	if (!c)
		return;
	json_object_set_new(into, "descriptor_bytes", json_integer((json_int_t)c->raw_bytes));
	json_object_set_new(into, "descriptor_stored_bytes",
			    json_integer((json_int_t)c->stored_bytes));
	json_object_set_new(into, "snapshot_pid", json_integer(c->pid));
	if (fstat(c->image, &st) == 0)
		json_object_set_new(into, "image_bytes",
				    json_integer((json_int_t)st.st_blocks * 512));
	if (presence_count(c->presence, &present) == 0)
		json_object_set_new(into, "image_present_pages", json_integer((json_int_t)present));
}
