// SPDX-License-Identifier: GPL-2.0-or-later
/* Clones that do not end by themselves: KILL, close(). Needs a host behind the channel. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define PLAN	12
#define CLONES	3

static int device;

static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? errno : 0;
}

/* Return: the ticket, in the parent; clones wait for their end */
static int fork_machine(void)
{
	struct vmfork_request_ticket rt = { .clones = CLONES, .flags = VMFORK_TICKET_EXACT };
	struct vmfork_clone c = { };

	if (call(device, VMFORK_REQUEST_TICKET, &rt))
		tap_bail("VMFORK_REQUEST_TICKET: %s", strerror(errno));
	if (call(rt.fd, VMFORK_TICKET_CLONE, &c))
		tap_bail("VMFORK_TICKET_CLONE: %s", strerror(errno));
	while (c.id)
		pause();
	return rt.fd;
}

static bool wait_killed(int ticket, __u32 id, __u32 flags)
{
	struct vmfork_wait w = { .id = id, .flags = flags };

	return call(ticket, VMFORK_TICKET_WAIT, &w) == 0 && w.info.reason == VMFORK_KILLED &&
		(!id || w.info.id == id);
}

int main(void)
{
	struct vmfork_wait nohang = { .flags = VMFORK_WAIT_NOHANG }, any = { };
	struct vmfork_kill one = { .id = 2 }, none = { .id = CLONES + 1 }, all = { };
	struct vmfork_ticket_info info = { };
	struct vmfork_api api;
	int ticket;

	tap_plan(PLAN);
	device = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (device < 0 || ioctl(device, VMFORK_GET_API, &api))
		tap_bail("/dev/vmfork: %s", strerror(errno));
	if (api.clones_max < CLONES) {
		tap_skip_rest("no host behind the channel");
		return tap_end();
	}
	ticket = fork_machine();
	tap_ok(call(ticket, VMFORK_TICKET_WAIT, &nohang) == EAGAIN, "all live: NOHANG: EAGAIN");
	tap_ok(call(ticket, VMFORK_TICKET_KILL, &none) == ECHILD, "KILL of no ID: ECHILD");
	tap_ok(call(ticket, VMFORK_TICKET_KILL, &one) == 0, "KILL of ID 2");
	tap_ok(wait_killed(ticket, 2, VMFORK_WAIT_NOREAP), "WAIT with NOREAP: KILLED");
	tap_ok(call(ticket, VMFORK_TICKET_KILL, &one) == 0, "KILL of the unreported: 0");
	tap_ok(wait_killed(ticket, 2, 0), "WAIT: KILLED, still there");
	tap_ok(call(ticket, VMFORK_TICKET_KILL, &one) == ECHILD, "KILL of the reported: ECHILD");
	tap_ok(call(ticket, VMFORK_TICKET_INFO, &info) == 0 && info.live == CLONES - 1 &&
	       info.unreported == 0, "INFO: %u live", info.live);
	tap_ok(call(ticket, VMFORK_TICKET_KILL, &all) == 0, "KILL of all");
	tap_ok(wait_killed(ticket, 0, 0) && wait_killed(ticket, 0, 0) &&
	       call(ticket, VMFORK_TICKET_WAIT, &any) == ECHILD, "each reported once, then ECHILD");
	tap_ok(call(ticket, VMFORK_TICKET_KILL, &all) == 0, "KILL of all, none left: 0");
	close(ticket);
	ticket = fork_machine();
	tap_ok(close(ticket) == 0, "close() of a ticket with living clones");
	return tap_end();
}
