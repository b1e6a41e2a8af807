// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork(1): run a command in clones of this machine. The order of things. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clone.h"
#include "interrupt.h"
#include "missing.h"
#include "options.h"
#include "parameters.h"
#include "parent.h"
#include "util.h"
#include "vmfork.h"

static int failed(const char *what, int err, enum vmfork_call call)
{
	fprintf(stderr, "vmfork: %s: %s\n", what, vmfork_strerror(err, call));
	if (err == -EINTR && interrupt_signal())
		return 128 + interrupt_signal();
	return STATUS_FAILED;
}

static void show_missing(int vm)
{
	struct vmfork_api api;
	unsigned int at = 0;
	const char *text;

	if (vmfork_get_api(vm, &api))
		return;
	while ((text = missing_next(&api, &at)))
		printf("missing     %s\n", text);
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
	if (!o->json)
		show_missing(vm);
	return 0;
}

static unsigned int clone_flags(const struct options *o)
{
	return (o->sync ? VMFORK_CLONE_SYNC : 0) | (o->drop_cache ? VMFORK_CLONE_DROP_CACHE : 0);
}

static int make_checkpoint(const struct options *o, int vm, FILE *json)
{
	struct plan plan = { .o = o, .argv = o->argv };
	int fd, id = vmfork_checkpoint(vm, o->checkpoint, clone_flags(o), &fd);

	if (id < 0)
		return failed("cannot make the checkpoint", id, VMFORK_CALL_CHECKPOINT);
	if (id > 0)
		clone_run_if_told(vm, fd, &plan);
	if (json)
		fprintf(json, "{\"checkpoint\": \"%s\", \"id\": %d}\n", o->checkpoint, id);
	else
		printf("%d\n", id);
	return 0;
}

/* Fork, or create clones of a checkpoint. Return: the ID, or -errno; says what failed. */
static int fork_vm(const struct options *o, int vm, int ticket)
{
	int cp, r;

	if (!o->from) {
		r = vmfork_clone(ticket, clone_flags(o));
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

/* What the host could not do for any ticket. */
static int check_host(const struct options *o, int vm)
{
	struct vmfork_api api;
	int r = vmfork_get_api(vm, &api);

	if (!r && api.clones_max == 0)
		r = -ENODEV;
	if (r) {
		failed("no ticket", r, VMFORK_CALL_TICKET);
		return r;
	}
	if (o->clones > api.clones_max) {
		fprintf(stderr, "vmfork: %u clones are too many: one ticket may ask for %u\n",
			o->clones, api.clones_max);
		return -EINVAL;
	}
	if ((o->limits.memory_mib || o->limits.cpu_weight) &&
	    !(api.features & VMFORK_FEATURE_LIMITS)) {
		fputs("vmfork: --memory, --cpu-weight: the host does no such limits (its log says "
		      "why)\n", stderr);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int request_ticket(const struct options *o, const struct crew *crew,
			  unsigned int *ret_granted)
{
	int r = crew_request(crew, o->clones, ret_granted);

	if (r < 0) {
		failed("no ticket", r, VMFORK_CALL_TICKET);
		return r;
	}
	if (*ret_granted < o->clones)
		fprintf(stderr, "vmfork: %u of %u clones granted\n", *ret_granted, o->clones);
	return r;
}

/* All clones by one ticket. Return: 0 or -errno, said. */
static int start_all(const struct options *o, struct crew *crew)
{
	struct plan plan = { .o = o, .argv = o->argv };
	unsigned int granted = 0;
	int ticket, r;

	ticket = request_ticket(o, crew, &granted);
	if (ticket < 0)
		return ticket;
	r = crew_init(crew, granted);
	if (r)
		return r;
	r = fork_vm(o, crew->vm, ticket);
	if (r > 0)
		clone_run(crew->vm, ticket, &plan);
	if (r == 0)
		crew_take_ticket(crew, ticket, parent_now());
	return r;
}

/* A checkpoint that each argument set gets a clone of. Return: 0 or -errno, said. */
static int start_queue(const struct options *o, struct crew *crew, const struct jobs *jobs)
{
	struct plan plan = { .o = o, .argv = o->argv, .jobs = jobs };
	int fd, id, r = crew_init(crew, jobs->n);

	if (r)
		return failed("argument sets", r, VMFORK_CALL_OTHER);
	crew->at_a_time = o->clones;
	id = vmfork_checkpoint(crew->vm, NULL, clone_flags(o), &fd);
	if (id > 0)
		clone_run(crew->vm, fd, &plan);
	if (id < 0)
		failed("cannot fork", id, VMFORK_CALL_CHECKPOINT);
	else
		crew->checkpoint = fd;
	return id;
}

static int own_status(int err)
{
	return err == -EINTR && interrupt_signal() ? 128 + interrupt_signal() : STATUS_FAILED;
}

static int summarize(const struct options *o, int vm, FILE *json, struct summary *s)
{
	struct vmfork_identity who = { 0 };

	s->requested = o->clones;
	if (json) {
		vmfork_get_identity(vm, &who);
		s->family = who.family;
		if (summary_print(json, s)) {
			fprintf(stderr, "vmfork: cannot write the summary: %s\n", strerror(errno));
			s->status = s->status ? s->status : STATUS_FAILED;
		}
	}
	free((void *)s->clones);
	return s->status;
}

static int run(const struct options *o, struct jobs *jobs, int vm, FILE *json)
{
	struct summary s = { 0 };
	struct crew crew = { .vm = vm, .o = o };
	struct feed feed;
	char *params;
	int r = check_host(o, vm) ? STATUS_FAILED : feed_init(&feed, o);

	r = r ? r : params_make(o, &params);
	if (r)
		return r;
	crew.params = params;
	r = options_jobs(o) ? start_queue(o, &crew, jobs) : start_all(o, &crew);
	if (r)
		return own_status(r);
	s.granted = options_jobs(o) ? o->clones : crew.n;
	r = parent_collect(o, &crew, &feed, options_jobs(o) ? jobs->set : NULL, &s);
	crew_free(&crew);
	feed_free(&feed);
	free(params);
	if (r)
		return failed("the clones", r, r == -EDQUOT ? VMFORK_CALL_TICKET :
			      VMFORK_CALL_OTHER);
	return summarize(o, vm, json, &s);
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

static int check_sets(const struct options *o, const struct jobs *jobs)
{
	char **words;

	for (unsigned int i = 0; i < jobs->n && !o->map && !o->null; i++) {
		if (job_words(jobs->set[i], &words) < 0) {
			fprintf(stderr, "vmfork: argument set %u: a quote without its end, or too "
				"many words: %.64s\n", i + 1, jobs->set[i]);
			return STATUS_FAILED;
		}
		free(words);
	}
	if (jobs->n)
		return 0;
	fprintf(stderr, "vmfork: %s: no argument sets\n", o->args_from);
	return STATUS_FAILED;
}

static int read_sets(const struct options *o, struct jobs *jobs)
{
	FILE *f = NULL;
	int r = 0;

	for (unsigned int i = 0; i < o->nsets && !r; i++)
		r = jobs_add(jobs, o->sets[i]);
	if (o->args_from) {
		f = strcmp(o->args_from, "-") ? fopen(o->args_from, "re") : stdin;
		r = f ? jobs_read(jobs, f, o->null) : -errno;
	}
	if (f && f != stdin)
		fclose(f);
	if (!r)
		return check_sets(o, jobs);
	fprintf(stderr, "vmfork: %s: %s\n", o->args_from ? o->args_from : "--map",
		r == -EINVAL ? "there are NULs in it: -0" : strerror(-r));
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	struct jobs jobs = { 0 };
	struct options o;
	FILE *json = NULL;
	int status, vm, r;

	standard_fds();
	if (options_parse(&o, argc, argv, &status))
		return status;
	if (options_jobs(&o) && read_sets(&o, &jobs))
		return STATUS_FAILED;
	vm = vmfork_open();
	if (vm < 0)
		return failed("/dev/vmfork", vm, VMFORK_CALL_OPEN);
	if (o.show_id)
		return show_id(&o, vm);
	if (o.show_params)
		return params_show(vm);
	status = open_json(&o, &json);
	if (status)
		return status;
	if (o.checkpoint)
		return make_checkpoint(&o, vm, json);
	r = interrupt_init();
	if (r)
		return failed("signals", r, VMFORK_CALL_OTHER);
	return run(&o, &jobs, vm, json);
}
