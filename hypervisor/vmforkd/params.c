// SPDX-License-Identifier: GPL-2.0-or-later
/* Parameters of a ticket's clones: bytes that are carried and not looked at. */
#include "params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"

#define BYTES_AT	4096

static off_t length_at(uint32_t id)
{
	return (off_t)(id * sizeof(uint32_t));
}

static off_t bytes_at(uint32_t id)
{
	return BYTES_AT + (off_t)id * VMFORK_PARAMS_MAX;
}

static void name_of(const struct ticket *t, char *buf, size_t len)
{
	snprintf(buf, len, "t%" PRIu64 ".params", t->handle);
}

static int make(struct ticket *t)
{
	char name[64];
	int fd, r;

	if (t->params >= 0)
		return 0;
	fd = memfd_create("vmfork-params", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	name_of(t, name, sizeof(name));
	r = core_store_fd(name, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	t->params = fd;
	return 0;
}

static int store(int fd, const void *p, size_t len, off_t at)
{
	return pwrite(fd, p, len, at) == (ssize_t)len ? 0 : -ENOMEM;
}

int params_set(struct ticket *t, uint32_t id, const void *bytes, uint32_t len)
{
	uint32_t none = 0;
	int r;

	if (t->state != TICKET_GRANTED)
		return -EBUSY;
	if (id > t->granted || len > VMFORK_PARAMS_MAX)
		return -EINVAL;
	if (!len && t->params < 0)
		return 0;
	r = make(t);
	if (r == 0)
		r = store(t->params, &none, sizeof(none), length_at(id));
	if (r == 0)
		r = store(t->params, bytes, len, bytes_at(id));
	if (r == 0)
		r = store(t->params, &len, sizeof(len), length_at(id));
	return r;
}

/* What was never written is a hole, or beyond the end: 0. */
static uint32_t length_of(const struct ticket *t, uint32_t id)
{
	uint32_t len = 0;

	if (pread(t->params, &len, sizeof(len), length_at(id)) != sizeof(len))
		return 0;
	return len <= VMFORK_PARAMS_MAX ? len : 0;
}

int params_get(const struct ticket *t, uint32_t id, uint8_t buf[VMFORK_PARAMS_MAX])
{
	uint32_t len;

	if (t->params < 0)
		return 0;
	len = length_of(t, id);
	if (!len) {
		id = 0;
		len = length_of(t, id);
	}
	return pread(t->params, buf, len, bytes_at(id)) == (ssize_t)len ? (int)len : -EIO;
}

void params_take(struct ticket *t)
{
	char name[64];

	name_of(t, name, sizeof(name));
	t->params = core_take_fd(name);
}

void params_drop(struct ticket *t)
{
	char name[64];

	if (t->params < 0)
		return;
	name_of(t, name, sizeof(name));
	core_drop_fds(name);
	close(t->params);
	t->params = -1;
}
