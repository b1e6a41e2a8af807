// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl ps: what there is. */
#include <unistd.h>

#include "vmforkctl.h"

static void show_names(const json_t *result)
{
	json_t *vms = get_array(result, "vms"), *vm;
	char name[128];
	size_t i;

	json_array_foreach(vms, i, vm) {
		text_clean(name, sizeof(name), get_text(vm, "name"));
		puts(name);
	}
}

int cmd_ps(struct ctl *ctl, int argc, char **argv)
{
	bool names = false, all = false;
	json_t *result;
	int c;

	while ((c = getopt(argc, argv, "qa")) != -1) {
		if (c == '?')
			return usage_option(ctl);
		names |= c == 'q';
		all |= c == 'a';
	}
	if (argc != optind)
		return usage(ctl, "no arguments, please");
	result = ctl_call(ctl, "ps", NULL);
	if (!result)
		return STATUS_ERROR;
	if (ctl->json)
		print_json(result);
	else if (names)
		show_names(result);
	else
		show_vms(result);
	if (all && !ctl->json && !names) {
		putchar('\n');
		show_tickets(result);
		putchar('\n');
		show_checkpoints(result);
	}
	json_decref(result);
	return STATUS_OK;
}
