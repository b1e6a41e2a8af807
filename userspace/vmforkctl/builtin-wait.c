// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl wait: until all clones of a ticket have ended. */
#include "vmforkctl.h"

int cmd_wait(struct ctl *ctl, int argc, char **argv)
{
	json_t *result;
	uint64_t ticket;

	if (argc != 2)
		return usage(ctl, "which ticket?");
	if (number_parse(argv[1], 1, INT64_MAX, &ticket))
		return usage(ctl, "not a ticket's handle: %s", argv[1]);
	result = ctl_call(ctl, "wait", json_pack("{s:I}", "ticket", (json_int_t)ticket));
	if (!result)
		return STATUS_ERROR;
	if (ctl->json)
		print_json(result);
	else
		show_exits(result);
	json_decref(result);
	return STATUS_OK;
}
