// SPDX-License-Identifier: GPL-2.0-or-later
/* Checkpoints: how long they stay. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "fake.h"
#include "guest.h"
#include "state.h"
#include "watchdog.h"

START_TEST(named_checkpoint_outlives)
{
	struct vm *vm = fake_root("web");
	struct checkpoint *cp;
	struct ticket *t;

	guest_want_fork(vm, VMFORK_FORK_CHECKPOINT, 0, "golden", 0);
	fake_settle();
	cp = checkpoint_named("golden");
	ck_assert_ptr_nonnull(cp);
	ck_assert_uint_eq(guest_leave_fork(vm).checkpoint, cp->handle);
	guest_want_fork(vm, VMFORK_FORK_CHECKPOINT, 0, "golden", 0);
	fake_settle();
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EEXIST);
	fake_die(vm, 9);
	fake_settle();
	ck_assert_ptr_eq(checkpoint_named("golden"), cp);
	t = ticket_new(0, 0, cp->family, 2);
	ck_assert_int_eq(fork_create(cp, t, NULL, NULL), 0);
	fake_settle();
	ck_assert_uint_eq(ticket_live(t), 2);
	/* removed: its clones stay, and it stays with them */
	cp->name[0] = '\0';
	core_schedule();
	fake_settle();
	ck_assert_uint_eq(fake.checkpoints_destroyed, 0);
	ticket_kill(t, 0);
	fake_settle();
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(unnamed_checkpoint_goes_with_its_descriptor)
{
	struct vm *vm = fake_root("web");
	struct vmfork_msg_ticket m = { 0 };

	guest_want_fork(vm, VMFORK_FORK_CHECKPOINT, 0, "", 0);
	fake_settle();
	m.checkpoint = guest_leave_fork(vm).checkpoint;
	ck_assert_uint_ne(m.checkpoint, 0);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 0);
	guest_put(vm, VMFORK_G2H_CLOSE_CHECKPOINT, 0, &m, sizeof(m));
	fake_settle();
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(lower_checkpoint_stays)
{
	struct vm *vm = fake_root("web"), *clone;
	struct ticket *t = fork_into(vm, 1);

	guest_leave_fork(vm);
	clone = vm_find(t->slots[0].vm);
	guest_leave_fork(clone);
	guest_want_fork(clone, VMFORK_FORK_CHECKPOINT, 0, "second", 0);
	fake_settle();
	guest_exit(clone, 0);
	fake_settle();
	ck_assert_uint_eq(fake.checkpoints_destroyed, 0);
	checkpoint_named("second")->name[0] = '\0';
	core_schedule();
	fake_settle();
	ck_assert_uint_eq(fake.checkpoints_destroyed, 2);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-checkpoint");
	TCase *c = tcase_create("checkpoint");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, named_checkpoint_outlives);
	tcase_add_test(c, unnamed_checkpoint_goes_with_its_descriptor);
	tcase_add_test(c, lower_checkpoint_stays);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
