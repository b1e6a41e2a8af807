// SPDX-License-Identifier: GPL-2.0-or-later
/* What a clone is told before it runs, and clones that are held until they report. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "fake.h"
#include "guest.h"
#include "identity.h"
#include "options.h"
#include "params.h"
#include "state.h"

static uint8_t buf[RING_PAYLOAD_MAX];

static int next_reply(struct vm *vm, uint64_t cookie)
{
	uint64_t got;
	uint32_t len;

	ck_assert_uint_eq(guest_take(vm, &got, buf, &len), VMFORK_H2G_REPLY);
	ck_assert_uint_eq(got, cookie);
	return (int32_t)le32toh(((struct vmfork_msg_reply *)buf)->result);
}

static const char *params_of(const struct ticket *t, uint32_t id)
{
	static char text[VMFORK_PARAMS_MAX + 1];
	const struct vm *vm = vm_find(t->slots[id - 1].vm);
	uint32_t len = le32toh(channel_clone_block(&vm->channel)->params_len);

	memcpy(text, vm->channel.map + VMFORK_CHANNEL_PARAMS, len);
	text[len] = '\0';
	return text;
}

static struct ticket *granted(struct vm *vm, uint32_t n)
{
	int64_t t = guest_ticket(vm, n);

	ck_assert_int_gt(t, 0);
	fake_settle();
	return ticket_find((uint64_t)t);
}

START_TEST(params_reach_each_clone)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = granted(vm, 3);

	guest_params(vm, 1, t->handle, 2, "{\"own\":0}");
	guest_params(vm, 2, t->handle, 0, "{\"all\":1}");
	guest_params(vm, 3, t->handle, 2, "{\"own\":2}");
	guest_params(vm, 4, t->handle, 3, "{\"own\":3}");
	guest_params(vm, 5, t->handle, 3, "");
	for (uint64_t cookie = 1; cookie <= 5; cookie++)
		ck_assert_int_eq(next_reply(vm, cookie), 0);
	guest_params(vm, 6, t->handle, 4, "x");
	ck_assert_int_eq(next_reply(vm, 6), -EINVAL);
	guest_params(vm, 7, 4242, 1, "x");
	ck_assert_int_eq(next_reply(vm, 7), -ENOENT);
	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	fake_settle();
	ck_assert_str_eq(params_of(t, 1), "{\"all\":1}");
	ck_assert_str_eq(params_of(t, 2), "{\"own\":2}");
	ck_assert_str_eq(params_of(t, 3), "{\"all\":1}");
	ck_assert_int_eq(t->params, -1);
	guest_params(vm, 8, t->handle, 1, "late");
	ck_assert_int_eq(next_reply(vm, 8), -EBUSY);
}
END_TEST

START_TEST(no_params)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = granted(vm, 1);

	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	fake_settle();
	ck_assert_str_eq(params_of(t, 1), "");
}
END_TEST

START_TEST(largest_params)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = granted(vm, 1);

	memset(buf, 'p', VMFORK_PARAMS_MAX);
	ck_assert_int_eq(params_set(t, 1, buf, VMFORK_PARAMS_MAX), 0);
	ck_assert_int_eq(params_set(t, 1, buf, VMFORK_PARAMS_MAX + 1), -EINVAL);
	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	fake_settle();
	ck_assert_uint_eq(strspn(params_of(t, 1), "p"), VMFORK_PARAMS_MAX);
}
END_TEST

START_TEST(params_survive_a_restart)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = granted(vm, 1);
	uint64_t parent = vm->handle, ticket = t->handle;

	guest_params(vm, 1, ticket, 0, "kept");
	ck_assert_int_eq(next_reply(vm, 1), 0);
	fake.adopted_running = true;
	fake_restart();
	fake_settle();
	guest_want_fork(vm_find(parent), VMFORK_FORK_TICKET, ticket, "", 0);
	fake_settle();
	ck_assert_str_eq(params_of(ticket_find(ticket), 1), "kept");
}
END_TEST

/* A family whose clone is held. */
static struct vm *held_clone(struct vm *vm, uint32_t agent_ms)
{
	struct ticket *t = granted(vm, 1);
	struct vm *clone;

	fake.shuts = 0;
	guest_want_held_fork(vm, VMFORK_FORK_TICKET, t->handle, "", agent_ms);
	fake_settle();
	guest_leave_fork(vm);
	clone = vm_find(t->slots[0].vm);
	guest_leave_fork(clone);
	ck_assert_uint_eq(fake.shuts, 1);
	ck_assert(!fake.ran_open);
	ck_assert_str_eq(identity_name(clone), "held");
	return clone;
}

START_TEST(report_opens_the_network)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);

	fake.hold_open = true;
	guest_report(clone, 9, 0, "");
	ck_assert_uint_eq(fake.opens, 1);
	ck_assert(nothing_for(clone));
	ck_assert(identity_held(clone));
	guest_report(clone, 10, 0, "");
	ck_assert_int_eq(next_reply(clone, 10), -EBUSY);
	fake_release_open(clone);
	ck_assert_int_eq(next_reply(clone, 9), 0);
	ck_assert_str_eq(identity_name(clone), "complete");
	ck_assert_ptr_null(clone->identity_timer);
	guest_report(clone, 11, 0, "");
	ck_assert_int_eq(next_reply(clone, 11), -EINVAL);
	guest_report(clone, 12, -EIO, "too late");
	ck_assert_int_eq(next_reply(clone, 12), -EINVAL);
	fake_settle();
	ck_assert_int_eq(clone->state, VM_RUNNING);
	ck_assert_uint_eq(fake.opens, 1);
}
END_TEST

START_TEST(report_of_an_error)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);
	struct vmfork_msg_exited e;

	guest_report(clone, 9, -EADDRINUSE, "address taken");
	fake_settle();
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_UNIDENTIFIED);
	ck_assert_uint_eq(e.status, EADDRINUSE);
	ck_assert_str_eq(e.why, "address taken");
	ck_assert_uint_eq(fake.opens, 0);
}
END_TEST

START_TEST(network_cannot_be_opened)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);
	struct vmfork_msg_exited e;

	fake.open_err = -ENODEV;
	guest_report(clone, 9, 0, "");
	ck_assert(nothing_for(clone));
	fake_settle();
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_UNIDENTIFIED);
	ck_assert_uint_eq(e.status, ENODEV);
}
END_TEST

START_TEST(network_cannot_be_shut)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = granted(vm, 1);
	unsigned int resumes = fake.resumes;
	struct vmfork_msg_exited e;

	fake.shut_err = -EPERM;
	guest_want_held_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 1000);
	fake_settle();
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_UNIDENTIFIED);
	ck_assert_uint_eq(e.status, EPERM);
	ck_assert_uint_eq(fake.resumes, resumes + 1);	/* the parent's own */
}
END_TEST

START_TEST(agent_does_not_report)
{
	struct vm *vm = fake_root("web"), *clone;
	struct vmfork_msg_exited e;

	opt.identity_timeout = 0;
	clone = held_clone(vm, 100);
	fake_wait_end(clone->handle);
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_UNIDENTIFIED);
	ck_assert_uint_eq(e.status, ETIMEDOUT);
	ck_assert_str_eq(e.why, "the agent did not report in 0.1 s");
}
END_TEST

START_TEST(held_machine_panics)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);

	core_event(clone, VM_EV_PANIC, 0, 0);
	fake_die(clone, 0);
	fake_settle();
	ck_assert_uint_eq(next_exit(vm).reason, VMFORK_UNIDENTIFIED);
	clone = held_clone(vm, 1000);
	core_event(clone, VM_EV_POWEROFF, 0, 0);
	fake_die(clone, 0);
	fake_settle();
	ck_assert_uint_eq(next_exit(vm).reason, VMFORK_UNIDENTIFIED);
}
END_TEST

START_TEST(held_machine_is_not_forked)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);

	guest_want_fork(clone, VMFORK_FORK_CHECKPOINT, 0, "early", 0);
	fake_settle();
	ck_assert_int_eq((int32_t)guest_leave_fork(clone).result, -EAGAIN);
	guest_report(clone, 9, 0, "");
	guest_want_fork(clone, VMFORK_FORK_CHECKPOINT, 0, "late", 0);
	fake_settle();
	ck_assert_int_eq((int32_t)guest_leave_fork(clone).result, 0);
}
END_TEST

/* A checkpoint keeps it for the clones that are made of it later. */
START_TEST(checkpoint_keeps_the_agent)
{
	struct vm *vm = fake_root("web");
	struct checkpoint *cp;
	struct ticket *t;

	guest_want_held_fork(vm, VMFORK_FORK_CHECKPOINT, 0, "golden", 700);
	fake_settle();
	guest_leave_fork(vm);
	state_save_now();
	fake.adopted_running = true;
	fake_restart();
	fake_settle();
	cp = checkpoint_named("golden");
	ck_assert_ptr_nonnull(cp);
	ck_assert(cp->agent);
	ck_assert_uint_eq(cp->agent_ms, 700);
	t = ticket_new(0, 0, cp->family, 1);
	ck_assert_int_eq(fork_create(cp, t, NULL, NULL), 0);
	fake_settle();
	ck_assert(identity_held(vm_find(t->slots[0].vm)));
	ck_assert_uint_eq(fake.shuts, 1);
}
END_TEST

START_TEST(held_over_a_restart)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);
	uint64_t handle = clone->handle, until = clone->channel.j->identity_until;

	fake.adopted_running = true;
	fake_restart();
	fake_settle();
	clone = vm_find(handle);
	ck_assert(identity_held(clone));
	ck_assert_uint_eq(fake.shuts, 2);
	ck_assert_ptr_nonnull(clone->identity_timer);
	ck_assert_uint_eq(clone->channel.j->identity_until, until);
	guest_report(clone, 9, 0, "");
	ck_assert_int_eq(next_reply(clone, 9), 0);
}
END_TEST

/* Killed while the network was being opened: it is opened again, and then answered. */
START_TEST(opening_over_a_restart)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);
	uint64_t handle = clone->handle;

	fake.hold_open = true;
	guest_report(clone, 9, 0, "");
	ck_assert(nothing_for(clone));
	fake.adopted_running = true;
	fake_restart();
	fake.hold_open = false;
	fake_settle();
	clone = vm_find(handle);
	ck_assert_uint_eq(fake.opens, 2);
	ck_assert_int_eq(next_reply(clone, 9), 0);
	ck_assert(nothing_for(clone));
	ck_assert_str_eq(identity_name(clone), "complete");
	/* the root VM has no agent that reported; while it was held, this one had not */
	ck_assert_uint_eq(fake.identified, 0);
	fake_restart();
	fake_settle();
	ck_assert_uint_eq(fake.identified, 1);
}
END_TEST

/* Its time was over while nobody looked. */
START_TEST(time_is_over_after_a_restart)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);
	uint64_t handle = clone->handle, parent = vm->handle;
	struct vmfork_msg_exited e;

	clone->channel.j->identity_until = 1;
	fake.adopted_running = true;
	fake_restart();
	fake_wait_end(handle);
	e = next_exit(vm_find(parent));
	ck_assert_uint_eq(e.reason, VMFORK_UNIDENTIFIED);
}
END_TEST

START_TEST(why_over_a_restart)
{
	struct vm *vm = fake_root("web"), *clone = held_clone(vm, 1000);
	uint64_t parent = vm->handle;
	struct vmfork_msg_exited e;

	vm_note_end(clone, VMFORK_UNIDENTIFIED, ENOLINK, "said before the kill");
	fake.adopted_running = true;
	fake_restart();
	fake_settle();
	e = next_exit(vm_find(parent));
	ck_assert_uint_eq(e.reason, VMFORK_UNIDENTIFIED);
	ck_assert_uint_eq(e.status, ENOLINK);
	ck_assert_str_eq(e.why, "said before the kill");
}
END_TEST

START_TEST(reason_out_of_range)
{
	ck_assert_int_eq(reason_known(0), 0);
	ck_assert_int_eq(reason_known(VMFORK_UNIDENTIFIED), VMFORK_UNIDENTIFIED);
	ck_assert_int_eq(reason_known(VMFORK_UNIDENTIFIED + 1), VMFORK_LOST);
	ck_assert_int_eq(reason_known(UINT64_MAX), VMFORK_LOST);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-identity");
	TCase *c = tcase_create("identity");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, params_reach_each_clone);
	tcase_add_test(c, no_params);
	tcase_add_test(c, largest_params);
	tcase_add_test(c, params_survive_a_restart);
	tcase_add_test(c, report_opens_the_network);
	tcase_add_test(c, report_of_an_error);
	tcase_add_test(c, network_cannot_be_opened);
	tcase_add_test(c, network_cannot_be_shut);
	tcase_add_test(c, agent_does_not_report);
	tcase_add_test(c, held_machine_panics);
	tcase_add_test(c, held_machine_is_not_forked);
	tcase_add_test(c, checkpoint_keeps_the_agent);
	tcase_add_test(c, held_over_a_restart);
	tcase_add_test(c, opening_over_a_restart);
	tcase_add_test(c, time_is_over_after_a_restart);
	tcase_add_test(c, why_over_a_restart);
	tcase_add_test(c, reason_out_of_range);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
