// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of machines, their cgroups, machines that cannot be forked, tickets of clones. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run.h"
#include "cgroup.h"
#include "fake.h"
#include "guest.h"
#include "keeper_cgroup.h"
#include "options.h"
#include "runtime.h"
#include "util.h"
#include "vmlimits.h"

static uint8_t buf[RING_PAYLOAD_MAX];

static int64_t ticket_with(struct vm *vm, uint32_t lifetime, uint32_t memory, uint32_t weight)
{
	struct vmfork_msg_grant m = { .clones = htole32(1), .lifetime_s = htole32(lifetime),
		.memory_mib = htole32(memory), .cpu_weight = htole32(weight) };
	struct vmfork_msg_reply r;
	uint64_t cookie;
	uint32_t len;

	guest_put(vm, VMFORK_G2H_TICKET, 3, &m, sizeof(m));
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_REPLY);
	memcpy(&r, buf, sizeof(r));
	fake_settle();
	return r.result ? (int32_t)le32toh(r.result) : (int64_t)le64toh(r.handle);
}

static struct vm *fork_with(struct vm *vm, int64_t t)
{
	struct vm *clone;

	ck_assert_int_gt(t, 0);
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	guest_leave_fork(vm);
	clone = vm_find(ticket_find((uint64_t)t)->slots[0].vm);
	guest_leave_fork(clone);
	return clone;
}

/* A folder that looks like a cgroup, as far as it is written to. */
static void make_cgroup(uint64_t handle)
{
	static const char *const files[] = { "memory.max", "memory.oom.group", "memory.swap.max",
		"cpu.weight", "cgroup.procs", "memory.events" };
	char path[512];

	snprintf(opt.cgroup, sizeof(opt.cgroup), "%.200s/cgroup", opt.runtime_dir);
	mkdir(opt.cgroup, 0755);
	snprintf(path, sizeof(path), "%s/vm%llu", opt.cgroup, (unsigned long long)handle);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/vm%llu/%s", opt.cgroup, (unsigned long long)handle,
			 files[i]);
		close(open(path, O_CREAT | O_WRONLY, 0644));
	}
}

static const char *file_of(uint64_t handle, const char *name)
{
	static char text[128];
	char path[512];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/vm%llu/%s", opt.cgroup, (unsigned long long)handle, name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

static void no_cgroup(void)
{
	opt.cgroup[0] = '\0';
}

START_TEST(parse)
{
	json_t *o = json_pack("{s:i, s:i, s:i}", "lifetime_s", 5, "memory_mib", 64, "cpu_weight", 7);
	struct limits l;
	char why[128];

	ck_assert_int_eq(limits_parse(NULL, &l, why, sizeof(why)), 0);
	ck_assert_uint_eq(l.lifetime_s | l.memory_mib | l.cpu_weight, 0);
	ck_assert_int_eq(limits_parse(o, &l, why, sizeof(why)), 0);
	ck_assert_uint_eq(l.lifetime_s, 5);
	ck_assert_uint_eq(l.memory_mib, 64);
	ck_assert_uint_eq(l.cpu_weight, 7);
	json_object_set_new(o, "cpu_weight", json_integer(10001));
	ck_assert_int_eq(limits_parse(o, &l, why, sizeof(why)), -EINVAL);
	json_object_set_new(o, "cpu_weight", json_integer(0));
	ck_assert_int_eq(limits_parse(o, &l, why, sizeof(why)), -EINVAL);
	json_object_set_new(o, "cpu_weight", json_string("7"));
	ck_assert_int_eq(limits_parse(o, &l, why, sizeof(why)), -EINVAL);
	json_object_del(o, "cpu_weight");
	json_object_set_new(o, "lifetime_s", json_integer(1LL << 32));
	ck_assert_int_eq(limits_parse(o, &l, why, sizeof(why)), -EINVAL);
	json_decref(o);
}
END_TEST

START_TEST(within)
{
	struct limits own = { 10, 100, 50, true }, none = { 0 }, more = { 20, 200, 100, false }, l;

	l = limits_within(&none, &own);
	ck_assert(l.no_network);
	ck_assert_uint_eq(l.memory_mib, 100);
	ck_assert_uint_eq(l.cpu_weight, 50);
	l = limits_within(&more, &own);
	ck_assert_uint_eq(l.memory_mib, 100);
	ck_assert_uint_eq(l.cpu_weight, 50);
	l = limits_within(&own, &more);
	ck_assert_uint_eq(l.memory_mib, 100);
	ck_assert(l.no_network);
	l = limits_within(&more, &none);
	ck_assert(!l.no_network);
	ck_assert_uint_eq(l.memory_mib, 200);
	l = limits_within(&none, &none);
	ck_assert_uint_eq(l.memory_mib | l.cpu_weight, 0);
}
END_TEST

START_TEST(refused_without_cgroups)
{
	struct vm *vm = fake_root("web");
	uint64_t features = le64toh(channel_head(&vm->channel)->host_features);

	ck_assert(!(features & VMFORK_FEATURE_LIMITS));
	ck_assert(features & VMFORK_FEATURE_PARAMS && features & VMFORK_FEATURE_IDENTITY);
	ck_assert_int_eq(ticket_with(vm, 0, 64, 0), -EOPNOTSUPP);
	ck_assert_int_eq(ticket_with(vm, 0, 0, 10), -EOPNOTSUPP);
	ck_assert_int_gt(ticket_with(vm, 10, 0, 0), 0);
}
END_TEST

/* Handles: 101 the ticket, 102 the clone. */
START_TEST(written_to_the_cgroup)
{
	struct vm *vm = fake_root("web"), *clone;
	uint64_t next = core.next_handle;
	int64_t t;

	make_cgroup(next + 1);
	t = ticket_with(vm, 0, 64, 10);
	ck_assert_int_eq(t, (int64_t)next);
	clone = fork_with(vm, t);
	ck_assert_uint_eq(clone->handle, next + 1);
	ck_assert_str_eq(file_of(clone->handle, "memory.max"), "167772160");
	ck_assert_str_eq(file_of(clone->handle, "memory.oom.group"), "1");
	ck_assert_str_eq(file_of(clone->handle, "memory.swap.max"), "0");
	ck_assert_str_eq(file_of(clone->handle, "cpu.weight"), "10");
	no_cgroup();
}
END_TEST

START_TEST(killed_for_want_of_memory)
{
	struct vm *vm = fake_root("web"), *clone;
	uint64_t next = core.next_handle;
	struct vmfork_msg_exited e;
	char path[512];
	int fd;

	make_cgroup(next + 1);
	clone = fork_with(vm, ticket_with(vm, 0, 64, 0));
	snprintf(path, sizeof(path), "%s/vm%llu/memory.events", opt.cgroup,
		 (unsigned long long)clone->handle);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(write(fd, "low 0\noom 3\noom_kill 1\n", 23), 23);
	close(fd);
	fake_die(clone, 9);
	fake_settle();
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_OUT_OF_MEMORY);
	ck_assert_str_eq(e.why, "it wanted more than its 64 MiB of memory");
	no_cgroup();
}
END_TEST

START_TEST(values)
{
	const char text[] = "low 0\noom 3\noom_kill 12\noom_group_kill 1";

	ck_assert_uint_eq(cgroup_value(text, "oom_kill"), 12);
	ck_assert_uint_eq(cgroup_value(text, "low"), 0);
	ck_assert_uint_eq(cgroup_value(text, "oom"), 3);
	ck_assert_uint_eq(cgroup_value(text, "kill"), 0);
	ck_assert_uint_eq(cgroup_value(text, "oom_group_kill"), 1);
	ck_assert_uint_eq(cgroup_value("", "low"), 0);
}
END_TEST

START_TEST(places)
{
	const char mounts[] =
		"30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		"31 25 0:27 /sub /mnt/part rw,relatime - cgroup2 cgroup2 rw\n"
		"32 25 0:27 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
	char path[64], small[4];

	ck_assert_int_eq(cgroup_mount_find(mounts, path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/sys/fs/cgroup");
	ck_assert_int_eq(cgroup_mount_find(mounts, small, sizeof(small)), -ENOENT);
	ck_assert_int_eq(cgroup_mount_find("", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(cgroup_own_find("0::/system.slice/vmforkd.service\n", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/system.slice/vmforkd.service");
	ck_assert_int_eq(cgroup_own_find("4:memory:/a\n0::/b\n", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/b");
	ck_assert_int_eq(cgroup_own_find("4:memory:/a\n", path, sizeof(path)), -ENOENT);
}
END_TEST

START_TEST(time_is_over)
{
	struct vm *vm = fake_root("web"), *clone = fork_with(vm, ticket_with(vm, 1, 0, 0));
	struct vmfork_msg_exited e;

	fake_wait_end(clone->handle);
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_EXPIRED);
	ck_assert_str_eq(e.why, "its 1 s were over");
	ck_assert_int_eq(vm->state, VM_RUNNING);
}
END_TEST

START_TEST(time_over_a_restart)
{
	struct vm *vm = fake_root("web"), *clone = fork_with(vm, ticket_with(vm, 1000, 0, 0));
	uint64_t handle = clone->handle, parent = vm->handle, end = clone->channel.j->expires;

	ck_assert_uint_ne(end, 0);
	fake.adopted_running = true;
	fake_restart();
	fake_settle();
	clone = vm_find(handle);
	ck_assert_uint_eq(clone->channel.j->expires, end);
	ck_assert_uint_eq(clone->limits.lifetime_s, 1000);
	ck_assert_ptr_nonnull(clone->expiry);
	clone->channel.j->expires = 1;
	fake_restart();
	fake_wait_end(handle);
	ck_assert_uint_eq(next_exit(vm_find(parent)).reason, VMFORK_EXPIRED);
}
END_TEST

START_TEST(clones_of_a_clone_have_what_is_left)
{
	struct vm *vm = fake_root("web"), *clone = fork_with(vm, ticket_with(vm, 1000, 0, 0)), *second;

	second = fork_with(clone, ticket_with(clone, 0, 0, 0));
	ck_assert_uint_eq(second->channel.j->expires, clone->channel.j->expires);
	second = fork_with(clone, ticket_with(clone, 5000, 0, 0));
	ck_assert_uint_eq(second->channel.j->expires, clone->channel.j->expires);
	second = fork_with(clone, ticket_with(clone, 5, 0, 0));
	ck_assert_uint_lt(second->channel.j->expires, clone->channel.j->expires);
}
END_TEST

/* The one in the middle is killed: its clone goes with it, its parent is told once. */
START_TEST(grandchildren)
{
	struct vm *vm = fake_root("web"), *clone, *second;
	int64_t t = ticket_with(vm, 0, 0, 0), nested;
	uint64_t grandchild;
	struct vmfork_msg_exited e;
	uint64_t cookie;
	uint32_t len;

	clone = fork_with(vm, t);
	nested = ticket_with(clone, 0, 0, 0);
	second = fork_with(clone, nested);
	grandchild = second->handle;
	vm_end(clone, VMFORK_LOST, 0, "killed from the host");
	fake_settle();
	ck_assert_ptr_null(vm_find(grandchild));
	ck_assert_ptr_null(ticket_find((uint64_t)nested));
	ck_assert_ptr_nonnull(ticket_find((uint64_t)t));
	e = next_exit(vm);
	ck_assert_str_eq(e.why, "killed from the host");
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), 0);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 2);
}
END_TEST

START_TEST(cannot_be_forked)
{
	struct vm *vm = fake_root("web");
	int64_t t = ticket_with(vm, 0, 0, 0);

	fake.unforkable = "vfio-pci: a device of the host's";
	ck_assert_int_eq(ticket_with(vm, 0, 0, 0), -EOPNOTSUPP);
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EOPNOTSUPP);
	guest_want_fork(vm, VMFORK_FORK_CHECKPOINT, 0, "x", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EOPNOTSUPP);
	ck_assert_uint_eq(fake.frozen, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-limits");
	TCase *c = tcase_create("limits");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, parse);
	tcase_add_test(c, within);
	tcase_add_test(c, refused_without_cgroups);
	tcase_add_test(c, written_to_the_cgroup);
	tcase_add_test(c, killed_for_want_of_memory);
	tcase_add_test(c, values);
	tcase_add_test(c, places);
	tcase_add_test(c, time_is_over);
	tcase_add_test(c, time_over_a_restart);
	tcase_add_test(c, clones_of_a_clone_have_what_is_left);
	tcase_add_test(c, grandchildren);
	tcase_add_test(c, cannot_be_forked);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
