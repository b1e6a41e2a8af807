// SPDX-License-Identifier: GPL-2.0-or-later
/* checkpoint: an instant that is kept, and cloned after the machine went on or ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: checkpoint live | keep NAME | clone NAME [CLONES] | errors
 *
 * live: an unnamed checkpoint, the machine goes on, two tickets make clones of it.
 * keep: a named one, and the machine goes on; whoever clones it later gets clones
 * that verify themselves and exit with 40 + ID. clone: makes such clones.
 */
enum { REPORT = 1 };

#define PAGES 4096
#define FILE_PAGES 64
#define FILE_PATH "/var/tmp/e2e-checkpoint"

struct report {
	uint64_t bad_pages;
	int64_t bad_file;
	uint64_t realtime;
	struct vmfork_identity identity;
};

static const uint64_t before = 0xbef0, after = 0xaf7e;

static void in_clone(int vm, int link, const uint64_t *mem)
{
	struct report rep = { .realtime = realtime_ns() };

	rep.identity = machine_identity(vm);
	rep.bad_pages = pattern_bad(mem, PAGES, before);
	drop_caches();
	rep.bad_file = file_bad(FILE_PATH, FILE_PAGES, before);
	/* made by the host, it has nobody to tell: the status must do */
	vmfork_send(link, 0, REPORT, &rep, sizeof(rep));
	clone_exit(vm, rep.bad_pages || rep.bad_file ? CLONE_BROKEN : 40 + (int)rep.identity.id);
}

/* Fill, checkpoint, go on. Return: the checkpoint. */
static int make(int vm, const char *name)
{
	uint64_t *mem = pages_new(PAGES);
	int fd = -1, id;

	pattern_fill(mem, PAGES, before);
	if (file_write(FILE_PATH, FILE_PAGES, before))
		tap_bail("cannot write " FILE_PATH);
	id = vmfork_checkpoint(vm, name, 0, &fd);
	if (id > 0)
		in_clone(vm, fd, mem);
	if (id < 0)
		tap_bail("checkpoint: %s", vmfork_strerror(id, VMFORK_CALL_CHECKPOINT));
	pattern_fill(mem, PAGES, after);
	if (file_write(FILE_PATH, FILE_PAGES, after))
		tap_bail("cannot write " FILE_PATH);
	tap_ok(!pattern_bad(mem, PAGES, after), "the machine goes on after its checkpoint");
	return fd;
}

static bool identity_right(const struct vmfork_identity *c, unsigned int id, unsigned int m,
			   const struct vmfork_identity *parent)
{
	if (c->id == id && c->clones == m && c->parent && c->checkpoint && c->depth >= 1 &&
	    c->family == parent->family && c->vm != parent->vm)
		return true;
	tap_diag("id %u clones %u parent %llu family %llu depth %u checkpoint %llu vm %llu", c->id,
		 c->clones, c->parent, c->family, c->depth, c->checkpoint, c->vm);
	return false;
}

/* One ticket's clones of checkpoint @cp. */
static void create(int vm, int cp, unsigned int m)
{
	struct vmfork_identity self = machine_identity(vm);
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	struct report reps[CLONES_TEST_MAX];
	int ticket = machine_ticket(vm, m);
	uint64_t asked = realtime_ns();
	int r = vmfork_create_clones(ticket, cp);

	if (!tap_ok(!r, "CREATE_CLONES: %s", r ? vmfork_strerror(r, VMFORK_CALL_CLONE) : "done") ||
	    !gather(ticket, m, REPORT, reps, sizeof(reps[0])) ||
	    !gather_exits(ticket, m, exits)) {
		vmfork_close(ticket);
		return;
	}
	for (unsigned int i = 0; i < m; i++) {
		const struct report *rep = &reps[i];

		tap_ok(!rep->bad_pages && !rep->bad_file && ended(&exits[i], 41 + (int)i),
		       "clone %u is of the checkpoint's instant (%lu pages of memory, %ld of its "
		       "file wrong)", i + 1, rep->bad_pages, rep->bad_file);
		tap_ok(identity_right(&rep->identity, i + 1, m, &self), "its identity is right");
		/* the parent's own clock was set by hand: whole seconds */
		tap_ok(rep->realtime + 2000000000ULL > asked, "its clock is not the checkpoint's");
	}
	tap_ok(machine_identity(vm).generation == self.generation, "the caller was not forked");
	vmfork_close(ticket);
}

static void test_live(int vm)
{
	int cp = make(vm, NULL);

	sleep(3);
	create(vm, cp, 2);
	create(vm, cp, 1);
	vmfork_close(cp);
}

static void test_keep(int vm, const char *name)
{
	int cp = make(vm, name);

	tap_ok(cp >= 0, "checkpoint %s", name);
	vmfork_close(cp);
}

static void test_clone(int vm, const char *name, unsigned int m)
{
	int cp = vmfork_open_checkpoint(vm, name);

	if (!tap_ok(cp >= 0, "OPEN_CHECKPOINT %s: %s", name,
		    cp < 0 ? vmfork_strerror(cp, VMFORK_CALL_CHECKPOINT) : "found"))
		return;
	create(vm, cp, m);
	vmfork_close(cp);
}

static void test_errors(int vm)
{
	int fd = -1, cp = make(vm, "e2e-taken"), ticket = machine_ticket(vm, 1);
	int r = vmfork_checkpoint(vm, "e2e-taken", 0, &fd);

	tap_ok(r == -EEXIST, "a name that is taken: %s", strerror(-r));
	tap_ok(vmfork_open_checkpoint(vm, "e2e-nobody") == -ENOENT, "no such name: ENOENT");
	tap_ok(vmfork_checkpoint(vm, "-x", 0, &fd) == -EINVAL, "a bad name: EINVAL");
	tap_ok(vmfork_create_clones(ticket, 0) == -EBADF || vmfork_create_clones(ticket, 0) == -EINVAL,
	       "CREATE_CLONES of what is no checkpoint: EBADF");
	vmfork_close(ticket);
	vmfork_close(cp);
}

int test_checkpoint(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "live";
	int vm = machine_open();

	if (!strcmp(what, "live"))
		test_live(vm);
	else if (!strcmp(what, "keep") && argc > 2)
		test_keep(vm, argv[2]);
	else if (!strcmp(what, "clone") && argc > 2)
		test_clone(vm, argv[2], argc > 3 ? (unsigned int)atoi(argv[3]) : 2);
	else if (!strcmp(what, "errors"))
		test_errors(vm);
	else
		tap_bail("what of %s?", what);
	return tap_done();
}
