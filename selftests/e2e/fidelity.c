// SPDX-License-Identifier: GPL-2.0-or-later
/* fidelity: each clone is the parent as of the fork, and from then on its own. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: fidelity [CLONES] [MiB] [high]
 *
 * A nonce, a ticker's count and a pattern with per-page checksums are only in RAM.
 * After the fork the parent overwrites its pattern; the clones with odd IDs look at
 * theirs only then, so what they page in is fetched from under a parent that has
 * gone on. Then everyone writes a pattern of its own over all of it, and a file;
 * when all have written, each verifies what it wrote and looks for the others'.
 * "high": half of the memory at least must be above 4 GiB, where a PC's RAM is elsewhere
 * in the guest than in the host's file; in the clones as well.
 */
enum { GO = 1, WRITTEN, VERIFY, REPORT };

#define DIR_PATH "/var/tmp/e2e-fidelity"
#define FILE_PAGES 16

struct report {
	uint64_t nonce[4];
	uint8_t random[32];
	struct vmfork_identity identity;
	uint64_t bad_sums;	/* pages that differ from before the fork */
	uint64_t bad_own;	/* pages that differ from what this clone wrote */
	uint64_t foreign;	/* pages that begin as another machine's do */
	int64_t bad_file;
	int64_t marks;		/* files in the directory: the one before and its own */
	uint64_t ticks_at_fork;
	uint64_t ticks_later;
	uint64_t high;		/* pages above 4 GiB */
};

static struct {
	int vm, ticket;
	unsigned int m;
	size_t pages;
	size_t high_min;
	uint64_t *mem, *sums;
	uint64_t nonce[4];
	_Atomic uint64_t ticks;
	uint64_t ticks_before;
	struct vmfork_identity before;
} t;

static void *ticker(void *arg)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (;;) {
		atomic_fetch_add(&t.ticks, 1);
		nanosleep(&pause, NULL);
	}
	return arg;
}

/* The seed of machine @id's own pattern; 0 is the parent after the fork. */
static uint64_t seed_of(unsigned int id)
{
	return mix(t.nonce[0], 1000 + id);
}

static void prepare(void)
{
	pthread_t thread;

	random_bytes(t.nonce, sizeof(t.nonce));
	pattern_fill(t.mem, t.pages, t.nonce[0]);
	for (size_t p = 0; p < t.pages; p++)
		t.sums[p] = page_sum(t.mem + p * PAGE / 8);
	mkdir(DIR_PATH, 0700);
	if (system("rm -f " DIR_PATH "/mark.*") ||
	    file_write(DIR_PATH "/mark.before", FILE_PAGES, t.nonce[1]))
		tap_bail("cannot write to %s", DIR_PATH);
	if (pthread_create(&thread, NULL, ticker, NULL))
		tap_bail("no thread");
}

static uint64_t bad_sums(void)
{
	uint64_t bad = 0;

	for (size_t p = 0; p < t.pages; p++)
		bad += page_sum(t.mem + p * PAGE / 8) != t.sums[p];
	return bad;
}

/* Write everywhere what only machine @id writes. */
static int write_own(unsigned int id)
{
	char path[64];

	pattern_fill(t.mem, t.pages, seed_of(id));
	snprintf(path, sizeof(path), DIR_PATH "/mark.%u", id);
	return file_write(path, FILE_PAGES, seed_of(id));
}

static uint64_t foreign_pages(unsigned int id)
{
	uint64_t n = 0;

	for (size_t p = 0; p < t.pages; p++)
		for (unsigned int other = 0; other <= t.m; other++)
			n += other != id && t.mem[p * PAGE / 8] == pattern_first(seed_of(other), p);
	return n;
}

static void verify_own(unsigned int id, struct report *rep)
{
	char path[64];

	rep->bad_own = pattern_bad(t.mem, t.pages, seed_of(id));
	rep->foreign = foreign_pages(id);
	snprintf(path, sizeof(path), DIR_PATH "/mark.%u", id);
	drop_caches();
	rep->bad_file = file_bad(path, FILE_PAGES, seed_of(id));
	rep->bad_file += file_bad(DIR_PATH "/mark.before", FILE_PAGES, t.nonce[1]);
	rep->marks = dir_marks(DIR_PATH);
}

static void wait_for_tick(uint64_t since)
{
	while (atomic_load(&t.ticks) <= since)
		usleep(1000);
}

static void in_clone(unsigned int id)
{
	struct report rep = { .ticks_at_fork = atomic_load(&t.ticks) };
	int r;

	random_bytes(rep.random, sizeof(rep.random));
	rep.identity = machine_identity(t.vm);
	memcpy(rep.nonce, t.nonce, sizeof(rep.nonce));
	if (id & 1)
		clone_await(t.vm, t.ticket, GO);
	rep.bad_sums = bad_sums();
	rep.high = pages_high(t.mem, t.pages);
	if (!(id & 1))
		clone_await(t.vm, t.ticket, GO);
	r = write_own(id);
	if (r)
		clone_broken(t.vm, "file", r);
	clone_send(t.vm, t.ticket, WRITTEN, "", 1);
	clone_await(t.vm, t.ticket, VERIFY);
	verify_own(id, &rep);
	wait_for_tick(rep.ticks_at_fork);
	rep.ticks_later = atomic_load(&t.ticks);
	clone_send(t.vm, t.ticket, REPORT, &rep, sizeof(rep));
	clone_exit(t.vm, (int)(id * 7 + 3) & 255);
}

/* The identities that clones 1..m have to report. */
static bool identity_right(const struct vmfork_identity *c, unsigned int id)
{
	return c->id == id && c->clones == t.m && c->depth == t.before.depth + 1 &&
	       c->family == t.before.family && c->parent == t.before.vm && c->vm &&
	       c->vm != t.before.vm && c->checkpoint &&
	       c->generation == t.before.generation + 1;
}

static bool all_differ(const struct report *reps, const uint8_t *own)
{
	for (unsigned int i = 0; i < t.m; i++) {
		if (!memcmp(reps[i].random, own, 32))
			return false;
		for (unsigned int j = 0; j < i; j++)
			if (!memcmp(reps[i].random, reps[j].random, 32) ||
			    reps[i].identity.vm == reps[j].identity.vm)
				return false;
	}
	return true;
}

static bool ticks_right(const struct report *r)
{
	return r->ticks_at_fork >= t.ticks_before && r->ticks_later > r->ticks_at_fork;
}

static void judge(const struct report *reps, const uint8_t *own_random)
{
	uint64_t sums = 0, own = 0, foreign = 0, files = 0, marks = 0;
	bool nonce = true, identity = true, ticks = true, high = true;

	for (unsigned int i = 0; i < t.m; i++) {
		const struct report *r = &reps[i];

		nonce &= !memcmp(r->nonce, t.nonce, sizeof(t.nonce));
		identity &= identity_right(&r->identity, i + 1);
		ticks &= ticks_right(r);
		sums += r->bad_sums;
		own += r->bad_own;
		foreign += r->foreign;
		files += r->bad_file != 0;
		marks += r->marks != 2;
		high &= r->high >= t.high_min;
		if (r->bad_sums || r->bad_own || r->foreign || r->bad_file || r->marks != 2)
			tap_diag("clone %u: sums %lu own %lu foreign %lu file %ld marks %ld", i + 1,
				 r->bad_sums, r->bad_own, r->foreign, r->bad_file, r->marks);
	}
	tap_ok(nonce, "the nonce that was only in RAM is in every clone");
	tap_ok(identity, "identities: IDs 1..%u, depth, family, parent, generation", t.m);
	tap_ok(ticks, "the ticker goes on in every clone from where it was");
	tap_ok(!sums, "every page has its checksum from before the fork (%lu wrong)", sums);
	tap_ok(!own, "every clone keeps what it wrote (%lu pages wrong)", own);
	if (t.high_min)
		tap_ok(high, "half of these pages are above 4 GiB, in every clone");
	tap_ok(!foreign, "nothing of another machine is in a clone's memory (%lu pages)", foreign);
	tap_ok(!files && !marks, "each disk has the file from before and the clone's own");
	tap_ok(all_differ(reps, own_random), "first getrandom() of parent and clones all differ");
}

static void in_parent(void)
{
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	struct report reps[CLONES_TEST_MAX], own = { 0 };
	struct vmfork_identity after;
	bool statuses = true;

	random_bytes(own.random, sizeof(own.random));
	after = machine_identity(t.vm);
	if (write_own(0))
		tap_bail("cannot write a file");
	tell(t.ticket, t.m, GO);
	if (!gather(t.ticket, t.m, WRITTEN, NULL, 1))
		return;
	tell(t.ticket, t.m, VERIFY);
	verify_own(0, &own);
	if (!gather(t.ticket, t.m, REPORT, reps, sizeof(reps[0])))
		return;
	judge(reps, own.random);
	tap_ok(!own.bad_own && !own.foreign && !own.bad_file && own.marks == 2,
	       "the parent keeps what it wrote, and has nothing of its clones");
	tap_ok(after.id == t.before.id && after.vm == t.before.vm &&
	       after.parent == t.before.parent &&
	       after.generation == t.before.generation + 1, "the parent is still itself");
	if (!gather_exits(t.ticket, t.m, exits))
		return;
	for (unsigned int i = 0; i < t.m; i++)
		statuses &= ended(&exits[i], (int)((i + 1) * 7 + 3) & 255);
	tap_ok(statuses, "every clone's exit status came back");
}

int test_fidelity(int argc, char **argv)
{
	int id;

	t.m = argc > 1 ? (unsigned int)atoi(argv[1]) : 2;
	t.pages = (argc > 2 ? (size_t)atoi(argv[2]) : 64) * 256;
	if (t.m < 1 || t.m > CLONES_TEST_MAX)
		tap_bail("1..%d clones", CLONES_TEST_MAX);
	if (argc > 3 && !strcmp(argv[3], "high"))
		t.high_min = t.pages / 2;
	t.mem = pages_new(t.pages);
	t.sums = pages_new((t.pages * 8 + PAGE - 1) / PAGE);
	t.vm = machine_open();
	prepare();
	if (t.high_min)
		tap_ok(pages_high(t.mem, t.pages) >= t.high_min,
		       "half of the memory at least is above 4 GiB");
	t.ticket = machine_ticket(t.vm, t.m);
	t.before = machine_identity(t.vm);
	wait_for_tick(0);
	t.ticks_before = atomic_load(&t.ticks);
	id = machine_clone(t.ticket);
	if (id > 0)
		in_clone((unsigned int)id);
	in_parent();
	return tap_done();
}
