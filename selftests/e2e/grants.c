// SPDX-License-Identifier: GPL-2.0-or-later
/* grants: limits of a ticket's clones, and clones of clones within them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: grants lifetime | memory | nested | unsupported
 *
 * lifetime: two clones do nothing, and are ended. memory: clone 1 writes more than it
 * may, clone 2 less. nested: a clone makes one of its own, then the host kills the first.
 */
enum { GO = 1, NESTED = 2 };

static int ticket_with(int vm, unsigned int n, unsigned int lifetime, unsigned int memory)
{
	struct vmfork_limits l = { .lifetime_s = lifetime, .memory_mib = memory };
	unsigned int granted = 0;

	return vmfork_request_ticket_limits(vm, n, VMFORK_TICKET_EXACT, &l, &granted);
}

static void touch(size_t mib)
{
	pattern_fill(pages_new(mib << 8), mib << 8, 5);
}

static void expect(int ticket, unsigned int id, unsigned int reason, const char *what)
{
	struct vmfork_exit_info e = { 0 };
	int r = vmfork_wait(ticket, id, 0, &e);

	tap_ok(r == 0 && e.reason == reason, "%s: %s %d, \"%s\"", what,
	       r ? strerror(-r) : reason_name(e.reason), e.status, e.why);
}

static int lifetime(int vm)
{
	int ticket = ticket_with(vm, 2, 3, 0);

	if (ticket < 0)
		tap_bail("ticket: %s", strerror(-ticket));
	if (machine_clone(ticket) > 0)
		for (;;)
			pause();
	expect(ticket, 1, VMFORK_EXPIRED, "its time is over");
	expect(ticket, 2, VMFORK_EXPIRED, "its sibling's too");
	vmfork_close(ticket);
	return tap_done();
}

static int memory(int vm)
{
	int ticket = ticket_with(vm, 2, 0, 24), id;

	if (ticket < 0)
		tap_bail("ticket: %s", strerror(-ticket));
	id = machine_clone(ticket);
	if (id > 0) {
		touch(id == 1 ? 150 : 4);
		clone_exit(vm, 5);
	}
	expect(ticket, 1, VMFORK_OUT_OF_MEMORY, "a clone that wants more than it may");
	expect(ticket, 2, VMFORK_EXITED, "its sibling that does not");
	vmfork_close(ticket);
	return tap_done();
}

/* In the clone: one of its own, without a limit. Both do nothing. */
static void nest(int vm, int link)
{
	int ticket = ticket_with(vm, 1, 0, 0);

	if (ticket < 0)
		clone_broken(vm, "nested ticket", -ticket);
	if (machine_clone(ticket) == 0)
		clone_send(vm, link, NESTED, "", 1);
	for (;;)
		pause();
}

static int nested(int vm)
{
	int ticket = machine_ticket(vm, 1);
	char c;

	if (machine_clone(ticket) > 0)
		nest(vm, ticket);
	tap_ok(gather(ticket, 1, NESTED, &c, 1), "a clone has a clone");
	/* the host looks, and kills the one in the middle */
	expect(ticket, 1, VMFORK_LOST, "it was killed from the host");
	vmfork_close(ticket);
	return tap_done();
}

static int unsupported(int vm)
{
	tap_ok(ticket_with(vm, 1, 0, 64) == -EOPNOTSUPP, "a limit on memory: EOPNOTSUPP");
	return tap_done();
}

int test_grants(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int vm);
	} parts[] = { { "lifetime", lifetime }, { "memory", memory }, { "nested", nested },
		{ "unsupported", unsupported } };

	for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(*parts); i++)
		if (!strcmp(parts[i].name, argv[1]))
			return parts[i].run(machine_open());
	tap_bail("which?");
}
