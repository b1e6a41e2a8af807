// SPDX-License-Identifier: GPL-2.0-or-later
/* A checkpoint after the pause: its descriptor is compressed when there is time. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-event.h>

#include "descriptor.h"
#include "fdpass.h"
#include "log.h"
#include "qemu.h"
#include "util.h"

static int open_proc(int64_t pid, const char *what)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int keep_open_snapshot(struct qemu_checkpoint *c, const struct ramlib_rep *rep)
{
	c->pid = rep->pid;
	c->base = rep->base;
	c->mem = open_proc(c->pid, "mem");
	c->pagemap = open_proc(c->pid, "pagemap");
	return c->mem < 0 ? c->mem : c->pagemap < 0 ? c->pagemap : 0;
}

/* A memfd with @len bytes of @buf, at offset 0. */
static int make_file(const void *buf, size_t len)
{
	_cleanup_close_ int fd = memfd_create("vmfork-descriptor", MFD_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pwrite(fd, buf, len, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? steal_fd(&fd) : -ENOSPC;
}

static int pack(struct qemu_checkpoint *c)
{
	_cleanup_free_ void *stored = NULL;
	size_t len;
	void *raw;
	int r;

	raw = mmap(NULL, c->raw_bytes, PROT_READ, MAP_SHARED, c->raw, 0);
	if (raw == MAP_FAILED)
		return -errno;
	r = descriptor_pack(raw, c->raw_bytes, &stored, &len);
	munmap(raw, c->raw_bytes);
	if (r < 0)
		return r;
	c->stored = make_file(stored, len);
	c->stored_bytes = len;
	return c->stored < 0 ? c->stored : 0;
}

static int on_idle(sd_event_source *s, void *data)
{
	struct qemu_checkpoint *c = data;
	char name[64];
	int r;

	core_hold_snapshot(c->cp, (int)c->pid);
	r = pack(c);
	c->idle = sd_event_source_disable_unref(c->idle);
	if (r == 0)
		r = image_store(c);
	if (r < 0) {
		log_warn("checkpoint %" PRIu64 ": descriptor stays uncompressed: %s",
			 checkpoint_handle(c->cp), strerror(-r));
		return 0;
	}
	snprintf(name, sizeof(name), "cp%" PRIu64 ".raw", checkpoint_handle(c->cp));
	core_drop_fds(name);
	fds_close(&c->raw, 1);
	return 0;
}

int keep_when_idle(struct qemu_checkpoint *c)
{
	int r = sd_event_add_defer(core_loop(), &c->idle, on_idle, c);

	if (r < 0)
		return r;
	return sd_event_source_set_priority(c->idle, SD_EVENT_PRIORITY_IDLE);
}

static int unpack(const struct qemu_checkpoint *c)
{
	_cleanup_free_ void *raw = NULL;
	void *stored;
	size_t len;
	int r;

	stored = mmap(NULL, c->stored_bytes, PROT_READ, MAP_SHARED, c->stored, 0);
	if (stored == MAP_FAILED)
		return -errno;
	r = descriptor_unpack(stored, c->stored_bytes, &raw, &len);
	munmap(stored, c->stored_bytes);
	return r < 0 ? r : make_file(raw, len);
}

int keep_open_descriptor(const struct qemu_checkpoint *c)
{
	char path[32];
	int fd;

	if (c->raw < 0)
		return unpack(c);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->raw);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
