// SPDX-License-Identifier: GPL-2.0-or-later
/* generations: clones that fork. */
#include <string.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: generations
 *
 * Two forks deep, two clones each: six clones. Every generation writes a quarter of
 * the pages before it forks, so a grandchild's memory has pages of the root, of its
 * parent, and of pages that nobody touched in between.
 */
enum { REPORT = 1 };

#define PAGES 4096
#define DEPTH 2
#define FANOUT 2

struct line {		/* what each clone on the way down expects of itself */
	struct vmfork_identity identity[DEPTH + 1];
};

struct report {
	struct line line;
	uint64_t bad_pages;
	uint64_t bad_line;	/* identities that do not fit */
	uint64_t below;		/* reports of its own clones that were right */
};

static uint64_t seed_at(unsigned int depth, uint32_t id)
{
	return mix(0x6e6e, depth * 100 + id);
}

static uint64_t bad_pages(const uint64_t *mem, const struct line *line, unsigned int depth)
{
	uint64_t bad = 0;

	for (unsigned int part = 0; part < 4; part++) {
		unsigned int writer = part <= depth ? part : 0;

		bad += pattern_bad_some(mem, PAGES, seed_at(writer, writer ?
				line->identity[writer].id : 0), 4, part);
	}
	return bad;
}

static uint64_t bad_line(const struct line *line, unsigned int depth)
{
	uint64_t bad = 0;

	for (unsigned int d = 1; d <= depth; d++) {
		const struct vmfork_identity *up = &line->identity[d - 1];
		const struct vmfork_identity *me = &line->identity[d];

		bad += me->family != up->family;
		bad += me->parent != up->vm;
		bad += me->depth != up->depth + 1;
		bad += me->generation != up->generation + 1;
		bad += me->id < 1 || me->id > FANOUT || me->clones != FANOUT;
		bad += me->vm == up->vm;
	}
	return bad;
}

static uint64_t descend(int vm, uint64_t *mem, struct line *line, unsigned int depth);

static void in_clone(int vm, int link, uint64_t *mem, struct line *line, unsigned int depth)
{
	struct report rep = { 0 };
	uint32_t id;

	line->identity[depth] = machine_identity(vm);
	id = line->identity[depth].id;
	/* its own quarter first: the rest is then paged in under a mixed memory */
	pattern_fill_some(mem, PAGES, seed_at(depth, id), 4, depth);
	rep.below = depth < DEPTH ? descend(vm, mem, line, depth) : 0;
	rep.line = *line;
	rep.bad_line = bad_line(line, depth);
	rep.bad_pages = bad_pages(mem, line, depth);
	clone_send(vm, link, REPORT, &rep, sizeof(rep));
	clone_exit(vm, (int)depth);
}

/* Fork at @depth and gather. Return: how many clones below were right. */
static uint64_t descend(int vm, uint64_t *mem, struct line *line, unsigned int depth)
{
	struct vmfork_exit_info exits[FANOUT];
	struct report reps[FANOUT];
	int ticket = machine_ticket(vm, FANOUT);
	uint64_t right = 0;

	if (machine_clone(ticket))
		in_clone(vm, ticket, mem, line, depth + 1);
	if (!gather(ticket, FANOUT, REPORT, reps, sizeof(reps[0])) ||
	    !gather_exits(ticket, FANOUT, exits))
		return 0;
	for (unsigned int i = 0; i < FANOUT; i++) {
		const struct report *r = &reps[i];

		if (r->bad_line || r->bad_pages)
			tap_diag("depth %u ID %u: %lu identity fields, %lu pages wrong", depth + 1,
				 i + 1, r->bad_line, r->bad_pages);
		else if (ended(&exits[i], (int)depth + 1))
			right += 1 + r->below;
	}
	vmfork_close(ticket);
	return right;
}

int test_generations(int argc, char **argv)
{
	uint64_t *mem = pages_new(PAGES), right;
	int vm = machine_open();
	struct line line = { 0 };

	pattern_fill(mem, PAGES, seed_at(0, 0));
	line.identity[0] = machine_identity(vm);
	right = descend(vm, mem, &line, 0);
	tap_ok(right == FANOUT + FANOUT * FANOUT,
	       "two generations: memory, identity and status right in %lu of %d clones", right,
	       FANOUT + FANOUT * FANOUT);
	tap_ok(!pattern_bad(mem, PAGES, seed_at(0, 0)), "the root's memory is as it was");
	return tap_done();
}
