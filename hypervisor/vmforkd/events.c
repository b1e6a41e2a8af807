// SPDX-License-Identifier: GPL-2.0-or-later
/* What those who `watch` are told. */
#include "events.h"

#include "describe.h"
#include "server.h"

static void say(const char *kind, const char *what, json_t *o)
{
	json_object_set_new(o, "event", json_string(kind));
	json_object_set_new(o, "what", json_string(what));
	server_event(o);
}

void event_vm(const char *what, const struct vm *vm)
{
	if (server_watched())
		say("vm", what, describe_vm(vm));
}

void event_ticket(const char *what, const struct ticket *t)
{
	if (server_watched())
		say("ticket", what, describe_ticket(t));
}

void event_checkpoint(const char *what, const struct checkpoint *cp)
{
	if (server_watched())
		say("checkpoint", what, describe_checkpoint(cp));
}
