// SPDX-License-Identifier: GPL-2.0-or-later
/* What of the command line of vmfork(1) goes together. See options_check.h. */
#include <stdio.h>
#include <string.h>

#include "options_check.h"

static int usage(const char *what, const char *value)
{
	fprintf(stderr, "vmfork: %s%s%s\nTry 'vmfork --help'.\n", what, value ? ": " : "",
		value ? value : "");
	return STATUS_FAILED;
}

static int check_jobs(const struct options *o)
{
	if (o->map && o->args_from)
		return usage("--map and --args-from exclude each other", NULL);
	if (o->map && !o->nsets)
		return usage("--map: no files; vmfork --map FILE... -- COMMAND", NULL);
	if (o->null && !o->args_from)
		return usage("-0 is for --args-from", NULL);
	if (options_jobs(o) && (o->from || o->checkpoint))
		return usage("--map and --args-from fork this machine, not a checkpoint", NULL);
	if (o->use_stdin && o->args_from && !strcmp(o->args_from, "-"))
		return usage("stdin cannot be both argument sets and input", NULL);
	return 0;
}

static int check_sandbox(const struct options *o)
{
	if (o->sandbox && (o->clones > 1 || options_jobs(o) || o->from || o->checkpoint))
		return usage("--sandbox is one clone of this machine", NULL);
	return 0;
}

/* What the host would refuse is refused before the clones do their work. */
static int check_name(const char *option, const char *name, size_t max)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = name ? strlen(name) : 0;

	if (!name || (len > 0 && len <= max && strspn(name, allowed) == len &&
		      name[0] != '.' && name[0] != '-' && strspn(name, "0123456789") < len))
		return 0;
	fprintf(stderr, "vmfork: %s: a name is 1 to %zu of A-Z a-z 0-9 . _ -, does not begin with . or - "
		"and is not digits alone\n", option, max);
	return STATUS_FAILED;
}

static int check_names(const struct options *o)
{
	size_t max = VMFORK_NAME_MAX - 1;
	int status = check_name("--checkpoint", o->checkpoint, max);

	if (o->clones > 1 || options_jobs(o))
		max -= strlen(".1000000");	/* JOBS_MAX */
	return status ? status : check_name("--keep", o->keep, max);
}

int options_check(const struct options *o)
{
	int status;

	if (o->show_id || o->show_params)
		return o->argv[0] || o->from || o->checkpoint ?
			usage("--id and --show-params stand alone", NULL) : 0;
	status = check_jobs(o);
	status = status ? status : check_sandbox(o);
	status = status ? status : check_names(o);
	if (status)
		return status;
	if (o->from && o->checkpoint)
		return usage("--from and --checkpoint exclude each other", NULL);
	if (o->checkpoint && (o->put.n || o->get.n || o->use_stdin || o->keep || o->param.n ||
			      o->params_file || o->env.n))
		return usage("--checkpoint runs nothing now: give this to --from", NULL);
	if (!o->from && !o->checkpoint && !o->argv[0])
		return usage("no command", NULL);
	return 0;
}
