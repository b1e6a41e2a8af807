// SPDX-License-Identifier: GPL-2.0-or-later
/* Forks that the host asks for; what is prepared for a fork. */
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

static uint8_t buf[RING_PAYLOAD_MAX];

static int host_err;
static unsigned int host_calls;

static void host_done(struct fork *f, int err, void *data)
{
	host_err = err;
	host_calls++;
}

static uint64_t take_call(struct vm *vm, uint32_t flags)
{
	struct vmfork_msg_fork m;
	uint64_t cookie;
	uint32_t len;

	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_FORK);
	memcpy(&m, buf, sizeof(m));
	ck_assert_uint_eq(le32toh(m.flags), flags);
	return m.cookie;
}

START_TEST(host_fork)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = ticket_new(0, 0, vm->family, 2);

	host_calls = 0;
	ticket_standbys(t, &vm->config);
	ck_assert_int_eq(fork_call(vm, t, "", VMFORK_CLONE_DROP_CACHE, host_done, NULL), 0);
	fake_settle();
	guest_want_fork(vm, VMFORK_FORK_HOST, take_call(vm, VMFORK_CLONE_DROP_CACHE), "", 0);
	fake_settle();
	ck_assert_uint_eq(host_calls, 1);
	ck_assert_int_eq(host_err, 0);
	ck_assert_uint_eq(ticket_live(t), 2);
	ck_assert_uint_eq(guest_leave_fork(vm).clones, 2);
	/* clones of the host's live on without their parent */
	fake_die(vm, 9);
	fake_settle();
	ck_assert_uint_eq(ticket_live(t), 2);
}
END_TEST

START_TEST(host_fork_refused)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = ticket_new(0, 0, vm->family, 1);
	struct vmfork_msg_refused m = { .result = htole32((uint32_t)-EOPNOTSUPP) };

	host_calls = 0;
	ck_assert_int_eq(fork_call(vm, t, "", 0, host_done, NULL), 0);
	fake_settle();
	m.cookie = take_call(vm, 0);
	guest_put(vm, VMFORK_G2H_FORK_REFUSED, 0, &m, sizeof(m));
	ck_assert_uint_eq(host_calls, 1);
	ck_assert_int_eq(host_err, -EOPNOTSUPP);
	/* too late */
	guest_want_fork(vm, VMFORK_FORK_HOST, m.cookie, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -ECANCELED);
}
END_TEST

/* What was prepared for a ticket is used by its fork, or given up with the last ticket. */
START_TEST(prepared_for_nothing)
{
	struct vm *vm = fake_root("web");
	struct ticket *a = ticket_new(0, vm->handle, vm->family, 1);
	struct ticket *b = ticket_new(0, vm->handle, vm->family, 1);

	vm_prepare(vm);
	fake_settle();
	ck_assert_uint_eq(fake.unprepared, 0);
	ticket_close(a);
	fake_settle();
	ck_assert_uint_eq(fake.unprepared, 0);
	ticket_close(b);
	fake_settle();
	ck_assert_uint_eq(fake.unprepared, 1);
	fork_into(vm, 1);
	fake_settle();
	ck_assert_uint_eq(fake.unprepared, 1);
}
END_TEST

/* A guest asks for a ticket, and forks while prepare() is under way. Return: the ticket */
static int64_t ask_unprepared(struct vm *vm)
{
	int64_t t;

	fake.hold_prepare = true;
	t = guest_ticket(vm, 1);
	fake_settle();
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	return t;
}

/* A guest that spins is not taken note of before, and can still go back; it is asked again later. */
START_TEST(unprepared)
{
	struct vm *vm = fake_root("web");

	ask_unprepared(vm);
	ck_assert_int_eq(channel_fork_state(&vm->channel), VMFORK_FORK_REQUESTED);
	ck_assert_ptr_null(vm->fork);
	fake_release_prepare(vm, _i);
	fake_settle();
	ck_assert_uint_eq(fake.frozen, 1);
	ck_assert_uint_eq(guest_leave_fork(vm).clones, 1);
}
END_TEST

/* One that runs on is taken note of at once, and frozen when what it waits for has ended, well or not. */
START_TEST(unprepared_runs_on)
{
	struct vm *vm = fake_root("web");
	int64_t t;

	fake_runs_on();
	t = ask_unprepared(vm);
	ck_assert_int_eq(channel_fork_state(&vm->channel), VMFORK_FORK_TAKEN);
	ck_assert_uint_eq(fake.frozen, 0);
	ck_assert_ptr_nonnull(vm->watchdog);
	fake_release_prepare(vm, _i);
	fake_settle();
	ck_assert_uint_eq(fake.frozen, 1);
	ck_assert_uint_eq(guest_leave_fork(vm).clones, 1);
	ck_assert_uint_eq(ticket_live(ticket_find((uint64_t)t)), 1);
	ck_assert_ptr_null(vm->watchdog);
}
END_TEST

/* freeze() refuses then: the machine never stood still, its ticket can be used again. */
START_TEST(unprepared_refused)
{
	struct vm *vm = fake_root("web");
	int64_t t;

	fake_runs_on();
	fake.refuse_freeze = -ENOSPC;
	t = ask_unprepared(vm);
	fake_release_prepare(vm, 0);
	fake_settle();
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -ENOSPC);
	ck_assert_uint_eq(fake.resumes, 0);
	ck_assert_ptr_null(vm->watchdog);
	fake.refuse_freeze = 0;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	ck_assert_uint_eq(guest_leave_fork(vm).clones, 1);
}
END_TEST

/* The control role is another meanwhile: as if it had been frozen then. */
START_TEST(unprepared_restart)
{
	struct vm *vm = fake_root("web");
	uint64_t handle = vm->handle;
	int64_t t;

	fake_runs_on();
	fake.adopted_running = true;
	t = ask_unprepared(vm);
	ck_assert(!fork_pausing());
	state_save_now();
	fake_restart();
	fake_settle();
	vm = vm_find(handle);
	ck_assert_ptr_nonnull(vm);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EIO);
	ck_assert_int_eq(ticket_find((uint64_t)t)->state, TICKET_GRANTED);
	fake.hold_prepare = false;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	ck_assert_uint_eq(guest_leave_fork(vm).clones, 1);
}
END_TEST

/* It ends while it waits. */
START_TEST(unprepared_ends)
{
	struct vm *vm = fake_root("web");

	fake_runs_on();
	ask_unprepared(vm);
	fake_die(vm, 9);
	fake_settle();
	ck_assert_uint_eq(vm_count_clones(), 0);
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++)
		ck_assert_int_eq(f->state, FORK_FREE);
}
END_TEST

START_TEST(host_fork_without_module)
{
	struct vm *vm = fake_root("web");

	vm->channel.j->state = CHANNEL_NONE;
	ck_assert_int_eq(fork_call(vm, NULL, "x", 0, host_done, NULL), -ENOTCONN);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-host-fork");
	TCase *c = tcase_create("host-fork");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, host_fork);
	tcase_add_test(c, host_fork_refused);
	tcase_add_test(c, prepared_for_nothing);
	tcase_add_loop_test(c, unprepared, -1, 1);
	tcase_add_loop_test(c, unprepared_runs_on, -1, 1);
	tcase_add_test(c, unprepared_refused);
	tcase_add_test(c, unprepared_restart);
	tcase_add_test(c, unprepared_ends);
	tcase_add_test(c, host_fork_without_module);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
