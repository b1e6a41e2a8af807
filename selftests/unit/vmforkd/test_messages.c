// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages between machines, and the rings that they go by. */
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

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-messages");
	TCase *c = tcase_create("messages");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, exits_come_after_data);
	tcase_add_test(c, rubbish_breaks_the_channel_only);
	tcase_add_test(c, window_is_enforced);
	tcase_add_test(c, reload_closes_everything);
	tcase_add_test(c, free_set_goes_to_clones);
	tcase_add_test(c, bell_when_there_is_room_again);
	tcase_add_test(c, full_ring_goes_on_with_the_bell);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
