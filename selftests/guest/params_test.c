// SPDX-License-Identifier: GPL-2.0-or-later
/* Parameters of clones: everybody's, one's own, the largest; what a parent and a grandchild see. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define CLONES	4
#define PLAN	(5 + CLONES + 2)

static const char everybodys[] = "{\"env\":{\"ROLE\":\"any\"}}";
static const char second[] = "{\"env\":{\"ROLE\":\"second\"}}";
static char largest[VMFORK_PARAMS_MAX];
static char buf[VMFORK_PARAMS_MAX];
static int device, ticket;

static int set(__u32 id, const void *bytes, size_t len)
{
	struct vmfork_params p = { .buf = (uintptr_t)bytes, .len = (__u32)len, .id = id };

	return ioctl(ticket, VMFORK_TICKET_SET_PARAMS, &p) ? errno : 0;
}

static int get(size_t room, size_t *len)
{
	struct vmfork_params p = { .buf = (uintptr_t)buf, .len = (__u32)room };
	int err;

	memset(buf, 0, sizeof(buf));
	err = ioctl(device, VMFORK_GET_PARAMS, &p) ? errno : 0;
	*len = p.len;
	return err;
}

static bool got(const void *want, size_t n)
{
	size_t len;

	return get(sizeof(buf), &len) == 0 && len == n && !memcmp(buf, want, n);
}

/* a clone of the clone was given none */
static bool grandchild_has_none(void)
{
	struct vmfork_request_ticket rt = { .clones = 1 };
	struct vmfork_wait w = { };
	struct vmfork_exit e = { };
	struct vmfork_clone c = { };
	size_t len;

	if (ioctl(device, VMFORK_REQUEST_TICKET, &rt) || ioctl(rt.fd, VMFORK_TICKET_CLONE, &c))
		return false;
	if (c.id) {
		e.status = get(sizeof(buf), &len) == ENODATA && len == 0 ? 5 : 6;
		ioctl(device, VMFORK_EXIT, &e);
	}
	return !ioctl(rt.fd, VMFORK_TICKET_WAIT, &w) && w.info.status == 5;
}

/* Return: which check failed, 0 for none */
static int clone_status(__u32 id)
{
	size_t len;

	switch (id) {
	case 2:
		return got(second, sizeof(second)) ? 0 : 1;
	case 3:
		return got(largest, sizeof(largest)) ? 0 : 1;
	case 4:	/* its own were taken back */
		return got(everybodys, sizeof(everybodys)) ? 0 : 1;
	}
	if (!got(everybodys, sizeof(everybodys)))
		return 1;
	if (get(3, &len) != EMSGSIZE || len != sizeof(everybodys))
		return 2;
	if (set(0, second, sizeof(second)) != ESTALE)
		return 3;
	if (!grandchild_has_none())
		return 4;
	return got(everybodys, sizeof(everybodys)) ? 0 : 5;
}

static void run_clone(__u32 id)
{
	struct vmfork_exit e = { .status = clone_status(id) };

	ioctl(device, VMFORK_EXIT, &e);
	_exit(1);
}

int main(void)
{
	struct vmfork_request_ticket rt = { .clones = CLONES, .flags = VMFORK_TICKET_EXACT };
	struct vmfork_clone c = { };
	struct vmfork_api api = { };
	size_t len;

	tap_plan(PLAN);
	device = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (device < 0 || ioctl(device, VMFORK_GET_API, &api))
		tap_bail("/dev/vmfork: %s", strerror(errno));
	if (!(api.features & VMFORK_FEATURE_PARAMS)) {
		tap_skip_rest("the host does not do parameters");
		return tap_end();
	}
	if (ioctl(device, VMFORK_REQUEST_TICKET, &rt))
		tap_bail("no ticket: %s", strerror(errno));
	ticket = rt.fd;
	for (size_t i = 0; i < sizeof(largest); i++)
		largest[i] = (char)(i * 31 + i / 256);
	tap_ok(!set(0, second, sizeof(second)) && !set(0, everybodys, sizeof(everybodys)),
	       "parameters of all, then others: the last count");
	tap_ok(!set(2, second, sizeof(second)), "of one");
	tap_ok(!set(3, largest, sizeof(largest)), "of one, %zu bytes", sizeof(largest));
	tap_ok(!set(4, second, sizeof(second)) && !set(4, NULL, 0), "of one, taken back");
	tap_ok(set(CLONES + 1, second, sizeof(second)) == EINVAL, "of one that is not: EINVAL");
	if (ioctl(ticket, VMFORK_TICKET_CLONE, &c))
		tap_bail("CLONE: %s", strerror(errno));
	if (c.id)
		run_clone(c.id);
	tap_ok(get(sizeof(buf), &len) == ENODATA, "a root VM has none: ENODATA");
	tap_ok(set(0, second, sizeof(second)) == EBUSY, "after the fork: EBUSY");
	for (__u32 id = 1; id <= CLONES; id++) {
		struct vmfork_wait w = { .id = id };
		int r = ioctl(ticket, VMFORK_TICKET_WAIT, &w);

		tap_ok(!r && w.info.reason == VMFORK_EXITED && w.info.status == 0,
		       "clone %u has what it is to have (reason %u status %d %s)", id, w.info.reason,
		       w.info.status, w.info.why);
	}
	return tap_end();
}
