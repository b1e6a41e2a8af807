// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: QEMU's command line and monitor, RAM slots, qcow2 heads, ivshmem. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run.h"
#include "args.h"
#include "descriptor.h"
#include "fdpass.h"
#include "forkable.h"
#include "ivshmem.h"
#include "pager_proto.h"
#include "presence.h"
#include "qcow2.h"
#include "qmp_parse.h"
#include "ram_slots.h"

/* ---- command line ---- */

static const char *after(const struct args *a, const char *option, const char *part)
{
	for (unsigned int i = 0; i + 1 < a->n; i++) {
		if (!strcmp(a->v[i], option) && strstr(a->v[i + 1], part))
			return a->v[i + 1];
	}
	return NULL;
}

static bool has(const struct args *a, const char *option)
{
	for (unsigned int i = 0; i < a->n; i++) {
		if (!strcmp(a->v[i], option))
			return true;
	}
	return false;
}

static struct vm_config config(void)
{
	return (struct vm_config){
		.name = "web", .memory = 128 << 20, .vcpus = 2, .accel = "tcg", .machine = "pc",
		.kernel = "/k,ernel", .initrd = "/initrd", .append = "a=b,c d", .net = "none",
	};
}

START_TEST(root_has_kernel_and_may_reboot)
{
	struct vm_config c = config();
	struct args_in in = { .config = &c, .program = "/q", .accel = "tcg" };
	struct args a;

	ck_assert_int_eq(args_build(&in, &a), 0);
	ck_assert_str_eq(a.v[0], "/q");
	ck_assert_ptr_null(a.v[a.n]);
	ck_assert_ptr_nonnull(after(&a, "-kernel", "/k,ernel"));
	ck_assert_ptr_nonnull(after(&a, "-append", "a=b,c d"));
	ck_assert_ptr_nonnull(after(&a, "-initrd", "/initrd"));
	ck_assert_ptr_nonnull(after(&a, "-m", "128M"));
	ck_assert_ptr_nonnull(after(&a, "-smp", "2"));
	ck_assert_ptr_nonnull(after(&a, "-machine", "pc,"));
	ck_assert_ptr_nonnull(after(&a, "-global", "PIIX4_PM.disable_s3=1"));
	ck_assert_ptr_null(after(&a, "-netdev", "user"));
	ck_assert(!has(&a, "-no-reboot") && !has(&a, "-incoming"));
	args_free(&a);
}
END_TEST

START_TEST(standby_waits_and_has_the_same_devices)
{
	struct vm_config c = config();
	struct args_in in = { .config = &c, .program = "/q", .accel = "kvm" };
	struct args root, standby;
	unsigned int j = 0;

	strcpy(c.machine, "q35");
	strcpy(c.net, "user");
	ck_assert_int_eq(args_build(&in, &root), 0);
	in.standby = true;
	ck_assert_int_eq(args_build(&in, &standby), 0);
	ck_assert(has(&standby, "-no-reboot"));
	ck_assert_ptr_nonnull(after(&standby, "-incoming", "defer"));
	ck_assert(!has(&standby, "-kernel") && !has(&standby, "-append"));
	ck_assert_ptr_nonnull(after(&standby, "-accel", "kvm"));
	ck_assert_ptr_nonnull(after(&standby, "-global", "ICH9-LPC.disable_s4=1"));
	for (unsigned int i = 0; i + 1 < root.n; i++) {
		if (strcmp(root.v[i], "-device"))
			continue;
		while (j + 1 < standby.n && strcmp(standby.v[j], "-device"))
			j++;
		ck_assert_uint_lt(j + 1, standby.n);
		ck_assert_str_eq(root.v[i + 1], standby.v[j + 1]);
		j++;
	}
	args_free(&root);
	args_free(&standby);
}
END_TEST

START_TEST(disks_are_descriptors)
{
	struct vm_config c = config();
	struct args_in in = { .config = &c, .program = "/q", .accel = "tcg", .nfds = 1,
			      .fds = { { .fd = 9, .set = 65 } } };
	struct args a;

	c.ndisks = 1;
	strcpy(c.disks[0].path, "/must/not/appear");
	in.nodes[0] = json_pack("{s:s, s:s}", "driver", "null-co", "node-name", "n65");
	in.nnodes = 1;
	strcpy(in.drives[0], "n65");
	ck_assert_int_eq(args_build(&in, &a), 0);
	ck_assert_ptr_nonnull(after(&a, "-add-fd", "fd=9,set=65"));
	ck_assert_ptr_nonnull(after(&a, "-blockdev", "\"node-name\":\"n65\""));
	ck_assert_ptr_nonnull(after(&a, "-device", "virtio-blk-pci,id=disk0,drive=n65"));
	for (unsigned int i = 0; i < a.n; i++)
		ck_assert_ptr_null(strstr(a.v[i], "must"));
	args_free(&a);
	json_decref(in.nodes[0]);
}
END_TEST

START_TEST(most_disks_fit)
{
	struct vm_config c = config();
	struct args_in in = { .config = &c, .program = "/q", .accel = "tcg",
			      .nfds = 2 * VM_DISKS_MAX };
	struct args a;

	c.ndisks = VM_DISKS_MAX;
	strcpy(c.net, "user");
	in.nnodes = ARGS_NODES_MAX;
	for (unsigned int i = 0; i < ARGS_NODES_MAX; i++)
		in.nodes[i] = json_pack("{s:s}", "node-name", "n");
	ck_assert_int_eq(args_build(&in, &a), 0);
	args_free(&a);
	for (unsigned int i = 0; i < ARGS_NODES_MAX; i++)
		json_decref(in.nodes[i]);
}
END_TEST

/* ---- monitor ---- */

static const struct {
	const char *line;
	int result;
	enum qmp_kind kind;
	const char *text;
} said[] = {
	{ "{\"QMP\": {\"version\": {}}}", 0, QMP_GREETING, NULL },
	{ "{\"return\": {}}", 0, QMP_RETURN, NULL },
	{ "{\"return\": 7}", 0, QMP_RETURN, NULL },
	{ "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}", 0, QMP_ERROR, "no" },
	{ "{\"event\": \"STOP\", \"timestamp\": {}}", 0, QMP_EVENT, "STOP" },
	{ "", -EBADMSG, 0, NULL },
	{ "[]", -EBADMSG, 0, NULL },
	{ "{}", -EBADMSG, 0, NULL },
	{ "{\"error\": \"no\"}", -EBADMSG, 0, NULL },
	{ "{\"error\": {\"desc\": 3}}", -EBADMSG, 0, NULL },
	{ "{\"event\": 1}", -EBADMSG, 0, NULL },
	{ "{\"return\": 1, \"return\": 2}", -EBADMSG, 0, NULL },
	{ "{\"return\": {}} x", -EBADMSG, 0, NULL },
};

START_TEST(monitor_lines)
{
	struct qmp_message m = { 0 };

	ck_assert_int_eq(qmp_parse(said[_i].line, strlen(said[_i].line), &m), said[_i].result);
	if (said[_i].result)
		return;
	ck_assert_int_eq(m.kind, said[_i].kind);
	if (said[_i].text)
		ck_assert_str_eq(m.text, said[_i].text);
	qmp_message_clear(&m);
}
END_TEST

START_TEST(lines_come_in_pieces)
{
	static const char text[] = "{\"a\":1}\r\n\n{\"b\":2}\nrest";
	struct qmp_lines *l = calloc(1, sizeof(*l));
	const char *line;
	size_t len, n = 0;
	char *at;

	for (const char *c = text; *c; c++) {
		ck_assert_uint_gt(qmp_lines_room(l, &at), 0);
		*at = *c;
		qmp_lines_added(l, 1);
		while ((line = qmp_lines_next(l, &len))) {
			static const char *const want[] = { "{\"a\":1}", "", "{\"b\":2}" };

			ck_assert_uint_lt(n, 3);
			ck_assert_uint_eq(len, strlen(want[n]));
			ck_assert_int_eq(memcmp(line, want[n], len), 0);
			n++;
		}
	}
	ck_assert_uint_eq(n, 3);
	free(l);
}
END_TEST

START_TEST(a_line_without_end)
{
	struct qmp_lines *l = calloc(1, sizeof(*l));
	size_t room, len;
	char *at;

	while ((room = qmp_lines_room(l, &at))) {
		memset(at, 'x', room);
		qmp_lines_added(l, room);
		ck_assert_ptr_null(qmp_lines_next(l, &len));
	}
	ck_assert_uint_eq(l->used, QMP_LINE_MAX);
	free(l);
}
END_TEST

/* ---- slots ---- */

START_TEST(slots_of_the_machines)
{
	struct pager_slot s[PAGER_SLOTS_MAX];

	ck_assert_uint_eq(ram_slots("microvm", 1 << 30, s), 0);
	ck_assert_uint_eq(ram_slots("pc", 0xdfe00000, s), 1);
	ck_assert_uint_eq(s[0].npages, 0xdfe00);
	ck_assert_uint_eq(ram_slots("pc", 0xe0000000, s), 2);
	ck_assert_uint_eq(s[0].npages, 0xc0000);
	ck_assert_uint_eq(s[1].gfn, 0x100000);
	ck_assert_uint_eq(s[1].page, 0xc0000);
	ck_assert_uint_eq(s[1].npages, 0x20000);
	ck_assert_uint_eq(ram_slots("q35", 0xafe00000, s), 1);
	ck_assert_uint_eq(ram_slots("q35", 0xb0000000, s), 2);
	ck_assert_uint_eq(s[0].npages, 0x80000);
	ck_assert_uint_eq(s[1].npages, 0x30000);
	ck_assert_uint_eq(bitmap_bytes(s, 2), 0x130000 / 8);
	ck_assert_uint_eq(bitmap_bytes(s, 1), 0x80000 / 8);
	s[0].npages = 1;
	ck_assert_uint_eq(bitmap_bytes(s, 1), 4096);
}
END_TEST

/* ---- qcow2 ---- */

static int make_overlay(uint64_t size, char *head)
{
	int fd = memfd_create("overlay", 0), r = qcow2_make_empty(fd, size);

	ck_assert_int_eq(pread(fd, head, QCOW2_HEAD, 0), r ? 0 : QCOW2_HEAD);
	close(fd);
	return r;
}

START_TEST(overlays_say_their_size)
{
	char head[QCOW2_HEAD];
	uint64_t size;

	ck_assert_int_eq(make_overlay(10ULL << 30, head), 0);
	ck_assert_int_eq(qcow2_size(head, sizeof(head), &size), 0);
	ck_assert_uint_eq(size, 10ULL << 30);
	ck_assert_int_eq(make_overlay(1ULL << 62, head), -EFBIG);
}
END_TEST

START_TEST(bases_that_are_refused)
{
	char head[QCOW2_HEAD];
	uint64_t size;

	ck_assert_int_eq(make_overlay(1 << 20, head), 0);
	for (size_t n = 0; n < sizeof(head); n++)
		ck_assert_int_eq(qcow2_size(head, n, &size), -EBADMSG);
	head[0] ^= 1;
	ck_assert_int_eq(qcow2_size(head, sizeof(head), &size), -EBADMSG);
	head[0] ^= 1;
	head[15] = 1;		/* backing_file_offset */
	ck_assert_int_eq(qcow2_size(head, sizeof(head), &size), -EMLINK);
	head[15] = 0;
	head[35] = 2;		/* crypt_method */
	ck_assert_int_eq(qcow2_size(head, sizeof(head), &size), -EOPNOTSUPP);
	head[35] = 0;
	head[79] = 4;		/* incompatible: external data file */
	ck_assert_int_eq(qcow2_size(head, sizeof(head), &size), -EOPNOTSUPP);
}
END_TEST

/* ---- descriptors ---- */

static const char small[] = "QEVM\0\0\0\3\4some device's state, some device's state\0";

START_TEST(descriptors_survive_storing)
{
	void *stored, *raw;
	size_t n, m;

	ck_assert_int_eq(descriptor_pack(small, sizeof(small), &stored, &n), 0);
	ck_assert_int_eq(descriptor_unpack(stored, n, &raw, &m), 0);
	ck_assert_uint_eq(m, sizeof(small));
	ck_assert_int_eq(memcmp(raw, small, m), 0);
	free(raw);
	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(descriptor_unpack(stored, cut, &raw, &m), -EBADMSG);
	((uint32_t *)stored)[1] = htole32(DESCRIPTOR_MAX + 1);
	ck_assert_int_eq(descriptor_unpack(stored, n, &raw, &m), -EFBIG);
	((uint32_t *)stored)[1] = htole32(sizeof(small) - 1);
	ck_assert_int_eq(descriptor_unpack(stored, n, &raw, &m), -EBADMSG);
	free(stored);
}
END_TEST

/* A pipe as full as it gets, a reader that comes and goes: nothing is lost nor sent twice. */
START_TEST(a_descriptor_is_fed)
{
	static char sent[300000], got[sizeof(sent)];
	int pipes[2], file = memfd_create("state", MFD_CLOEXEC), r;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7 + i / 251);
	ck_assert_int_eq(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	ck_assert_int_eq(write(file, sent, sizeof(sent)), sizeof(sent));
	ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
	while ((r = descriptor_feed(pipes[1], file)) == 0)
		for (ssize_t m; (m = read(pipes[0], got + n, sizeof(got) - n)) > 0;)
			n += (size_t)m;
	ck_assert_int_eq(r, 1);
	n += (size_t)read(pipes[0], got + n, sizeof(got) - n);
	ck_assert_uint_eq(n, sizeof(got));
	ck_assert_int_eq(memcmp(sent, got, sizeof(got)), 0);
	close(pipes[1]);
	close(pipes[0]);
	close(file);
}
END_TEST

/* QEMU has all of it, and has closed its end before the writer looks again. */
START_TEST(a_quick_reader_is_no_error)
{
	int pipes[2], file = memfd_create("state", MFD_CLOEXEC);

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	ck_assert_int_eq(write(file, small, sizeof(small)), sizeof(small));
	close(pipes[0]);
	ck_assert_int_eq(descriptor_feed(pipes[1], file), 1);
	ck_assert_int_eq(lseek(file, 1, SEEK_SET), 1);
	ck_assert_int_eq(descriptor_feed(pipes[1], file), -EPIPE);
	close(pipes[1]);
	close(file);
}
END_TEST

START_TEST(what_is_no_descriptor)
{
	char buf[sizeof(small)];
	void *out;
	size_t n;

	for (size_t i = 0; i < 9; i++) {
		memcpy(buf, small, sizeof(buf));
		buf[i] ^= 0x40;
		ck_assert_int_eq(descriptor_check(buf, sizeof(buf)), -EBADMSG);
		ck_assert_int_eq(descriptor_pack(buf, sizeof(buf), &out, &n), -EBADMSG);
	}
	ck_assert_int_eq(descriptor_check(small, 9), -EBADMSG);
	ck_assert_int_eq(descriptor_check(small, sizeof(small) - 3), -EBADMSG);
	ck_assert_int_eq(descriptor_check(small, DESCRIPTOR_MAX + 1U), -EFBIG);
}
END_TEST

/* ---- ivshmem ---- */

/* Reads as QEMU does: 8 bytes at a time. */
static int64_t take(int sock, int *fd)
{
	unsigned int nfds;
	int fds[FDPASS_MAX];
	uint64_t v;

	ck_assert_int_eq(fd_recv(sock, &v, sizeof(v), fds, &nfds), sizeof(v));
	ck_assert_uint_le(nfds, 1);
	*fd = nfds ? fds[0] : -1;
	return (int64_t)le64toh(v);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

START_TEST(ivshmem_handshake)
{
	int memory = memfd_create("memory", 0), fd;
	struct pollfd bell;
	struct ivshmem iv;

	ck_assert_int_eq(ivshmem_open(&iv), 0);
	ck_assert_int_eq(ivshmem_send_memory(&iv, memory), 0);
	ck_assert_int_eq(ivshmem_read_by_qemu(&iv), 0);
	ck_assert_int_eq(take(iv.qemu, &fd), 0);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(take(iv.qemu, &fd), IVSHMEM_GUEST_PEER);
	ck_assert_int_eq(take(iv.qemu, &fd), -1);
	ck_assert(same_file(fd, memory));
	close(fd);
	ck_assert_int_eq(ivshmem_read_by_qemu(&iv), 1);

	ck_assert_int_eq(ivshmem_send_vectors(&iv), 0);
	ck_assert_int_eq(take(iv.qemu, &fd), IVSHMEM_HOST_PEER);
	bell = (struct pollfd){ .fd = iv.bell, .events = POLLIN };
	ck_assert_int_eq(poll(&bell, 1, 0), 0);
	ck_assert_int_eq(write(fd, &(uint64_t){ 1 }, 8), 8);
	ck_assert_int_eq(poll(&bell, 1, 0), 1);
	ivshmem_rang(&iv);
	ck_assert_int_eq(poll(&bell, 1, 0), 0);
	close(fd);
	ck_assert_int_eq(take(iv.qemu, &fd), IVSHMEM_GUEST_PEER);
	bell.fd = fd;
	ck_assert_int_eq(poll(&bell, 1, 0), 0);
	ivshmem_kick(&iv);
	ck_assert_int_eq(poll(&bell, 1, 0), 1);
	close(fd);
	close(memory);
	ivshmem_close(&iv);
	ck_assert_int_eq(iv.sock, -1);
}
END_TEST

START_TEST(present_pages)
{
	uint8_t some[] = { PAGE_PRESENT, PAGE_ZERO, PAGE_PRESENT, PAGE_ABSENT };
	int fd = memfd_create("presence", MFD_CLOEXEC);
	uint64_t n = 99;

	ck_assert_int_eq(presence_count(-1, &n), -EBADF);
	ck_assert_int_eq(presence_count(fd, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(ftruncate(fd, 16 << 20), 0);
	ck_assert_int_eq(presence_count(fd, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(pwrite(fd, some, sizeof(some), 0), sizeof(some));
	ck_assert_int_eq(pwrite(fd, some, sizeof(some), (5 << 20) + 4094), sizeof(some));
	ck_assert_int_eq(pwrite(fd, some, 1, (16 << 20) - 1), 1);
	ck_assert_int_eq(presence_count(fd, &n), 0);
	ck_assert_uint_eq(n, 5);
	close(fd);
}
END_TEST

/* ---- what cannot be forked ---- */

START_TEST(arguments_of_the_hosts)
{
	static const struct {
		const char *option, *value, *says;
	} args[] = {
		{ "-netdev", "vhost-user,id=n,chardev=c", "another process" },
		{ "--netdev", "vhost-vdpa,id=n,vhostdev=/dev/x", "the host's" },
		{ "-tpmdev", "passthrough,id=t", "the host's" },
		{ "-virtfs", "local,path=/x", "shared" }, { "-mem-path", "/dev/hugepages", "image" },
		{ "-netdev", "user,id=n", NULL }, { "-device", "vhost-user,no option", NULL },
		{ "netdev", "vhost-user", NULL },
	};
	struct vm_config c = { .nextra = 2 };

	for (size_t i = 0; i < sizeof(args) / sizeof(*args); i++) {
		char why[160] = "";

		strcpy(c.extra[0], args[i].option);
		strcpy(c.extra[1], args[i].value);
		forkable_args(&c, why, sizeof(why));
		if (args[i].says)
			ck_assert_msg(strstr(why, args[i].says) != NULL, "%s: '%s'", args[i].value, why);
		else
			ck_assert_str_eq(why, "");
	}
}
END_TEST

START_TEST(devices_of_the_hosts)
{
	json_t *list = json_pack("[{s:s,s:s}, {s:s,s:s}]", "name", "type", "type", "string",
				 "name", "net0", "type", "child<pci-testdev>");
	char why[160] = "";

	ck_assert_ptr_null(forkable_devices(list, why, sizeof(why)));
	ck_assert_str_eq(why, "");
	json_array_append_new(list, json_pack("{s:s,s:s}", "name", "gpu", "type",
					      "child<vfio-pci>"));
	ck_assert_str_eq(forkable_devices(list, why, sizeof(why)), "gpu");
	ck_assert_str_eq(why, "vfio-pci gpu: a device of the host's");
	/* the first reason stays */
	forkable_devices(list, why, sizeof(why));
	ck_assert_str_eq(why, "vfio-pci gpu: a device of the host's");
	json_decref(list);
	ck_assert_ptr_null(forkable_devices(NULL, why, sizeof(why)));
}
END_TEST

START_TEST(memory_and_disks_of_others)
{
	json_t *own = json_pack("[{s:s}]", "id", "ram"), *more = json_pack("[{s:s}, {s:s}]", "id",
		"ram", "id", "huge\n");
	json_t *disks = json_pack("[{s:s,s:s,s:{s:b}}, {s:s,s:s}, {s:s,s:s,s:{s:b}}]",
		"device", "", "qdev", "/machine/peripheral/disk0/virtio-backend", "inserted", "ro", 0,
		"device", "cd", "qdev", "/machine/peripheral/x",
		"device", "iso", "qdev", "/machine/peripheral/y", "inserted", "ro", 1);
	char why[160] = "";

	forkable_memory(own, why, sizeof(why));
	forkable_disks(disks, why, sizeof(why));
	ck_assert_str_eq(why, "");
	forkable_memory(more, why, sizeof(why));
	ck_assert_str_eq(why, "memory backend huge?: memory that is not in an image");
	why[0] = '\0';
	json_array_append_new(disks, json_pack("{s:s,s:{s:b,s:s}}", "device", "", "inserted", "ro", 0,
					       "node-name", "swap"));
	forkable_disks(disks, why, sizeof(why));
	ck_assert_ptr_nonnull(strstr(why, "swap is a disk without overlay"));
	json_decref(own);
	json_decref(more);
	json_decref(disks);
}
END_TEST

START_TEST(state_that_qemu_cannot_save)
{
	json_t *m = json_pack("{s:[s]}", "blocked-reasons", "no\033 way");
	char why[160] = "";

	forkable_state(m, why, sizeof(why));
	ck_assert_str_eq(why, "no? way");
	json_decref(m);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu");
	TCase *t = tcase_create("all");

	tcase_add_test(t, root_has_kernel_and_may_reboot);
	tcase_add_test(t, standby_waits_and_has_the_same_devices);
	tcase_add_test(t, disks_are_descriptors);
	tcase_add_test(t, most_disks_fit);
	tcase_add_loop_test(t, monitor_lines, 0, sizeof(said) / sizeof(said[0]));
	tcase_add_test(t, lines_come_in_pieces);
	tcase_add_test(t, a_line_without_end);
	tcase_add_test(t, slots_of_the_machines);
	tcase_add_test(t, overlays_say_their_size);
	tcase_add_test(t, bases_that_are_refused);
	tcase_add_test(t, descriptors_survive_storing);
	tcase_add_test(t, what_is_no_descriptor);
	tcase_add_test(t, a_descriptor_is_fed);
	tcase_add_test(t, a_quick_reader_is_no_error);
	tcase_add_test(t, ivshmem_handshake);
	tcase_add_test(t, present_pages);
	tcase_add_test(t, arguments_of_the_hosts);
	tcase_add_test(t, devices_of_the_hosts);
	tcase_add_test(t, memory_and_disks_of_others);
	tcase_add_test(t, state_that_qemu_cannot_save);
	suite_add_tcase(s, t);
	return run_suite(s);
}
