// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of vmfork(1). See options.h. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "options_check.h"

#define CPU_WEIGHT_MAX	10000	/* cgroup v2's */

enum {
	OPT_EXACT = 256, OPT_SYNC, OPT_CHECKPOINT, OPT_FROM, OPT_FAIL, OPT_OUTPUT,
	OPT_NO_LABEL, OPT_JSON, OPT_ID, OPT_HELP, OPT_VERSION, OPT_MAP, OPT_ARGS_FROM,
	OPT_STDIN, OPT_PUT, OPT_GET, OPT_INTO, OPT_SANDBOX, OPT_KEEP, OPT_OUTPUT_DIR,
	OPT_PARAM, OPT_PARAMS, OPT_ENV, OPT_LIFETIME, OPT_MEMORY, OPT_CPU_WEIGHT, OPT_DROP_CACHE,
	OPT_SHOW_PARAMS,
};

static const struct option long_options[] = {
	{ "clones", required_argument, NULL, 'n' },
	{ "jobs", required_argument, NULL, 'n' },
	{ "exact", no_argument, NULL, OPT_EXACT },
	{ "sync", no_argument, NULL, OPT_SYNC },
	{ "map", no_argument, NULL, OPT_MAP },
	{ "args-from", required_argument, NULL, OPT_ARGS_FROM },
	{ "null", no_argument, NULL, '0' },
	{ "stdin", no_argument, NULL, OPT_STDIN },
	{ "put", required_argument, NULL, OPT_PUT },
	{ "get", required_argument, NULL, OPT_GET },
	{ "into", required_argument, NULL, OPT_INTO },
	{ "sandbox", no_argument, NULL, OPT_SANDBOX },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "drop-cache", no_argument, NULL, OPT_DROP_CACHE },
	{ "param", required_argument, NULL, OPT_PARAM },
	{ "params", required_argument, NULL, OPT_PARAMS },
	{ "env", required_argument, NULL, OPT_ENV },
	{ "lifetime", required_argument, NULL, OPT_LIFETIME },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "cpu-weight", required_argument, NULL, OPT_CPU_WEIGHT },
	{ "show-params", no_argument, NULL, OPT_SHOW_PARAMS },
	{ "checkpoint", required_argument, NULL, OPT_CHECKPOINT },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "timeout", required_argument, NULL, 't' },
	{ "fail", required_argument, NULL, OPT_FAIL },
	{ "output", required_argument, NULL, OPT_OUTPUT },
	{ "output-dir", required_argument, NULL, OPT_OUTPUT_DIR },
	{ "no-label", no_argument, NULL, OPT_NO_LABEL },
	{ "json", optional_argument, NULL, OPT_JSON },
	{ "id", no_argument, NULL, OPT_ID },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ }
};

bool options_jobs(const struct options *o)
{
	return o->map || o->args_from;
}

/* @index: into long_options, or -1: it was the letter @c */
static int usage_value(int c, int index, const char *value)
{
	if (index >= 0)
		fprintf(stderr, "vmfork: --%s: not a value for it: '%s'\n",
			long_options[index].name, value);
	else
		fprintf(stderr, "vmfork: -%c: not a value for it: '%s'\n", c, value);
	fputs("Try 'vmfork --help'.\n", stderr);
	return STATUS_FAILED;
}

static int parse_number(const char *text, unsigned int max, unsigned int *ret)
{
	char *rest;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &rest, 10);
	if (errno || *rest || text[0] < '0' || text[0] > '9' || n < 1 || n > max)
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

static int parse_fail(struct options *o, const char *text)
{
	static const char *const modes[] = { "late", "fast", "never", NULL };
	int i = parse_word(text, modes);

	o->fail_after = 1;
	if (i >= 0) {
		o->fail = (enum fail_mode)i;
		return 0;
	}
	o->fail = FAIL_FAST;
	return parse_number(text, CLONES_MAX, &o->fail_after);
}

static int parse_output(struct options *o, const char *text)
{
	static const char *const modes[] = { "line", "group", "dir", NULL };
	int i = parse_word(text, modes);

	if (i < 0)
		return i;
	o->output = (enum output_mode)i;
	return 0;
}

static int add_path(struct paths *p, const char *path)
{
	if (p->n == PATHS_MAX || !path[0])
		return -EINVAL;
	p->path[p->n++] = path;
	return 0;
}

/* options that are a word to remember */
static bool parse_plain(struct options *o, int c)
{
	switch (c) {
	case OPT_CHECKPOINT:
		o->checkpoint = optarg;
		return true;
	case OPT_FROM:
		o->from = optarg;
		return true;
	case OPT_KEEP:
		o->keep = optarg;
		return true;
	case OPT_INTO:
		o->into = optarg;
		return true;
	case OPT_ARGS_FROM:
		o->args_from = optarg;
		return true;
	case OPT_PARAMS:
		o->params_file = optarg;
		return true;
	case OPT_JSON:
		o->json = optarg ? optarg : "-";
		return true;
	case OPT_OUTPUT_DIR:
		o->output = OUTPUT_DIR;
		o->output_dir = optarg;
		return true;
	default:
		return false;
	}
}

static bool *flag_of(struct options *o, int c)
{
	switch (c) {
	case OPT_EXACT:
		return &o->exact;
	case OPT_SYNC:
		return &o->sync;
	case OPT_MAP:
		return &o->map;
	case '0':
		return &o->null;
	case OPT_STDIN:
		return &o->use_stdin;
	case OPT_SANDBOX:
		return &o->sandbox;
	case OPT_DROP_CACHE:
		return &o->drop_cache;
	case OPT_SHOW_PARAMS:
		return &o->show_params;
	default:
		return &o->show_id;
	}
}

static int parse_option(struct options *o, int c)
{
	if (parse_plain(o, c))
		return 0;
	switch (c) {
	case 'n':
		return parse_number(optarg, CLONES_MAX, &o->clones);
	case OPT_LIFETIME:
		return parse_number(optarg, UINT_MAX, &o->limits.lifetime_s);
	case OPT_MEMORY:
		return parse_number(optarg, UINT_MAX, &o->limits.memory_mib);
	case OPT_CPU_WEIGHT:
		return parse_number(optarg, CPU_WEIGHT_MAX, &o->limits.cpu_weight);
	case OPT_PARAM:
		return add_path(&o->param, optarg);
	case OPT_ENV:
		return add_path(&o->env, optarg);
	case 't':
		return parse_seconds(optarg, &o->timeout);
	case OPT_FAIL:
		return parse_fail(o, optarg);
	case OPT_OUTPUT:
		return parse_output(o, optarg);
	case OPT_PUT:
		return add_path(&o->put, optarg);
	case OPT_GET:
		return add_path(&o->get, optarg);
	case OPT_NO_LABEL:
		o->label = false;
		return 0;
	default:
		*flag_of(o, c) = true;
		return 0;
	}
}

/* FILE... -- COMMAND: the files are the sets */
static void take_sets(struct options *o)
{
	char **p = o->argv;

	while (*p && strcmp(*p, "--"))
		p++;
	if (!*p)
		return;
	o->sets = o->argv;
	o->nsets = (unsigned int)(p - o->argv);
	o->argv = p + 1;
}

static void set_defaults(struct options *o)
{
	if (!o->clones)
		o->clones = options_jobs(o) ? AT_A_TIME : 1;
	if (!o->output_dir)
		o->output_dir = "vmfork-output";
	if (!o->into)
		o->into = ".";
	if (o->sandbox)
		o->label = false;
}

int options_parse(struct options *o, int argc, char **argv, int *ret_status)
{
	int c, index = -1;

	*o = (struct options){ .label = true, .fail_after = 1 };
	*ret_status = 0;
	while ((c = getopt_long(argc, argv, "+n:t:0", long_options, &index)) != -1) {
		if (c == OPT_HELP || c == OPT_VERSION) {
			fputs(c == OPT_HELP ? options_help : "vmfork " VMFORK_VERSION "\n", stdout);
			return 1;
		}
		if (c == '?') {
			fputs("Try 'vmfork --help'.\n", stderr);
			*ret_status = STATUS_FAILED;
			return 1;
		}
		if (parse_option(o, c)) {
			*ret_status = usage_value(c, index, optarg);
			return 1;
		}
		index = -1;
	}
	o->argv = argv + optind;
	if (o->map)
		take_sets(o);
	*ret_status = options_check(o);
	set_defaults(o);
	return *ret_status ? 1 : 0;
}
