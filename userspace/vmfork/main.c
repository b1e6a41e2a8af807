// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork(1): run a command in clones of this machine. Options, and the order of things. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clone.h"
#include "interrupt.h"
#include "options.h"
#include "parent.h"
#include "vmfork.h"

static const char help[] =
"usage: vmfork [-n CLONES] [OPTION...] [--] COMMAND [ARGUMENT...]\n"
"       vmfork --checkpoint NAME [OPTION...] [[--] COMMAND [ARGUMENT...]]\n"
"       vmfork --from NAME [-n CLONES] [OPTION...]\n"
"       vmfork --id [--json]\n"
"Fork this virtual machine and run COMMAND in each clone.\n"
"\n"
"  -n, --clones=N          how many clones to ask for (1); fewer may be granted\n"
"      --exact             all of them or none\n"
"      --sync              write dirty file data to disk before the fork\n"
"      --checkpoint=NAME   make a checkpoint and exit; its clones run COMMAND\n"
"      --from=NAME         create the clones of this checkpoint\n"
"  -t, --timeout=SECONDS   kill clones that run longer, exit 124\n"
"      --fail=MODE         late: exit with the highest status (default);\n"
"                          fast: kill the others at the first failure; never: exit 0\n"
"      --output=MODE       line: as it comes (default); group: a clone's at its end\n"
"      --no-label          no \"ID| \" before each line\n"
"      --json[=FILE]       a summary in JSON, as the last line of stdout or to FILE\n"
"      --id                print who this machine is\n"
"      --help, --version\n"
"\n"
"A clone has VMFORK_ID (1..m), VMFORK_CLONES (m) and VMFORK_FAMILY in its\n"
"environment and ends with its COMMAND.\n"
"Exit status: 0 if all clones' are 0, else the highest; 137 a clone was killed;\n"
"124 time is up; 125 vmfork failed or a clone was lost; 126, 127 COMMAND cannot be\n"
"run; 128 + signal if vmfork was interrupted.\n";

enum {
	OPT_EXACT = 256, OPT_SYNC, OPT_CHECKPOINT, OPT_FROM, OPT_FAIL, OPT_OUTPUT,
	OPT_NO_LABEL, OPT_JSON, OPT_ID, OPT_HELP, OPT_VERSION,
};

static const struct option long_options[] = {
	{ "clones", required_argument, NULL, 'n' },
	{ "exact", no_argument, NULL, OPT_EXACT },
	{ "sync", no_argument, NULL, OPT_SYNC },
	{ "checkpoint", required_argument, NULL, OPT_CHECKPOINT },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "timeout", required_argument, NULL, 't' },
	{ "fail", required_argument, NULL, OPT_FAIL },
	{ "output", required_argument, NULL, OPT_OUTPUT },
	{ "no-label", no_argument, NULL, OPT_NO_LABEL },
	{ "json", optional_argument, NULL, OPT_JSON },
	{ "id", no_argument, NULL, OPT_ID },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ }
};

static int usage(const char *what, const char *value)
{
	fprintf(stderr, "vmfork: %s%s%s\nTry 'vmfork --help'.\n", what, value ? ": " : "",
		value ? value : "");
	return STATUS_FAILED;
}

static int failed(const char *what, int err, enum vmfork_call call)
{
	fprintf(stderr, "vmfork: %s: %s\n", what, vmfork_strerror(err, call));
	if (err == -EINTR && interrupt_signal())
		return 128 + interrupt_signal();
	return STATUS_FAILED;
}

static int parse_clones(const char *text, unsigned int *ret)
{
	char *rest;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &rest, 10);
	if (errno || *rest || text[0] < '0' || text[0] > '9' || n < 1 || n > CLONES_MAX)
		return -EINVAL;
	*ret = (unsigned int)n;
	return 0;
}

static int parse_seconds(const char *text, double *ret)
{
	char *rest;
	double s = strtod(text, &rest);

	if (rest == text || *rest || !(s > 0) || s > 1e9)
		return -EINVAL;
	*ret = s;
	return 0;
}

/* the index of @text in @names, or -EINVAL */
static int parse_word(const char *text, const char *const *names)
{
	int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(text, names[i]))
			return i;
	return -EINVAL;
}

static int parse_option(struct options *o, int c)
{
	static const char *const fail_modes[] = { "late", "fast", "never", NULL };
	static const char *const output_modes[] = { "line", "group", NULL };
	int i;

	switch (c) {
	case 'n':
		return parse_clones(optarg, &o->clones);
	case 't':
		return parse_seconds(optarg, &o->timeout);
	case OPT_EXACT:
		o->exact = true;
		return 0;
	case OPT_SYNC:
		o->sync = true;
		return 0;
	case OPT_CHECKPOINT:
		o->checkpoint = optarg;
		return 0;
	case OPT_FROM:
		o->from = optarg;
		return 0;
	case OPT_FAIL:
		i = parse_word(optarg, fail_modes);
		o->fail = (enum fail_mode)i;
		return i < 0 ? i : 0;
	case OPT_OUTPUT:
		i = parse_word(optarg, output_modes);
		o->group = i == 1;
		return i < 0 ? i : 0;
	case OPT_NO_LABEL:
		o->label = false;
		return 0;
	case OPT_JSON:
		o->json = optarg ? optarg : "-";
		return 0;
	default:
		o->show_id = true;
		return 0;
	}
}

static int check(const struct options *o)
{
	if (o->show_id)
		return o->argv[0] || o->from || o->checkpoint ?
			usage("--id stands alone", NULL) : 0;
	if (o->from && o->checkpoint)
		return usage("--from and --checkpoint exclude each other", NULL);
	if (o->from && o->argv[0])
		return usage("clones of a checkpoint run the command given when it was made",
			     o->argv[0]);
	if (!o->from && !o->checkpoint && !o->argv[0])
		return usage("no command", NULL);
	return 0;
}

/* Return: 0 to go on; else exit with *ret_status */
static int parse(struct options *o, int argc, char **argv, int *ret_status)
{
	int c;

	*ret_status = 0;
	while ((c = getopt_long(argc, argv, "+n:t:", long_options, NULL)) != -1) {
		if (c == OPT_HELP || c == OPT_VERSION) {
			fputs(c == OPT_HELP ? help : "vmfork " VMFORK_VERSION "\n", stdout);
			return 1;
		}
		if (c == '?') {
			fputs("Try 'vmfork --help'.\n", stderr);
			*ret_status = STATUS_FAILED;
			return 1;
		}
		if (parse_option(o, c)) {
			*ret_status = usage("not a value for this option", optarg);
			return 1;
		}
	}
	o->argv = argv + optind;
	*ret_status = check(o);
	return *ret_status ? 1 : 0;
}

static int show_id(const struct options *o, int vm)
{
	struct vmfork_identity who;
	const char *form = o->json ?
		"{\"id\": %u, \"depth\": %u, \"clones\": %u, \"family\": \"%llu\", \"vm\": \"%llu\", "
		"\"parent\": \"%llu\", \"checkpoint\": \"%llu\", \"generation\": %llu}\n" :
		"id          %u\ndepth       %u\nclones      %u\nfamily      %llu\nvm          %llu\n"
		"parent      %llu\ncheckpoint  %llu\ngeneration  %llu\n";
	int r = vmfork_get_identity(vm, &who);

	if (r)
		return failed("cannot tell who this is", r, VMFORK_CALL_OTHER);
	printf(form, who.id, who.depth, who.clones, (unsigned long long)who.family,
	       (unsigned long long)who.vm, (unsigned long long)who.parent,
	       (unsigned long long)who.checkpoint, (unsigned long long)who.generation);
	return 0;
}

static int make_checkpoint(const struct options *o, int vm)
{
	int fd, id = vmfork_checkpoint(vm, o->checkpoint, o->sync ? VMFORK_CLONE_SYNC : 0, &fd);

	if (id < 0)
		return failed("cannot make the checkpoint", id, VMFORK_CALL_CHECKPOINT);
	if (id > 0 && o->argv[0])
		clone_run(vm, fd, o->argv);
	printf("%d\n", id);
	return 0;
}

/* Fork, or create clones of a checkpoint. Return: the ID, or -errno; says what failed. */
static int fork_vm(const struct options *o, int vm, int ticket)
{
	int cp, r;

	if (!o->from) {
		r = vmfork_clone(ticket, o->sync ? VMFORK_CLONE_SYNC : 0);
		if (r < 0)
			failed("cannot fork", r, VMFORK_CALL_CLONE);
		return r;
	}
	cp = vmfork_open_checkpoint(vm, o->from);
	if (cp < 0) {
		failed(o->from, cp, VMFORK_CALL_CHECKPOINT);
		return cp;
	}
	r = vmfork_create_clones(ticket, cp);
	if (r)
		failed("cannot create clones", r, VMFORK_CALL_CLONE);
	vmfork_close(cp);
	return r;
}

static int request_ticket(const struct options *o, int vm, unsigned int *ret_granted)
{
	struct vmfork_api api;
	int r = vmfork_get_api(vm, &api);

	if (!r && api.clones_max == 0)
		r = -ENODEV;
	if (!r && o->clones > api.clones_max) {
		fprintf(stderr, "vmfork: %u clones are too many: one ticket may ask for %u\n",
			o->clones, api.clones_max);
		return -EINVAL;
	}
	if (!r)
		r = vmfork_request_ticket(vm, o->clones, o->exact ? VMFORK_TICKET_EXACT : 0,
					  ret_granted);
	if (r < 0) {
		failed("no ticket", r, VMFORK_CALL_TICKET);
		return r;
	}
	if (*ret_granted < o->clones)
		fprintf(stderr, "vmfork: %u of %u clones granted\n", *ret_granted, o->clones);
	return r;
}

static int own_status(int err)
{
	return err == -EINTR && interrupt_signal() ? 128 + interrupt_signal() : STATUS_FAILED;
}

static int run(const struct options *o, int vm, FILE *json)
{
	struct summary s = { .requested = o->clones };
	struct vmfork_identity who = { 0 };
	unsigned int granted = 0;
	int ticket, r;

	ticket = request_ticket(o, vm, &granted);
	if (ticket < 0)
		return own_status(ticket);
	r = fork_vm(o, vm, ticket);
	if (r < 0)
		return own_status(r);
	if (r > 0)
		clone_run(vm, ticket, o->argv);
	r = parent_collect(o, ticket, granted, &s);
	if (r)
		return failed("cannot hear from the clones", r, VMFORK_CALL_OTHER);
	vmfork_close(ticket);
	if (json) {
		vmfork_get_identity(vm, &who);
		s.family = who.family;
		if (summary_print(json, &s) && !s.status)
			s.status = STATUS_FAILED;
	}
	free((void *)s.clones);
	return s.status;
}

static int open_json(const struct options *o, FILE **ret)
{
	*ret = NULL;
	if (!o->json)
		return 0;
	*ret = strcmp(o->json, "-") ? fopen(o->json, "we") : stdout;
	if (*ret)
		return 0;
	fprintf(stderr, "vmfork: %s: %s\n", o->json, strerror(errno));
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	struct options o = { .clones = 1, .label = true };
	int vm, status, r;
	FILE *json;

	if (parse(&o, argc, argv, &status))
		return status;
	vm = vmfork_open();
	if (vm < 0)
		return failed("/dev/vmfork", vm, VMFORK_CALL_OPEN);
	if (o.show_id)
		return show_id(&o, vm);
	if (o.checkpoint)
		return make_checkpoint(&o, vm);
	status = open_json(&o, &json);
	if (status)
		return status;
	r = interrupt_init();
	if (r)
		return failed("signals", r, VMFORK_CALL_OTHER);
	return run(&o, vm, json);
}
