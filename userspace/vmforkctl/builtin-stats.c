// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl stats: pages and memory, now. */
#include "vmforkctl.h"

int cmd_stats(struct ctl *ctl, int argc, char **argv)
{
	json_t *result;

	if (argc > 2)
		return usage(ctl, "one VM, or none for all");
	result = ctl_call(ctl, "stats", argc == 2 ? json_pack("{s:s}", "vm", argv[1]) : NULL);
	if (!result)
		return STATUS_ERROR;
	if (ctl->json)
		print_json(result);
	else
		show_stats(result);
	json_decref(result);
	return STATUS_OK;
}
