// SPDX-License-Identifier: GPL-2.0-or-later
/* params: what clones are told, by their ticket or by the host. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "e2e.h"
#include "tap.h"

enum { TOLD = 1 };

static const char all[] = "{\"env\":{\"WHO\":\"all\"}}", own[] = "{\"env\":{\"WHO\":\"two\"}}";

struct told {
	int err;
	char text[256];
};

static struct told told(int vm)
{
	struct told t = { 0 };
	size_t len = 0;

	t.err = vmfork_get_params(vm, t.text, sizeof(t.text) - 1, &len);
	return t;
}

static void in_clone(int vm, int link)
{
	struct told t = told(vm);

	clone_send(vm, link, TOLD, &t, sizeof(t));
	clone_exit(vm, 0);
}

static int by_ticket(int vm)
{
	struct told t[3];
	int ticket = machine_ticket(vm, 3), r;
	static char big[VMFORK_PARAMS_MAX + 1];

	tap_ok(told(vm).err == -ENODATA, "a root VM was told nothing");
	tap_ok(vmfork_set_params(ticket, 1, big, sizeof(big)) == -EINVAL, "too much: EINVAL");
	tap_ok(vmfork_set_params(ticket, 4, "x", 1) == -EINVAL, "no such clone: EINVAL");
	r = vmfork_set_params(ticket, 0, all, strlen(all));
	r = r ? r : vmfork_set_params(ticket, 2, "first", 5);
	r = r ? r : vmfork_set_params(ticket, 2, own, strlen(own));
	tap_ok(r == 0, "set: %s", strerror(-r));
	if (machine_clone(ticket) > 0)
		in_clone(vm, ticket);
	if (gather(ticket, 3, TOLD, t, sizeof(*t)))
		tap_ok(!strcmp(t[0].text, all) && !strcmp(t[1].text, own) &&
		       !strcmp(t[2].text, all), "each was told its own, or that of all: %s %s %s",
		       t[0].text, t[1].text, t[2].text);
	tap_ok(vmfork_set_params(ticket, 1, "x", 1) == -EBUSY, "after the fork: EBUSY");
	vmfork_close(ticket);
	return tap_done();
}

/* params show: of this machine, for a test on the host's side. */
int test_params(int argc, char **argv)
{
	int vm = machine_open();
	struct told t;

	if (argc < 2 || strcmp(argv[1], "show"))
		return by_ticket(vm);
	t = told(vm);
	puts(t.err ? strerror(-t.err) : t.text);
	return 0;
}
