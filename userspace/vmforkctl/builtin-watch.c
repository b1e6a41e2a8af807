// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl watch: what happens, as it happens. */
#include "vmforkctl.h"

static void show_event(const json_t *event)
{
	char kind[32], what[32], name[128], handle[HANDLE_TEXT];

	text_clean(kind, sizeof(kind), get_text(event, "event"));
	text_clean(what, sizeof(what), get_text(event, "what"));
	text_clean(name, sizeof(name), get_text(event, "name"));
	printf("%-10s  %-10s  %s  %s\n", kind, what, get_handle(event, "handle", handle), name);
	fflush(stdout);
}

int cmd_watch(struct ctl *ctl, int argc, char **argv)
{
	json_t *line;

	if (argc != 1)
		return usage(ctl, "no arguments, please");
	line = ctl_call(ctl, "watch", NULL);
	if (!line)
		return STATUS_ERROR;
	json_decref(line);
	while ((line = client_next(&ctl->client))) {
		if (ctl->json)
			print_json(line);
		else
			show_event(line);
		json_decref(line);
	}
	return STATUS_ERROR;
}
