// SPDX-License-Identifier: GPL-2.0-or-later
/* ends: ways for a clone to end that are not EXIT. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/* DOC: ends - clone 1 panics, clone 2 powers off; clone 3 goes on and exits. */
enum { GO = 1 };

static void panic(int vm)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "c", 1) != 1)
		clone_broken(vm, "panic", errno);
}

static void in_clone(int vm, int link, unsigned int id)
{
	clone_await(vm, link, GO);
	if (id == 1)
		panic(vm);
	if (id == 2)
		reboot(RB_POWER_OFF);
	clone_exit(vm, 33);
}

static void release(int ticket, unsigned int id, struct vmfork_exit_info *ret)
{
	int r = vmfork_send(ticket, id, GO, "", 1);

	r = r ? r : vmfork_wait(ticket, id, 0, ret);
	if (r)
		tap_diag("clone %u: %s", id, strerror(-r));
}

int test_ends(int argc, char **argv)
{
	struct vmfork_exit_info e = { 0 };
	int vm = machine_open(), ticket = machine_ticket(vm, 3), id;

	id = machine_clone(ticket);
	if (id > 0)
		in_clone(vm, ticket, (unsigned int)id);
	release(ticket, 1, &e);
	tap_ok(e.id == 1 && e.reason == VMFORK_LOST,
	       "a clone that panics is lost: %s %d", reason_name(e.reason), e.status);
	release(ticket, 2, &e);
	tap_ok(e.id == 2 && ended(&e, 0),
	       "a clone that powers off has exited: %s %d", reason_name(e.reason), e.status);
	release(ticket, 3, &e);
	tap_ok(e.id == 3 && ended(&e, 33), "their sibling goes on: %s %d",
	       reason_name(e.reason), e.status);
	vmfork_close(ticket);
	return tap_done();
}
