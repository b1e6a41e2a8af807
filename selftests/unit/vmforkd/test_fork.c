// SPDX-License-Identifier: GPL-2.0-or-later
/* Tickets, forks, checkpoints, messages: the core driven from both sides. */
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

static struct vmfork_msg_exited next_exit(struct vm *vm)
{
	struct vmfork_msg_exited m = { 0 };
	uint64_t cookie;
	uint32_t len;

	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_EXITED);
	memcpy(&m, buf, sizeof(m));
	return m;
}

static bool nothing_for(struct vm *vm)
{
	uint64_t cookie;
	uint32_t len;

	return guest_take(vm, &cookie, buf, &len) == 0;
}

static void guest_exit(struct vm *vm, int status)
{
	struct vmfork_msg_exit m = { .status = htole32((uint32_t)status) };

	guest_put(vm, VMFORK_G2H_EXIT, 0, &m, sizeof(m));
}

static void guest_data(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t len)
{
	struct vmfork_msg_data m = { htole64(ticket), htole32(id), htole32(7) };

	memcpy(buf, &m, sizeof(m));
	memset(buf + sizeof(m), 'x', len);
	guest_put(vm, VMFORK_G2H_DATA, 0, buf, (uint32_t)sizeof(m) + len);
}

static void guest_credit(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t bytes)
{
	struct vmfork_msg_credit m = { htole64(ticket), htole32(id), htole32(bytes) };

	guest_put(vm, VMFORK_G2H_CREDIT, 0, &m, sizeof(m));
}

static void guest_close_ticket(struct vm *vm, uint64_t ticket)
{
	struct vmfork_msg_ticket m = { .ticket = htole64(ticket) };

	guest_put(vm, VMFORK_G2H_CLOSE_TICKET, 0, &m, sizeof(m));
}

static struct ticket *fork_into(struct vm *vm, uint32_t n)
{
	int64_t t = guest_ticket(vm, n);

	ck_assert_int_gt(t, 0);
	fake_settle();
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	return ticket_find((uint64_t)t);
}

START_TEST(ticket_fork)
{
	struct vm *vm = fake_root("web"), *clone;
	struct ticket *t = fork_into(vm, 3);
	struct vmfork_fork f = guest_leave_fork(vm);

	ck_assert_uint_eq(f.state, VMFORK_FORK_RELEASED);
	ck_assert_int_eq((int32_t)f.result, 0);
	ck_assert_uint_eq(f.id, 0);
	ck_assert_uint_eq(f.clones, 3);
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 3);
	/* the parent was answered and ran before any clone was loaded */
	ck_assert_uint_eq(fake.parent_block_at_first_load, VMFORK_FORK_RELEASED);
	ck_assert(fake.parent_ran_at_first_load);
	for (uint32_t id = 1; id <= 3; id++) {
		struct vmfork_fork c;

		clone = vm_find(t->slots[id - 1].vm);
		c = channel_head(&clone->channel)->fork;
		ck_assert_uint_eq(c.state, VMFORK_FORK_RELEASED);
		ck_assert_uint_eq(c.id, id);
		ck_assert_uint_eq(c.clones, 3);
		ck_assert_uint_eq(c.depth, 1);
		ck_assert_uint_eq(c.parent, vm->handle);
		ck_assert_uint_eq(c.vm, clone->handle);
		ck_assert_uint_eq(c.family, vm->family);
		ck_assert(memcmp(c.seed, f.seed, sizeof(c.seed)) != 0);
		ck_assert_uint_ne(c.realtime_ns, 0);
		ck_assert_int_eq(clone->state, VM_RUNNING);
	}
	ck_assert_str_eq(clone->name, "web.1.3");
	ck_assert(nothing_for(vm));
}
END_TEST

START_TEST(exits_come_after_data)
{
	struct vm *vm = fake_root("web"), *clone;
	struct ticket *t = fork_into(vm, 1);
	struct vmfork_msg_exited e;
	uint64_t cookie;
	uint32_t len;

	guest_leave_fork(vm);
	clone = vm_find(t->slots[0].vm);
	guest_leave_fork(clone);
	guest_data(clone, 0, 0, 100);
	guest_exit(clone, 5);
	fake_settle();
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_DATA);
	ck_assert_uint_eq(len, sizeof(struct vmfork_msg_data) + 100);
	ck_assert_uint_eq(((struct vmfork_msg_data *)buf)->ticket, t->handle);
	ck_assert_uint_eq(((struct vmfork_msg_data *)buf)->id, 1);
	e = next_exit(vm);
	ck_assert_uint_eq(e.id, 1);
	ck_assert_uint_eq(e.reason, VMFORK_EXITED);
	ck_assert_uint_eq(e.status, 5);
	ck_assert(nothing_for(vm));
	/* the last clone is gone, and with it the checkpoint */
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(freeze_fails)
{
	struct vm *vm = fake_root("web");
	struct vmfork_fork f;
	struct ticket *t;

	fake.freeze_err = -EIO;
	t = fork_into(vm, 2);
	f = guest_leave_fork(vm);
	ck_assert_uint_eq(f.state, VMFORK_FORK_RELEASED);
	ck_assert_int_eq((int32_t)f.result, -EIO);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_int_eq(t->state, TICKET_GRANTED);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
	ck_assert(nothing_for(vm));
	/* the same ticket serves for another try */
	fake.freeze_err = 0;
	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	fake_settle();
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 2);
}
END_TEST

START_TEST(one_load_fails)
{
	struct vm *vm = fake_root("web");
	struct vmfork_msg_exited e;
	struct ticket *t;

	fake.load_err = -ENOMEM;
	fake.load_err_id = 2;
	t = fork_into(vm, 3);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, 0);
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 2);
	e = next_exit(vm);
	ck_assert_uint_eq(e.id, 2);
	ck_assert_uint_eq(e.reason, VMFORK_LOST);
	ck_assert_uint_eq(e.status, ENOMEM);
	ck_assert(nothing_for(vm));
}
END_TEST

START_TEST(no_standby_starts)
{
	struct vm *vm = fake_root("web");
	struct ticket *t;

	fake.start_err = -EMFILE;
	t = fork_into(vm, 2);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, 0);
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(next_exit(vm).status, EMFILE);
	ck_assert_uint_eq(next_exit(vm).status, EMFILE);
	ck_assert(nothing_for(vm));
}
END_TEST

START_TEST(late_standbys)
{
	struct vm *vm = fake_root("web");
	int64_t h;
	struct ticket *t;

	fake.hold_starts = true;
	h = guest_ticket(vm, 2);
	t = ticket_find((uint64_t)h);
	fake_settle();
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	fake_settle();
	/* the parent does not wait for them */
	ck_assert_uint_eq(guest_leave_fork(vm).state, VMFORK_FORK_RELEASED);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_int_eq(t->state, TICKET_FORKING);
	fake_release_starts();
	fake_settle();
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 2);
}
END_TEST

START_TEST(standby_dies_before_fork)
{
	struct vm *vm = fake_root("web");
	int64_t h = guest_ticket(vm, 2);
	struct ticket *t = ticket_find((uint64_t)h);

	fake_settle();
	fake_die(vm_find(t->slots[1].vm), 9);
	fake_settle();
	ck_assert(nothing_for(vm));
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	fake_settle();
	ck_assert_uint_eq(ticket_live(t), 2);
}
END_TEST

START_TEST(used_ticket_is_busy)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 1);

	guest_leave_fork(vm);
	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EBUSY);
	guest_want_fork(vm, VMFORK_FORK_TICKET, 424242, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -ENOENT);
	guest_want_fork(vm, 99, t->handle, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EINVAL);
	ck_assert_uint_eq(fake.frozen, 1);
}
END_TEST

START_TEST(foreign_ticket)
{
	struct vm *a = fake_root("a"), *b = fake_root("b");
	int64_t h = guest_ticket(a, 1);

	fake_settle();
	guest_want_fork(b, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(b).result, -ENOENT);
	guest_close_ticket(b, (uint64_t)h);
	fake_settle();
	ck_assert_ptr_nonnull(ticket_find((uint64_t)h));
}
END_TEST

START_TEST(close_kills)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 2);
	uint64_t h = t->handle;

	guest_leave_fork(vm);
	guest_close_ticket(vm, h);
	fake_settle();
	ck_assert_ptr_null(ticket_find(h));
	ck_assert_uint_eq(vm_count_clones(), 0);
	ck_assert(nothing_for(vm));
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(kill_is_answered_when_done)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 2);
	struct vmfork_msg_ticket m = { .ticket = htole64(t->handle) };
	uint64_t cookie;
	uint32_t len;

	guest_leave_fork(vm);
	m.id = htole32(9);
	guest_put(vm, VMFORK_G2H_KILL, 5, &m, sizeof(m));
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_REPLY);
	ck_assert_int_eq((int32_t)((struct vmfork_msg_reply *)buf)->result, -ECHILD);
	m.id = 0;
	guest_put(vm, VMFORK_G2H_KILL, 6, &m, sizeof(m));
	ck_assert(nothing_for(vm));
	fake_settle();
	ck_assert_uint_eq(next_exit(vm).reason, VMFORK_KILLED);
	ck_assert_uint_eq(next_exit(vm).reason, VMFORK_KILLED);
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_REPLY);
	ck_assert_uint_eq(cookie, 6);
	ck_assert_int_eq((int32_t)((struct vmfork_msg_reply *)buf)->result, 0);
}
END_TEST

START_TEST(parent_dies)
{
	struct vm *vm = fake_root("web");

	fork_into(vm, 2);
	fake_die(vm, 9);
	fake_settle();
	for_each_vm(left)
		ck_abort_msg("%s is left", left->name);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(parent_dies_while_freezing)
{
	struct vm *vm = fake_root("web");
	int64_t h = guest_ticket(vm, 2);

	fake_settle();
	fake.hold_freeze = true;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	fake_settle();
	ck_assert_ptr_nonnull(vm->fork);
	fake_die(vm, 9);
	fake_settle();
	for_each_vm(left)
		ck_abort_msg("%s is left", left->name);
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++)
		ck_assert_int_eq(f->state, FORK_FREE);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
	ck_assert_uint_eq(fake.loads, 0);
}
END_TEST

START_TEST(clone_is_lost)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 1);
	struct vmfork_msg_exited e;

	guest_leave_fork(vm);
	fake_die(vm_find(t->slots[0].vm), 11);
	fake_settle();
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_LOST);
	ck_assert_uint_eq(e.status, EIO);
}
END_TEST

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

START_TEST(host_fork_without_module)
{
	struct vm *vm = fake_root("web");

	vm->channel.j->state = CHANNEL_NONE;
	ck_assert_int_eq(fork_call(vm, NULL, "x", 0, host_done, NULL), -ENOTCONN);
}
END_TEST

START_TEST(rubbish_breaks_the_channel_only)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 1);
	uint64_t h = t->handle;

	guest_leave_fork(vm);
	channel_head(&vm->channel)->g2h.head = htole32(0x7fffffff);
	core_event(vm, VM_EV_RANG, 0, 0);
	fake_settle();
	ck_assert_int_eq(vm->channel.j->state, CHANNEL_BROKEN);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_ptr_null(ticket_find(h));
	/* who rings at the fork point with a broken channel does not wait for ever */
	guest_want_fork(vm, VMFORK_FORK_CHECKPOINT, 0, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EIO);
}
END_TEST

START_TEST(window_is_enforced)
{
	struct vm *vm = fake_root("web"), *clone;
	struct ticket *t = fork_into(vm, 1);

	guest_leave_fork(vm);
	clone = vm_find(t->slots[0].vm);
	guest_leave_fork(clone);
	for (int i = 0; i < 4; i++)
		guest_data(clone, 0, 0, VMFORK_MSG_MAX);
	ck_assert(channel_ready(&clone->channel));
	/* all is acknowledged: as much again */
	guest_credit(vm, t->handle, 1, VMFORK_WINDOW);
	for (int i = 0; i < 4; i++)
		guest_data(clone, 0, 0, VMFORK_MSG_MAX);
	ck_assert(channel_ready(&clone->channel));
	guest_data(clone, 0, 0, 1);
	ck_assert_int_eq(clone->channel.j->state, CHANNEL_BROKEN);
	/* more credit than was ever sent */
	guest_credit(vm, t->handle, 1, VMFORK_WINDOW);
	ck_assert(channel_ready(&vm->channel));
	guest_credit(vm, t->handle, 1, 1);
	ck_assert_int_eq(vm->channel.j->state, CHANNEL_BROKEN);
}
END_TEST

START_TEST(reload_closes_everything)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 1);
	uint64_t h = t->handle;

	guest_leave_fork(vm);
	guest_hello(vm);
	fake_settle();
	ck_assert_ptr_null(ticket_find(h));
	ck_assert(channel_ready(&vm->channel));
}
END_TEST

START_TEST(free_set_goes_to_clones)
{
	struct vm *vm = fake_root("web"), *clone;
	int64_t h = guest_ticket(vm, 1);
	uint8_t *set = (uint8_t *)channel_free_set(&vm->channel);

	fake_settle();
	set[3] = 0x5a;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)h, "", 4);
	set[3] = 0xff;	/* later than the fork point */
	fake_settle();
	clone = vm_find(ticket_find((uint64_t)h)->slots[0].vm);
	ck_assert_uint_eq(channel_avoid(&clone->channel)[3], 0x5a);
	ck_assert_uint_eq(channel_avoid(&clone->channel)[4], 0);
}
END_TEST

START_TEST(limits)
{
	struct vm *vm = fake_root("web");

	ck_assert_int_eq(guest_ticket(vm, 0), -EINVAL);
	ck_assert_int_eq(guest_ticket(vm, 65), -EINVAL);
}
END_TEST

/* without a bell */
static unsigned int fill_with(struct vm *vm, uint32_t bytes)
{
	struct vmfork_msg_ticket m = { .ticket = htole64(424242) };
	uint32_t one = ring_record(sizeof(m)), n = bytes / one;

	vm->state = VM_DEAD;
	for (uint32_t i = 0; i < n; i++)
		guest_put(vm, VMFORK_G2H_CLOSE_TICKET, 0, &m, sizeof(m));
	vm->state = VM_RUNNING;
	fake.kicks = 0;
	core_event(vm, VM_EV_RANG, 0, 0);
	fake_settle();
	ck_assert_uint_eq(channel_head(&vm->channel)->g2h.head,
			  channel_head(&vm->channel)->g2h.tail);
	return fake.kicks;
}

START_TEST(bell_when_there_is_room_again)
{
	struct vm *vm = fake_root("web");

	ck_assert_uint_eq(fill_with(vm, VMFORK_CHANNEL_RING_SIZE / 4), 0);
	ck_assert_uint_eq(fill_with(vm, VMFORK_CHANNEL_RING_SIZE), 1);
	ck_assert_uint_eq(fill_with(vm, VMFORK_CHANNEL_RING_SIZE / 2 + 48), 1);
}
END_TEST

/* The host's writer needs no timer: the reader's bell is enough. */
START_TEST(full_ring_goes_on_with_the_bell)
{
	struct vm *vm = fake_root("web");
	struct vmfork_msg_fork m = { 0 };
	uint32_t one = ring_record(sizeof(m)), len;
	unsigned int n = VMFORK_CHANNEL_RING_SIZE / one + 10, got = 0;
	uint64_t cookie;

	for (unsigned int i = 0; i < n; i++)
		channel_send(vm, VMFORK_H2G_FORK, 0, &m, sizeof(m), NULL, 0);
	ck_assert_uint_gt(channel_queued(&vm->channel), 0);
	while (guest_take(vm, &cookie, buf, &len))
		got++;
	core_event(vm, VM_EV_RANG, 0, 0);
	ck_assert_uint_eq(channel_queued(&vm->channel), 0);
	while (guest_take(vm, &cookie, buf, &len))
		got++;
	ck_assert_uint_eq(got, n);
}
END_TEST

START_TEST(hung_freeze)
{
	struct vm *vm = fake_root("web");
	int64_t t = guest_ticket(vm, 1);
	uint64_t handle = vm->handle;

	fake_settle();
	watchdog_usec = 1;
	fake.hold_freeze = true;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	ck_assert_ptr_nonnull(vm->fork);
	fake_wait_end(handle);
	ck_assert_ptr_null(ticket_find((uint64_t)t));
	ck_assert_uint_eq(vm_count_clones(), 0);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(hung_resume)
{
	struct vm *vm = fake_root("web");
	int64_t t = guest_ticket(vm, 1);
	uint64_t handle = vm->handle;

	fake_settle();
	watchdog_usec = 1;
	fake.hold_resume = true;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
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
	Suite *s = suite_create("vmforkd-fork");
	TCase *c = tcase_create("fork");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, ticket_fork);
	tcase_add_test(c, exits_come_after_data);
	tcase_add_test(c, freeze_fails);
	tcase_add_test(c, one_load_fails);
	tcase_add_test(c, no_standby_starts);
	tcase_add_test(c, late_standbys);
	tcase_add_test(c, standby_dies_before_fork);
	tcase_add_test(c, used_ticket_is_busy);
	tcase_add_test(c, foreign_ticket);
	tcase_add_test(c, close_kills);
	tcase_add_test(c, kill_is_answered_when_done);
	tcase_add_test(c, parent_dies);
	tcase_add_test(c, parent_dies_while_freezing);
	tcase_add_test(c, clone_is_lost);
	tcase_add_test(c, named_checkpoint_outlives);
	tcase_add_test(c, unnamed_checkpoint_goes_with_its_descriptor);
	tcase_add_test(c, lower_checkpoint_stays);
	tcase_add_test(c, host_fork);
	tcase_add_test(c, host_fork_refused);
	tcase_add_test(c, host_fork_without_module);
	tcase_add_test(c, prepared_for_nothing);
	tcase_add_test(c, rubbish_breaks_the_channel_only);
	tcase_add_test(c, window_is_enforced);
	tcase_add_test(c, reload_closes_everything);
	tcase_add_test(c, free_set_goes_to_clones);
	tcase_add_test(c, limits);
	tcase_add_test(c, bell_when_there_is_room_again);
	tcase_add_test(c, full_ring_goes_on_with_the_bell);
	tcase_add_test(c, hung_freeze);
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
