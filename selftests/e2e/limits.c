// SPDX-License-Identifier: GPL-2.0-or-later
/* limits: what is refused, in a root VM and in one without a channel. */
#include <errno.h>
#include <string.h>

#include "e2e.h"
#include "tap.h"

/* DOC: limits root | nochannel - asks for what cannot be; nothing must change. */

static void refused(int got, int want, const char *what, enum vmfork_call call)
{
	tap_ok(got == -want, "%s: %s (%s)", what, strerror(got < 0 ? -got : 0),
	       vmfork_strerror(got, call));
}

static void test_root(int vm)
{
	struct vmfork_api api = { 0 };
	struct vmfork_identity before = machine_identity(vm), after;
	unsigned int m = 0;

	vmfork_get_api(vm, &api);
	tap_ok(api.version == VMFORK_API_VERSION && api.clones_max,
	       "GET_API: version %u, up to %u clones", api.version, api.clones_max);
	refused(vmfork_request_ticket(vm, 0, 0, &m), EINVAL, "0 clones", VMFORK_CALL_TICKET);
	refused(vmfork_request_ticket(vm, api.clones_max + 1, 0, &m), EINVAL,
		"one clone above the limit", VMFORK_CALL_TICKET);
	refused(vmfork_request_ticket(vm, ~0U, VMFORK_TICKET_EXACT, &m), EINVAL,
		"4294967295 clones", VMFORK_CALL_TICKET);
	refused(vmfork_exit(vm, 3), EPERM, "EXIT in a root VM", VMFORK_CALL_EXIT);
	refused(vmfork_exit(vm, 256), EINVAL, "EXIT with 256", VMFORK_CALL_OTHER);
	refused(vmfork_exit(vm, -1), EINVAL, "EXIT with -1", VMFORK_CALL_OTHER);
	after = machine_identity(vm);
	tap_ok(!memcmp(&before, &after, sizeof(before)), "the machine is as it was");
}

static void test_nochannel(int vm)
{
	struct vmfork_api api = { .clones_max = 1 };

	tap_ok(!vmfork_get_api(vm, &api) && api.clones_max == 0, "GET_API: no clones");
	refused(vmfork_request_ticket(vm, 1, 0, NULL), ENODEV, "a ticket", VMFORK_CALL_TICKET);
}

int test_limits(int argc, char **argv)
{
	int vm = machine_open();

	if (argc > 1 && !strcmp(argv[1], "nochannel"))
		test_nochannel(vm);
	else
		test_root(vm);
	return tap_done();
}
