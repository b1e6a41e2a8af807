// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl(1): the host's tool. A table of verbs; each is in builtin-VERB.c. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "vmforkctl.h"

static const struct verb verbs[] = {
	{ "run", "NAME --disk FILE[,format=raw|qcow2] | --kernel FILE ... [OPTION...]",
	  "start a root VM", cmd_run, run_options },
	{ "ps", "[-q] [-a]", "list VMs (-a: tickets and checkpoints as well)", cmd_ps, NULL },
	{ "tree", "", "draw families", cmd_tree, NULL },
	{ "fork", "VM [-n CLONES] [OPTION...]", "fork a running VM", cmd_fork, fork_options },
	{ "checkpoint", "[make] [--drop-cache] VM NAME | rm NAME|HANDLE... | fill NAME|HANDLE none|record|all | ls",
	  "make, remove, fill, list checkpoints", cmd_checkpoint, checkpoint_options },
	{ "clone", "CHECKPOINT [-n CLONES] [OPTION...]", "create clones of a checkpoint", cmd_clone,
	  clone_options },
	{ "kill", "VM... | --family VM | --ticket HANDLE", "end VMs now", cmd_kill, NULL },
	{ "wait", "TICKET", "wait until all clones of a ticket have ended", cmd_wait, NULL },
	{ "console", "VM", "talk to a VM's serial console (Ctrl-] leaves)", cmd_console, NULL },
	{ "stats", "[VM]", "pages fetched, shared, avoided; memory", cmd_stats, NULL },
	{ "top", "[-d SECONDS]", "stats, again and again (q quits)", cmd_top, NULL },
	{ "watch", "", "print what happens as it happens", cmd_watch, NULL },
	{ "shutdown", "", "end vmforkd and every VM", cmd_shutdown, NULL },
	{ "version", "", "versions and backends", cmd_version, NULL },
	{ .name = NULL }
};

static void help(void)
{
	const struct verb *v;

	puts("usage: vmforkctl [--socket PATH] [--json] VERB [ARGUMENT...]\n"
	     "Run and fork virtual machines by way of vmforkd.\n");
	for (v = verbs; v->name; v++)
		printf("  %-12s%s\n", v->name, v->summary);
	puts("\n  --socket PATH  vmforkd's socket ($VMFORK_SOCKET, else " CLIENT_SOCKET ")\n"
	     "  --json         print vmforkd's result as it is\n"
	     "  --help         of a verb as well: vmforkctl VERB --help, vmforkctl help VERB\n\n"
	     "Exit status: 0, 1 an error of vmforkd, 2 wrong usage.");
}

int usage(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "vmforkctl: %s: ", ctl->verb->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return usage_option(ctl);
}

int usage_option(const struct ctl *ctl)
{
	fprintf(stderr, "usage: vmforkctl %s %s\n", ctl->verb->name, ctl->verb->synopsis);
	return STATUS_USAGE;
}

int ctl_connect(struct ctl *ctl)
{
	return ctl->client.fd >= 0 ? 0 : client_open(&ctl->client, ctl->socket);
}

json_t *ctl_call(struct ctl *ctl, const char *op, json_t *request)
{
	if (!ctl_connect(ctl))
		return client_call(&ctl->client, op, request);
	json_decref(request);
	return NULL;
}

int print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_ENCODE_ANY);
	putchar('\n');
	fflush(stdout);
	return STATUS_OK;
}

int parse_clones(const char *text, json_int_t *ret)
{
	uint64_t n;

	if (number_parse(text, 1, 1U << 20, &n))
		return -EINVAL;
	*ret = (json_int_t)n;
	return 0;
}

/*
 * --json, --socket and --help stand anywhere before a "--": they are taken out here,
 * so that no verb needs to know them. Return: the arguments left, or -1.
 */
static int take_globals(struct ctl *ctl, int argc, char **argv, bool *ret_help)
{
	int i, n = 0;

	for (i = 0; i < argc; i++) {
		const char *a = argv[i];

		if (!strcmp(a, "--"))
			break;
		if (!strcmp(a, "--json"))
			ctl->json = true;
		else if (!strcmp(a, "--help") || !strcmp(a, "-h"))
			*ret_help = true;
		else if (!strncmp(a, "--socket=", 9))
			ctl->socket = a + 9;
		else if (!strcmp(a, "--socket") && i + 1 < argc)
			ctl->socket = argv[++i];
		else if (!strcmp(a, "--socket"))
			return -1;
		else
			argv[n++] = argv[i];
	}
	while (i < argc)
		argv[n++] = argv[i++];
	argv[n] = NULL;
	return n;
}

static const struct verb *find_verb(const char *name)
{
	const struct verb *v;

	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	for (v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static int verb_help(const struct verb *v)
{
	printf("usage: vmforkctl %s %s\n%s\n%s", v->name, v->synopsis, v->summary,
	       v->options ? v->options : "");
	return STATUS_OK;
}

static int general_help(void)
{
	help();
	return STATUS_OK;
}

static int refuse(const char *what, const char *word)
{
	fprintf(stderr, "vmforkctl: %s%s%s%s; see vmforkctl --help\n", what, word ? " '" : "",
		word ? word : "", word ? "'" : "");
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .client = { .fd = -1, .passed = -1 } };
	bool want_help = false;
	char name[64];
	int status;

	standard_fds();
	argc = take_globals(&ctl, argc, argv, &want_help);
	if (argc < 0)
		return refuse("--socket without a path", NULL);
	if (argc > 1 && !strcmp(argv[1], "help")) {
		want_help = true;
		argc--;
		argv++;
	}
	if (argc < 2)
		return want_help ? general_help() : refuse("no verb", NULL);
	ctl.verb = find_verb(argv[1]);
	if (!ctl.verb)
		return refuse("no verb", argv[1]);
	if (want_help)
		return verb_help(ctl.verb);
	/* what getopt(3) calls it */
	snprintf(name, sizeof(name), "vmforkctl: %s", ctl.verb->name);
	argv[1] = name;
	status = ctl.verb->fn(&ctl, argc - 1, argv + 1);
	client_close(&ctl.client);
	if (fflush(stdout) && !status)
		status = STATUS_ERROR;
	return status;
}
