// SPDX-License-Identifier: GPL-2.0-or-later
/* The work in shares: alone, or one per clone. */
#include "share.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <vmfork.h>

#include "print.h"

#define CLONES_MAX 1024

int share_compute(const struct graph *g, const struct share *share, struct result *r)
{
	struct walker w;
	struct closure c;
	uint64_t p = (uint64_t)share->index * share->every;
	int err = walker_init(&w, g);

	if (err)
		return err;
	for (; p < g->packages; p += (uint64_t)share->count * share->every) {
		c = walker_closure(&w, (uint32_t)p);
		result_add(r, &c);
	}
	walker_free(&w);
	return 0;
}

/* struct collection - what the parent has of its clones so far. */
struct collection {
	const struct graph *g;
	struct result *total;
	unsigned int clones;
	unsigned int results;
	unsigned int bad;
	bool got[CLONES_MAX + 1];
};

static int take_result(struct collection *c, const struct vmfork_record *rec, const void *payload)
{
	struct result part;

	if (rec->id < 1 || rec->id > c->clones || c->got[rec->id] ||
	    result_parse(payload, rec->len, c->g->packages, &part) < 0) {
		fprintf(stderr, "debgraph: a result that makes no sense, from clone %u\n", rec->id);
		return -EBADMSG;
	}
	c->got[rec->id] = true;
	c->results++;
	result_merge(c->total, &part);
	print_step("clone %u: %llu packages answered in %u.%03u s", rec->id,
		   (unsigned long long)part.answers, rec->tag / 1000, rec->tag % 1000);
	return 0;
}

static int take_record(const struct vmfork_record *rec, const void *payload, void *data)
{
	const struct vmfork_exit_info *info = payload;
	struct collection *c = data;

	if (rec->type == VMFORK_RECORD_DATA)
		return take_result(c, rec, payload);
	if (info->reason != VMFORK_EXITED || info->status != 0) {
		fprintf(stderr, "debgraph: clone %u %s, status %d\n", info->id,
			info->reason == VMFORK_EXITED ? "failed" :
			info->reason == VMFORK_KILLED ? "was killed" : "was lost", info->status);
		c->bad++;
	}
	return 0;
}

static int collect(int ticket, struct collection *c)
{
	int err = vmfork_collect(ticket, take_record, c);

	if (err < 0)
		return err;
	if (c->bad || c->results != c->clones) {
		fprintf(stderr, "debgraph: %u results of %u clones\n", c->results, c->clones);
		return -EIO;
	}
	return 0;
}

static unsigned int ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)((now.tv_sec - start->tv_sec) * 1000 +
			      (now.tv_nsec - start->tv_nsec) / 1000000);
}

/* The life of a clone. */
static _Noreturn void be_clone(const struct graph *g, int vm, int link, const struct share *share)
{
	struct timespec start;
	struct result part;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &start);
	result_init(&part);
	err = share_compute(g, share, &part);
	if (!err)
		err = vmfork_send(link, 0, ms_since(&start), &part, sizeof(part));
	vmfork_exit(vm, err ? 1 : 0);
	_exit(1);
}

static int complain(int err, enum vmfork_call call)
{
	fprintf(stderr, "debgraph: %s\n", vmfork_strerror(err, call));
	return err;
}

/* Return: 0 in the parent with @ret_ticket; a clone does not come back. */
static int fork_machine(const struct graph *g, int vm, unsigned int wanted, unsigned int every,
			int *ret_ticket, unsigned int *ret_clones)
{
	struct share share = { .every = every };
	unsigned int clones;
	struct timespec start;
	int ticket, id;

	ticket = vmfork_request_ticket(vm, wanted, 0, &clones);
	if (ticket < 0)
		return complain(ticket, VMFORK_CALL_TICKET);
	print_step("a ticket for %u clones; forking", clones);
	clock_gettime(CLOCK_MONOTONIC, &start);
	id = vmfork_clone(ticket, 0);
	if (id < 0) {
		vmfork_close(ticket);
		return complain(id, VMFORK_CALL_CLONE);
	}
	if (id > 0) {
		share.index = (unsigned int)id - 1;
		share.count = clones;
		be_clone(g, vm, ticket, &share);
	}
	print_step("forked; the call took %u ms of this machine's time", ms_since(&start));
	*ret_ticket = ticket;
	*ret_clones = clones;
	return 0;
}

int share_among_clones(const struct graph *g, unsigned int clones, unsigned int every,
		       struct result *total)
{
	struct collection c = { .g = g, .total = total };
	int vm = vmfork_open(), ticket, err;

	if (vm < 0)
		return complain(vm, VMFORK_CALL_OPEN);
	err = fork_machine(g, vm, clones, every, &ticket, &c.clones);
	if (!err) {
		err = collect(ticket, &c);
		vmfork_close(ticket);
	}
	vmfork_close(vm);
	return err;
}
