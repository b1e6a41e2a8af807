// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl version: this program, vmforkd, and what its backends can do here. */
#include "vmforkctl.h"

static void show_backends(const json_t *result)
{
	json_t *backends = get_array(result, "backends"), *b;
	struct table t;
	size_t i;

	table_init(&t, "lll", "BACKEND USABLE WHY");
	json_array_foreach(backends, i, b) {
		table_add(&t, "%s", get_text(b, "name"));
		table_add(&t, "%s", json_is_true(json_object_get(b, "usable")) ? "yes" : "no");
		table_add(&t, "%s", get_text(b, "why"));
	}
	table_print(&t, stdout);
	table_free(&t);
}

int cmd_version(struct ctl *ctl, int argc, char **argv)
{
	char version[64];
	json_t *result;

	if (argc != 1)
		return usage(ctl, "no arguments, please");
	if (!ctl->json) {
		puts("vmforkctl " VMFORK_VERSION);
		fflush(stdout);
	}
	result = ctl_call(ctl, "version", NULL);
	if (!result)
		return STATUS_ERROR;
	if (ctl->json) {
		print_json(result);
	} else {
		text_clean(version, sizeof(version), get_text(result, "version"));
		printf("vmforkd %s\n", version);
		show_backends(result);
	}
	json_decref(result);
	return STATUS_OK;
}
