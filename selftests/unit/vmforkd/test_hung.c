// SPDX-License-Identifier: GPL-2.0-or-later
/* A hypervisor that does not answer; restarts of the control role. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "../run.h"
#include "fake.h"
#include "guest.h"
#include "state.h"
#include "watchdog.h"

/* @vm's guest forks into one clone; what has been held (fake.h) does not end. Return: the ticket */
static uint64_t fork_of(struct vm *vm)
{
	int64_t t = guest_ticket(vm, 1);

	ck_assert_int_gt(t, 0);
	fake_settle();
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	return (uint64_t)t;
}

START_TEST(hung_freeze)
{
	struct vm *vm = fake_root("web");
	uint64_t handle = vm->handle, t;

	watchdog_usec = 1;
	fake.hold_freeze = true;
	t = fork_of(vm);
	ck_assert_ptr_nonnull(vm->fork);
	fake_wait_end(handle);
	ck_assert_ptr_null(ticket_find(t));
	ck_assert_uint_eq(vm_count_clones(), 0);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(slow_freeze)
{
	struct vm *vm = fake_root("web");
	uint64_t before, after;

	fake.hold_freeze = true;
	fork_of(vm);
	fake_settle();
	ck_assert_int_ge(sd_event_source_get_time(vm->watchdog, &before), 0);
	usleep(1000);
	core_event(vm, VM_EV_PROGRESS, 0, 0);
	ck_assert_int_ge(sd_event_source_get_time(vm->watchdog, &after), 0);
	ck_assert_uint_gt(after, before);
	fake_release_freeze();
	fake_settle();
	ck_assert_ptr_null(vm->watchdog);
	core_event(vm, VM_EV_PROGRESS, 0, 0);	/* late: no limit again */
	ck_assert_ptr_null(vm->watchdog);
}
END_TEST

/* Two clones, one after the other: the second has its time anew when the first gets on. */
START_TEST(slow_load)
{
	struct vm *vm = fake_root("web");
	uint64_t at[4];
	struct ticket *t;
	struct fork *f;

	fake.hold_starts = true;
	t = ticket_find((uint64_t)guest_ticket(vm, 2));
	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	fake_settle();
	f = t->fork;
	ck_assert_int_eq(f->state, FORK_LOADING);
	ck_assert_int_ge(sd_event_source_get_time(f->timer, &at[0]), 0);
	usleep(1000);
	core_event(vm, VM_EV_PROGRESS, 0, 0);	/* the parent's is another matter */
	ck_assert_int_ge(sd_event_source_get_time(f->timer, &at[1]), 0);
	core_event(vm_find(t->slots[1].vm), VM_EV_PROGRESS, 0, 0);
	ck_assert_int_ge(sd_event_source_get_time(f->timer, &at[2]), 0);
	usleep(1000);
	core_event(vm_find(t->slots[0].vm), VM_EV_STARTED, 0, 0);
	fake_settle();
	ck_assert_int_eq(f->state, FORK_LOADING);
	ck_assert_int_ge(sd_event_source_get_time(f->timer, &at[3]), 0);
	ck_assert_uint_eq(at[1], at[0]);
	ck_assert_uint_gt(at[2], at[0]);
	ck_assert_uint_gt(at[3], at[2]);
}
END_TEST

START_TEST(hung_resume)
{
	struct vm *vm = fake_root("web");
	uint64_t handle = vm->handle;

	watchdog_usec = 1;
	fake.hold_resume = true;
	fork_of(vm);
	fake_wait_end(handle);
	ck_assert_int_eq(vm->reason, VMFORK_LOST);
	ck_assert_int_eq(vm->status, ETIMEDOUT);
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++)
		ck_assert_int_eq(f->state, FORK_FREE);
}
END_TEST

/* The parent goes on, its clone does not, and is reported. */
START_TEST(hung_resume_of_a_clone)
{
	struct vm *vm = fake_root("web");
	struct vmfork_msg_exited e;
	uint64_t clone;
	int64_t t;

	fake.hold_starts = true;
	t = guest_ticket(vm, 1);
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	ck_assert_int_eq(vm->state, VM_RUNNING);
	guest_leave_fork(vm);
	watchdog_usec = 1;
	fake.hold_resume = true;
	clone = ticket_find((uint64_t)t)->slots[0].vm;
	fake_release_starts();
	fake_wait_end(clone);
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_LOST);
	ck_assert_uint_eq(e.status, ETIMEDOUT);
	ck_assert_int_eq(vm->state, VM_RUNNING);
}
END_TEST

START_TEST(restart)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 2);
	uint64_t parent = vm->handle, clone = t->slots[1].vm, ticket = t->handle;

	guest_leave_fork(vm);
	fake_settle();
	fake.adopted_running = true;
	fake_restart();
	fake_settle();
	vm = vm_find(parent);
	ck_assert_ptr_nonnull(vm);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_int_eq(vm_find(clone)->state, VM_RUNNING);
	ck_assert_uint_eq(ticket_live(ticket_find(ticket)), 2);
	ck_assert(nothing_for(vm));
	guest_exit(vm_find(clone), 4);
	fake_settle();
	ck_assert_uint_eq(next_exit(vm).status, 4);
}
END_TEST

/* Killed while the parent was being frozen: it is told, and goes on. */
START_TEST(restart_while_freezing)
{
	struct vm *vm = fake_root("web");
	int64_t t = guest_ticket(vm, 1);
	uint64_t parent = vm->handle;

	fake_settle();
	fake.hold_freeze = true;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	fake_restart();
	fake_settle();
	vm = vm_find(parent);
	ck_assert_ptr_nonnull(vm);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EIO);
	ck_assert_int_eq(ticket_find((uint64_t)t)->state, TICKET_GRANTED);
}
END_TEST

START_TEST(hung_adopt)
{
	struct vm *vm = fake_root("web");
	uint64_t handle = vm->handle;

	fake_settle();
	watchdog_usec = 1;
	fake.hold_adopt = true;
	fake_restart();
	ck_assert_ptr_nonnull(vm_find(handle));
	fake_wait_end(handle);
	ck_assert_int_eq(vms[0].reason, VMFORK_LOST);
	ck_assert_int_eq(vms[0].status, ETIMEDOUT);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-hung");
	TCase *c = tcase_create("hung");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, hung_freeze);
	tcase_add_test(c, slow_freeze);
	tcase_add_test(c, slow_load);
	tcase_add_test(c, hung_resume);
	tcase_add_test(c, hung_resume_of_a_clone);
	tcase_add_test(c, restart);
	tcase_add_test(c, restart_while_freezing);
	tcase_add_test(c, hung_adopt);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
