// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl fork and clone: make clones of a running VM, or of a checkpoint. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cloneconfig.h"
#include "vmforkctl.h"

#define CLONE_OPTIONS								\
"  -n CLONES                       how many (1)\n"				\
"  --param KEY=VALUE               a parameter that they can read; any number of these\n" \
"  --params FILE                   parameters: a JSON object\n"			\
"  --lifetime TIME                 90, 5m, 2h: they are ended then\n"		\
"  --memory-limit SIZE             memory of its own that each may have\n"	\
"  --cpu-weight N                  share of the processors, 1 to 10000 (100)\n"

const char clone_options[] = CLONE_OPTIONS;
const char fork_options[] = CLONE_OPTIONS
"  --drop-cache                    the VM drops clean page cache before\n";

enum { PARAM = 1, PARAMS, LIMIT, DROP_CACHE };

static const struct option options[] = {
	{ "param", required_argument, NULL, PARAM },
	{ "params", required_argument, NULL, PARAMS },
	{ "lifetime", required_argument, NULL, LIMIT },
	{ "memory-limit", required_argument, NULL, LIMIT },
	{ "cpu-weight", required_argument, NULL, LIMIT },
	{ "drop-cache", no_argument, NULL, DROP_CACHE },	/* of fork */
	{ }
};

/** struct wanted - what the clones are to be.
 * @help: the verb's options */
struct wanted {
	const char *help;
	bool drop_cache;
	json_int_t clones;
	json_t *params;
	json_t *limits;
};

static int set_option(struct wanted *w, int c, int which, char *why, size_t size)
{
	switch (c) {
	case PARAM:
		return param_set(w->params, optarg, why, size);
	case PARAMS:
		return params_file(w->params, optarg, why, size);
	case LIMIT:
		return limit_set(w->limits, options[which].name, optarg, why, size);
	case DROP_CACHE:
		w->drop_cache = true;
		snprintf(why, size, "--drop-cache: the checkpoint is made already");
		return w->help == fork_options ? 0 : -EINVAL;
	default:
		snprintf(why, size, "not a number of clones: %s", optarg);
		return parse_clones(optarg, &w->clones);
	}
}

static int parse(struct ctl *ctl, int argc, char **argv, struct wanted *w)
{
	char why[512];
	int c, which = 0;

	while ((c = getopt_long(argc, argv, "n:", options, &which)) != -1) {
		if (c == '?') {
			usage_option(ctl);
			fputs(w->help, stderr);
			return STATUS_USAGE;
		}
		if (set_option(w, c, which, why, sizeof(why)))
			return usage(ctl, "%s", why);
	}
	return 0;
}

/* What was not asked for is not said, so that an older vmforkd understands it. */
static json_t *request(const struct wanted *w, const char *of, const char *name)
{
	json_t *o = json_pack("{s:s, s:I}", of, name, "clones", w->clones);

	if (json_object_size(w->params))
		json_object_set(o, "params", w->params);
	if (json_object_size(w->limits))
		json_object_set(o, "limits", w->limits);
	if (w->drop_cache)
		json_object_set_new(o, "drop_cache", json_true());
	return o;
}

static int call(struct ctl *ctl, const char *op, json_t *o)
{
	json_t *result = ctl_call(ctl, op, o);

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

/* @op: of the control protocol; @of: its member that names what to clone */
static int make_clones(struct ctl *ctl, int argc, char **argv, const char *op, const char *of,
		       const char *help)
{
	struct wanted w = { help, false, 1, json_object(), json_object() };
	int status = parse(ctl, argc, argv, &w);

	if (status == 0 && argc - optind != 1)
		status = usage(ctl, "which %s?", strcmp(of, "vm") ? of : "VM");
	if (status == 0)
		status = call(ctl, op, request(&w, of, argv[optind]));
	json_decref(w.params);
	json_decref(w.limits);
	return status;
}

int cmd_fork(struct ctl *ctl, int argc, char **argv)
{
	return make_clones(ctl, argc, argv, "fork", "vm", fork_options);
}

int cmd_clone(struct ctl *ctl, int argc, char **argv)
{
	return make_clones(ctl, argc, argv, "clone", "checkpoint", clone_options);
}
