// SPDX-License-Identifier: GPL-2.0-or-later
/* Test VMs, snapshots, images and clones, as vmforkd would handle them. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdpass.h"
#include "util.h"

static uint64_t next_handle = 1000;

static const struct pager_slot slots[2] = {
	{ .gfn = 0, .page = 0, .npages = RIG_HALF },
	{ .gfn = RIG_HIGH_GFN, .page = RIG_HALF, .npages = RIG_PAGES - RIG_HALF },
};

static int memory_file(uint64_t bytes)
{
	int fd = memfd_create("vmfork-test", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)bytes) < 0)
		return -errno;
	return fd < 0 ? -errno : fd;
}

static void __attribute__((noreturn)) run_vm(int ram, int ctl, int cmd)
{
	const char *lib = getenv("VMFORK_RAMLIB");
	char file[64], ctl_fd[16], cmd_fd[16], uffd_fd[16], path[64], preload[256];
	struct stat st;

	fstat(ram, &st);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dup(ram));
	snprintf(file, sizeof(file), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	snprintf(ctl_fd, sizeof(ctl_fd), "%d", dup(ctl));
	snprintf(cmd_fd, sizeof(cmd_fd), "%d", dup(cmd));
	snprintf(uffd_fd, sizeof(uffd_fd), "%d", open("/dev/userfaultfd", O_RDWR));
	snprintf(preload, sizeof(preload), "%s", lib ? lib : "build/lib/libvmfork-ram.so");
	setenv("VMFORK_RAM_FILE", file, 1);
	setenv("VMFORK_RAM_CTL", ctl_fd, 1);
	setenv("VMFORK_RAM_UFFD", uffd_fd, 1);
	setenv("LD_PRELOAD", preload, 1);
	execl("build/bin/vmfork-test-vm", "vmfork-test-vm", path, cmd_fd, (char *)NULL);
	perror("build/bin/vmfork-test-vm");
	_exit(127);
}

static int ram_receive(struct vm *vm, struct ramlib_rep *rep, int *fds, unsigned int *nfds)
{
	ssize_t n;

	if (!recv_wait(vm->ctl))
		return -ETIMEDOUT;
	n = fd_recv(vm->ctl, rep, sizeof(*rep), fds, nfds);
	return n < 0 ? (int)n : n == sizeof(*rep) ? 0 : -EPIPE;
}

int vm_start(struct vm *vm)
{
	_cleanup_close_ int ram = memory_file(RIG_PAGES * PAGER_PAGE_SIZE);
	int ctl[2], cmd[2], fds[FDPASS_MAX], err;
	struct ramlib_rep hello;
	unsigned int nfds;

	*vm = (struct vm){ .uffd = -1, .avoid = memory_file(RIG_BITMAP_OFFSET + RIG_BITMAP) };
	if (ram < 0 || vm->avoid < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, cmd) < 0)
		return -errno;
	vm->pid = fork();
	if (vm->pid == 0)
		run_vm(ram, ctl[1], cmd[1]);
	close(ctl[1]);
	close(cmd[1]);
	vm->ctl = ctl[0];
	vm->cmd = cmd[0];
	vm->handle = next_handle++;
	err = ram_receive(vm, &hello, fds, &nfds);
	if (err)
		return err;
	vm->base = hello.base;
	return hello.op == RAMLIB_HELLO && hello.pid == vm->pid &&
	       hello.len == RIG_PAGES * PAGER_PAGE_SIZE ? 0 : -EPROTO;
}

void vm_kill(struct vm *vm)
{
	kill(vm->pid, SIGKILL);
	waitpid(vm->pid, NULL, 0);
	close(vm->ctl);
	close(vm->cmd);
	close(vm->avoid);
	if (vm->uffd >= 0)
		close(vm->uffd);
}

void vm_order(struct vm *vm, enum tvm_op op, uint64_t first, uint64_t n, uint64_t seed,
	      unsigned int threads)
{
	struct tvm_order o = {
		.op = op, .first = first, .npages = n, .seed = seed, .threads = threads,
	};

	fd_send(vm->cmd, &o, sizeof(o), NULL, 0);
}

int64_t vm_answer(struct vm *vm)
{
	int64_t v;

	if (!recv_wait(vm->cmd))
		return -ETIMEDOUT;
	return recv(vm->cmd, &v, sizeof(v), 0) == sizeof(v) ? v : -EPIPE;
}

int64_t vm_fill(struct vm *vm, uint64_t first, uint64_t n, uint64_t seed)
{
	vm_order(vm, TVM_FILL, first, n, seed, 1);
	return vm_answer(vm);
}

int64_t vm_check(struct vm *vm, uint64_t first, uint64_t n, uint64_t seed)
{
	vm_order(vm, TVM_CHECK, first, n, seed, 1);
	return vm_answer(vm);
}

static uint64_t gfn_of(uint64_t page)
{
	return page < RIG_HALF ? page : RIG_HIGH_GFN + page - RIG_HALF;
}

int64_t vm_poisoned(struct vm *vm, uint64_t first, uint64_t n)
{
	vm_order(vm, TVM_POISONED, first, n, gfn_of(first), 1);
	return vm_answer(vm);
}

void vm_avoid(struct vm *vm, uint64_t first, uint64_t n, bool set)
{
	for (uint64_t page = first; page < first + n; page++) {
		uint64_t gfn = gfn_of(page);
		off_t at = (off_t)(RIG_BITMAP_OFFSET + gfn / 8);
		uint8_t byte = 0;

		if (pread(vm->avoid, &byte, 1, at) != 1)
			return;
		byte = set ? byte | 1 << gfn % 8 : byte & ~(1 << gfn % 8);
		if (pwrite(vm->avoid, &byte, 1, at) != 1)
			return;
	}
}

int ram_ctl(struct vm *vm, uint32_t op, int fd, struct ramlib_rep *ret_rep, int *ret_fds,
	    unsigned int *ret_nfds)
{
	struct ramlib_req req = { .op = op };
	int err = fd_send(vm->ctl, &req, sizeof(req), &fd, fd >= 0);

	if (!err)
		err = ram_receive(vm, ret_rep, ret_fds, ret_nfds);
	return err ? err : ret_rep->result;
}

static int copy_bitmap(const struct vm *vm)
{
	static uint8_t buf[RIG_BITMAP_OFFSET + RIG_BITMAP];
	int fd = memory_file(sizeof(buf));

	if (fd >= 0 && pread(vm->avoid, buf, sizeof(buf), 0) == (ssize_t)sizeof(buf) &&
	    pwrite(fd, buf, sizeof(buf), 0) == (ssize_t)sizeof(buf))
		return fd;
	return -EIO;
}

int image_take(struct image_rig *img, struct vm *vm, int file, uint64_t lower)
{
	int life[2], fds[FDPASS_MAX], err;
	struct ramlib_rep rep;
	unsigned int nfds = 0;

	*img = (struct image_rig){
		.handle = next_handle++, .lower = lower, .base = vm->base,
		.file = file >= 0 ? file : memory_file(RIG_PAGES * PAGER_PAGE_SIZE),
		.map = memory_file(RIG_PAGES), .frozen = copy_bitmap(vm),
	};
	if (pipe2(life, O_CLOEXEC) < 0)
		return -errno;
	img->lifeline = life[1];
	err = ram_ctl(vm, RAMLIB_SNAPSHOT, life[0], &rep, fds, &nfds);
	close(life[0]);
	if (err || nfds != 2)
		return err ? err : -EPROTO;
	img->snapshot = (pid_t)rep.pid;
	img->mem = fds[0];
	img->pagemap = fds[1];
	return 0;
}

bool image_end_snapshot(struct image_rig *img)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, img->snapshot, 0);

	close(img->lifeline);
	img->lifeline = -1;
	return pidfd >= 0 && recv_wait(pidfd);
}

void image_drop(struct image_rig *img)
{
	close(img->file);
	close(img->map);
	close(img->mem);
	close(img->pagemap);
	close(img->frozen);
	if (img->lifeline >= 0)
		close(img->lifeline);
}

static struct pager_req request(uint32_t op, uint64_t handle, uint64_t base)
{
	return (struct pager_req){
		.op = op, .handle = handle, .base = base, .npages = RIG_PAGES,
		.bitmap_offset = RIG_BITMAP_OFFSET, .bitmap_bytes = RIG_BITMAP,
		.nslots = 2, .slots = { slots[0], slots[1] },
	};
}

int image_add(struct pgproc *pg, const struct image_rig *img)
{
	struct pager_req req = request(PAGER_IMAGE_ADD, img->handle, img->base);
	int fds[] = { img->file, img->map, img->mem, img->pagemap, img->frozen };

	req.source = PAGER_SOURCE_SNAPSHOT;
	req.lower = img->lower;
	return pg_call(pg, &req, fds, img->lower ? 5 : 4, NULL);
}

uint8_t image_state_of(const struct image_rig *img, uint64_t page)
{
	uint8_t s = 0xff;

	return pread(img->map, &s, 1, (off_t)page) == 1 ? s : 0xff;
}

uint64_t image_pages_in_file(const struct image_rig *img)
{
	struct stat st;

	return fstat(img->file, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512 / PAGER_PAGE_SIZE;
}

int clone_start(struct vm *vm, const struct image_rig *img)
{
	int fds[FDPASS_MAX], err = vm_start(vm);
	unsigned int nfds = 0;
	struct ramlib_rep rep;

	if (!err)
		err = ram_ctl(vm, RAMLIB_MAP, img->file, &rep, fds, &nfds);
	if (err || nfds != 1)
		return err ? err : -EPROTO;
	vm->uffd = fds[0];
	return 0;
}

int clone_add(struct pgproc *pg, const struct vm *vm, const struct image_rig *img, uint32_t flags)
{
	struct pager_req req = request(PAGER_CLONE_ADD, vm->handle, vm->base);
	int fds[] = { vm->uffd, vm->avoid };

	req.image = img->handle;
	req.flags = flags;
	return pg_call(pg, &req, fds, 2, NULL);
}
