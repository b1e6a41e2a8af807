// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl fork: fork a running VM, from the host. */
#include <unistd.h>

#include "vmforkctl.h"

int cmd_fork(struct ctl *ctl, int argc, char **argv)
{
	json_int_t clones = 1;
	json_t *result;
	int c;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c == '?')
			return usage_option(ctl);
		if (parse_clones(optarg, &clones))
			return usage(ctl, "not a number of clones: %s", optarg);
	}
	if (argc - optind != 1)
		return usage(ctl, "which VM?");
	result = ctl_call(ctl, "fork", json_pack("{s:s, s:I}", "vm", argv[optind],
						 "clones", clones));
	if (!result)
		return STATUS_ERROR;
	if (ctl->json) {
		print_json(result);
	} else {
		show_ticket_line(result);
		show_vms(result);
	}
	json_decref(result);
	return STATUS_OK;
}
