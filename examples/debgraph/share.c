// SPDX-License-Identifier: GPL-2.0-or-later
/* The work in shares: alone, or one per clone. */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
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
	const struct plan *plan;
	struct result *total;
	int ticket;
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

static void wait_for_byte(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;

	if (fd < 0 || read(fd, &c, 1) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

/* All answers are in: the clones that wait may end. */
static void release(struct collection *c)
{
	unsigned int id;

	print_step("all answers are in; holding the clones until %s says go", c->plan->hold);
	wait_for_byte(c->plan->hold);
	for (id = 1; id <= c->clones; id++)
		if (c->got[id])
			vmfork_send(c->ticket, id, 0, "", 1);
}

static int take_exit(struct collection *c, const struct vmfork_exit_info *info)
{
	if (info->reason == VMFORK_EXITED && info->status == 0)
		return 0;
	fprintf(stderr, "debgraph: clone %u %s, status %d\n", info->id,
		info->reason == VMFORK_EXITED ? "failed" :
		info->reason == VMFORK_KILLED ? "was killed" : "was lost", info->status);
	c->bad++;
	return 0;
}

static int take_record(const struct vmfork_record *rec, const void *payload, void *data)
{
	struct collection *c = data;
	bool data_record = rec->type == VMFORK_RECORD_DATA;
	int err = data_record ? take_result(c, rec, payload) : take_exit(c, payload);

	if (!err && data_record && c->plan->hold && c->results + c->bad == c->clones)
		release(c);
	return err;
}

static int collect(struct collection *c)
{
	int err = vmfork_collect(c->ticket, take_record, c);

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
static _Noreturn void be_clone(const struct graph *g, int vm, int link, const struct share *share,
			       bool held)
{
	char go[VMFORK_MSG_MAX];
	struct vmfork_record rec;
	struct timespec start;
	struct result part;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &start);
	result_init(&part);
	err = share_compute(g, share, &part);
	if (!err)
		err = vmfork_send(link, 0, ms_since(&start), &part, sizeof(part));
	if (!err && held)
		err = vmfork_recv(link, &rec, go, sizeof(go)) < 0;
	vmfork_exit(vm, err ? 1 : 0);
	_exit(1);
}

static int complain(int err, enum vmfork_call call)
{
	fprintf(stderr, "debgraph: %s\n", vmfork_strerror(err, call));
	return err;
}

/* Return: 0 in the parent, with c->ticket and c->clones; a clone does not come back. */
static int fork_machine(int vm, struct collection *c)
{
	struct share share = { .every = c->plan->every };
	struct timespec start;
	int ticket, id;

	ticket = vmfork_request_ticket(vm, c->plan->clones, 0, &c->clones);
	if (ticket < 0)
		return complain(ticket, VMFORK_CALL_TICKET);
	print_step("a ticket for %u clones; forking", c->clones);
	clock_gettime(CLOCK_MONOTONIC, &start);
	id = vmfork_clone(ticket, 0);
	if (id < 0) {
		vmfork_close(ticket);
		return complain(id, VMFORK_CALL_CLONE);
	}
	if (id > 0) {
		share.index = (unsigned int)id - 1;
		share.count = c->clones;
		be_clone(c->g, vm, ticket, &share, c->plan->hold);
	}
	print_step("forked; the call took %u ms of this machine's time", ms_since(&start));
	c->ticket = ticket;
	return 0;
}

int share_among_clones(const struct graph *g, const struct plan *plan, struct result *total)
{
	struct collection c = { .g = g, .plan = plan, .total = total };
	int vm = vmfork_open(), err;

	if (vm < 0)
		return complain(vm, VMFORK_CALL_OPEN);
	err = fork_machine(vm, &c);
	if (!err) {
		err = collect(&c);
		vmfork_close(c.ticket);
	}
	vmfork_close(vm);
	return err;
}
