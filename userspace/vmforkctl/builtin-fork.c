// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl fork and clone: make clones of a running VM, or of a checkpoint. */
#include <string.h>
#include <unistd.h>

#include "vmforkctl.h"

/* @op: of the control protocol; @of: its member that names what to clone */
static int make_clones(struct ctl *ctl, int argc, char **argv, const char *op, const char *of)
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
		return usage(ctl, "which %s?", strcmp(of, "vm") ? of : "VM");
	result = ctl_call(ctl, op, json_pack("{s:s, s:I}", of, argv[optind], "clones", clones));
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

int cmd_fork(struct ctl *ctl, int argc, char **argv)
{
	return make_clones(ctl, argc, argv, "fork", "vm");
}

int cmd_clone(struct ctl *ctl, int argc, char **argv)
{
	return make_clones(ctl, argc, argv, "clone", "checkpoint");
}
