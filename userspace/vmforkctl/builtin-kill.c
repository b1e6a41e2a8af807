// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl kill: end VMs now. */
#include <getopt.h>

#include "vmforkctl.h"

static const struct option options[] = {
	{ "family", required_argument, NULL, 'f' },
	{ "ticket", required_argument, NULL, 't' },
	{ }
};

static int kill_one(struct ctl *ctl, json_t *whom, json_int_t *killed)
{
	json_t *result = ctl_call(ctl, "kill", whom);

	if (!result)
		return STATUS_ERROR;
	*killed += get_int(result, "killed");
	json_decref(result);
	return STATUS_OK;
}

int cmd_kill(struct ctl *ctl, int argc, char **argv)
{
	json_t *whom = NULL;
	json_int_t killed = 0;
	int c, status = STATUS_OK;
	uint64_t ticket;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return usage_option(ctl);
		if (whom)
			return usage(ctl, "one of --family and --ticket, once");
		if (c == 't' && number_parse(optarg, 1, INT64_MAX, &ticket))
			return usage(ctl, "not a ticket's handle: %s", optarg);
		whom = c == 't' ? json_pack("{s:I}", "ticket", (json_int_t)ticket) :
			json_pack("{s:s}", "family", optarg);
	}
	if (!whom == (argc == optind))
		return usage(ctl, "VMs, or --family, or --ticket");
	if (whom)
		status = kill_one(ctl, whom, &killed);
	for (; optind < argc; optind++)
		if (kill_one(ctl, json_pack("{s:s}", "vm", argv[optind]), &killed))
			status = STATUS_ERROR;
	if (ctl->json)
		printf("{\"killed\": %" JSON_INTEGER_FORMAT "}\n", killed);
	else if (killed || !status)
		printf("%" JSON_INTEGER_FORMAT " killed\n", killed);
	return status;
}
