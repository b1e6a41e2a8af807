// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl checkpoint: make, remove and list checkpoints. */
#include "vmforkctl.h"

static int make(struct ctl *ctl, const char *vm, const char *name)
{
	json_t *result, *cp;
	char handle[HANDLE_TEXT], size[SIZE_TEXT];

	result = ctl_call(ctl, "checkpoint", json_pack("{s:s, s:s}", "vm", vm, "name", name));
	if (!result)
		return STATUS_ERROR;
	cp = get_object(result, "checkpoint");
	if (ctl->json)
		print_json(result);
	else
		printf("checkpoint %s of %s: handle %s, descriptor %s\n", name, vm,
		       get_handle(cp, "handle", handle),
		       size_text((uint64_t)get_int(cp, "descriptor_bytes"), size));
	json_decref(result);
	return STATUS_OK;
}

static int rm(struct ctl *ctl, char **names)
{
	int status = STATUS_OK;

	for (; *names; names++) {
		json_t *result = ctl_call(ctl, "checkpoint-rm",
					  json_pack("{s:s}", "checkpoint", *names));

		if (result && ctl->json)
			print_json(result);
		if (!result)
			status = STATUS_ERROR;
		json_decref(result);
	}
	return status;
}

static int fill(struct ctl *ctl, const char *name, const char *what)
{
	json_t *result = ctl_call(ctl, "fill",
				  json_pack("{s:s, s:s}", "checkpoint", name, "fill", what));
	int status = result ? STATUS_OK : STATUS_ERROR;

	if (result && ctl->json)
		print_json(result);
	json_decref(result);
	return status;
}

static int ls(struct ctl *ctl)
{
	json_t *result = ctl_call(ctl, "ps", NULL);

	if (!result)
		return STATUS_ERROR;
	if (ctl->json) {
		json_t *list = json_pack("{s:O?}", "checkpoints", get_array(result, "checkpoints"));

		print_json(list);
		json_decref(list);
	} else {
		show_checkpoints(result);
	}
	json_decref(result);
	return STATUS_OK;
}

int cmd_checkpoint(struct ctl *ctl, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "ls") && argc == 2)
		return ls(ctl);
	if (!strcmp(verb, "rm") && argc > 2)
		return rm(ctl, argv + 2);
	if (!strcmp(verb, "fill") && argc == 4)
		return fill(ctl, argv[2], argv[3]);
	if (!strcmp(verb, "make") && argc == 4)
		return make(ctl, argv[2], argv[3]);
	if (argc == 3)
		return make(ctl, argv[1], argv[2]);
	return usage(ctl, "make, rm, fill or ls?");
}
