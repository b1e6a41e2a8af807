// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl checkpoint: make, remove and list checkpoints. */
#include <getopt.h>

#include "vmforkctl.h"

const char checkpoint_options[] =
"  --drop-cache                    make: the VM drops clean page cache before\n";

static const struct option options[] = {
	{ "drop-cache", no_argument, NULL, 1 },
	{ }
};

static int make(struct ctl *ctl, const char *vm, const char *name, bool drop_cache)
{
	json_t *result, *cp, *o = json_pack("{s:s, s:s}", "vm", vm, "name", name);
	char handle[HANDLE_TEXT], size[SIZE_TEXT];

	/* an older vmforkd understands what is not said */
	if (drop_cache)
		json_object_set_new(o, "drop_cache", json_true());
	result = ctl_call(ctl, "checkpoint", o);
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

/* The option may stand anywhere; what is left begins at argv[1]. */
static int parse(struct ctl *ctl, int *argc, char ***argv, bool *drop_cache)
{
	int c;

	while ((c = getopt_long(*argc, *argv, "", options, NULL)) != -1) {
		if (c != 1) {
			usage_option(ctl);
			fputs(checkpoint_options, stderr);
			return STATUS_USAGE;
		}
		*drop_cache = true;
	}
	*argc -= optind - 1;
	*argv += optind - 1;
	return 0;
}

int cmd_checkpoint(struct ctl *ctl, int argc, char **argv)
{
	bool drop_cache = false;
	int status = parse(ctl, &argc, &argv, &drop_cache);
	const char *verb = argc > 1 ? argv[1] : "";

	if (status)
		return status;
	if (!strcmp(verb, "make") && argc == 4)
		return make(ctl, argv[2], argv[3], drop_cache);
	if (argc == 3 && strcmp(verb, "rm") != 0)
		return make(ctl, argv[1], argv[2], drop_cache);
	if (drop_cache)
		return usage(ctl, "--drop-cache goes with make");
	if (!strcmp(verb, "ls") && argc == 2)
		return ls(ctl);
	if (!strcmp(verb, "rm") && argc > 2)
		return rm(ctl, argv + 2);
	if (!strcmp(verb, "fill") && argc == 4)
		return fill(ctl, argv[2], argv[3]);
	return usage(ctl, "make, rm, fill or ls?");
}
