// SPDX-License-Identifier: GPL-2.0-or-later
/* Against a real QEMU, not started: its memory map, its state, its view of our overlays. */
#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run.h"
#include "descriptor.h"
#include "qcow2.h"
#include "ram_slots.h"

#define QEMU "qemu-system-x86_64"

static char dir[] = "/tmp/vmfork-test-XXXXXX";

static char *read_all(FILE *f, size_t *ret_len)
{
	size_t room = 1 << 20, n;
	char *buf = malloc(room + 1);

	n = fread(buf, 1, room, f);
	buf[n] = '\0';
	*ret_len = n;
	return buf;
}

/* What the monitor says to @commands, one JSON object per line. */
static char *monitor(const char *options, const char *commands)
{
	char line[4096];
	size_t len;
	char *out;
	FILE *f;

	snprintf(line, sizeof(line), "printf '%%s\\n' '{\"execute\":\"qmp_capabilities\"}' %s "
		 "'{\"execute\":\"quit\"}' | timeout 60 " QEMU " -S -nodefaults -display none "
		 "-vga none -accel tcg -qmp stdio %s 2>&1", commands, options);
	f = popen(line, "r");
	ck_assert_ptr_nonnull(f);
	out = read_all(f, &len);
	ck_assert_msg(pclose(f) == 0, "%s: %s", line, out);
	ck_assert_msg(!strstr(out, "\"error\""), "%s", out);
	return out;
}

static const struct {
	const char *machine;
	uint64_t mib;
} machines[] = {
	{ "pc", 128 }, { "pc", 3582 }, { "pc", 3584 }, { "pc", 5120 },
	{ "q35", 128 }, { "q35", 2814 }, { "q35", 2816 }, { "q35", 5120 },
};

static void expect_alias(const char *map, const char *name, uint64_t start, uint64_t npages)
{
	char want[128];

	snprintf(want, sizeof(want), "%016" PRIx64 "-%016" PRIx64 " (prio 0, ram): alias %s",
		 start, start + npages * PAGER_PAGE_SIZE - 1, name);
	ck_assert_msg(strstr(map, want) != NULL, "not found: %s", want);
}

START_TEST(slots_are_where_qemu_has_them)
{
	struct pager_slot s[PAGER_SLOTS_MAX];
	unsigned int n = ram_slots(machines[_i].machine, machines[_i].mib << 20, s);
	char options[128], *map;

	snprintf(options, sizeof(options), "-machine %s -m %" PRIu64 "M", machines[_i].machine,
		 machines[_i].mib);
	map = monitor(options, "'{\"execute\":\"human-monitor-command\",\"arguments\":"
			       "{\"command-line\":\"info mtree\"}}'");
	expect_alias(map, "ram-below-4g", 0, s[0].npages);
	ck_assert_int_eq(strstr(map, "alias ram-above-4g") != NULL, n == 2);
	if (n == 2)
		expect_alias(map, "ram-above-4g", s[1].gfn * PAGER_PAGE_SIZE, s[1].npages);
	free(map);
}
END_TEST

/* The options that freeze.c relies on (args.c). */
START_TEST(a_real_state_is_a_descriptor)
{
	char options[256], command[512], path[64];
	void *stored, *again;
	size_t len, nstored, n;
	char *raw;
	FILE *f;

	snprintf(path, sizeof(path), "%s/state", dir);
	snprintf(options, sizeof(options), "-machine %s,suppress-vmdesc=on "
		 "-global migration.send-configuration=off -device virtio-rng-pci",
		 machines[_i].machine);
	snprintf(command, sizeof(command), "'{\"execute\":\"xen-save-devices-state\","
		 "\"arguments\":{\"filename\":\"%s\",\"live\":false}}'", path);
	free(monitor(options, command));
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	raw = read_all(f, &len);
	fclose(f);
	unlink(path);

	ck_assert_int_eq(descriptor_check(raw, len), 0);
	ck_assert_int_eq(descriptor_pack(raw, len, &stored, &nstored), 0);
	ck_assert_uint_le(nstored, 128 << 10);
	ck_assert_int_eq(descriptor_unpack(stored, nstored, &again, &n), 0);
	ck_assert_uint_eq(n, len);
	ck_assert_int_eq(memcmp(again, raw, n), 0);
	/* no RAM block list: nothing in it is bound to an address of the parent's devices */
	ck_assert_ptr_null(memmem(raw, len, "pc.ram", 6));
	free(again);
	free(stored);
	free(raw);
}
END_TEST

static int run(const char *format, const char *path)
{
	char line[512];

	snprintf(line, sizeof(line), format, path);
	return system(line);
}

START_TEST(overlays_are_whole_images)
{
	static const uint64_t sizes[] = { 512, 16 << 20, 5ULL << 30, (1ULL << 42) + 512 };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/overlay", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(qcow2_make_empty(fd, sizes[_i]), 0);
	close(fd);
	ck_assert_int_eq(run("qemu-img check -q -f qcow2 %s", path), 0);
	ck_assert_int_eq(run("qemu-io -f qcow2 -c 'write -P 7 0 512' -c 'read -P 7 0 512' %s "
			     ">/dev/null", path), 0);
	ck_assert_int_eq(run("qemu-img check -q -f qcow2 %s", path), 0);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu, real");
	TCase *t = tcase_create("all");
	int status;

	if (system(QEMU " --version >/dev/null 2>&1")) {
		puts("qemu-real: SKIP: no " QEMU " here");
		return EXIT_SUCCESS;
	}
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, slots_are_where_qemu_has_them, 0, 8);
	tcase_add_loop_test(t, a_real_state_is_a_descriptor, 0, 8);
	tcase_add_loop_test(t, overlays_are_whole_images, 0, 4);
	suite_add_tcase(s, t);
	status = run_suite(s);
	rmdir(dir);
	return status;
}
