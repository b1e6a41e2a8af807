// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's RAM inside QEMU, as the RAM library maps it. */
#include "ram.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snapshot.h"
#include "util.h"

#define RAM_PAGE 4096U

/* Advice of QEMU that is repeated. MADV_HUGEPAGE is for anonymous memory only. */
static const int repeated[] = { MADV_MERGEABLE, MADV_DONTDUMP, MADV_HUGEPAGE };

/* The real mmap: this library interposes the C library's. */
static void *map(void *addr, size_t len, int prot, int flags, int fd)
{
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, 0);
}

static int advise(const struct ram *r, int advice)
{
	return syscall(SYS_madvise, r->base, r->len, advice) < 0 ? -errno : 0;
}

int ram_take(struct ram *r, void *addr, size_t len, int prot, int flags, off_t offset,
	     off_t file_size)
{
	void *p;

	if (r->base)
		return -EBUSY;
	if ((flags & MAP_TYPE) != MAP_SHARED || !(flags & MAP_FIXED) || offset ||
	    prot != (PROT_READ | PROT_WRITE) || len != (size_t)file_size || len % RAM_PAGE)
		return -EINVAL;
	p = map(addr, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1);
	if (p == MAP_FAILED)
		return -errno;
	r->base = p;
	r->len = len;
	r->uffd = -1;
	advise(r, MADV_HUGEPAGE);
	return advise(r, MADV_DONTFORK);
}

bool ram_note_advice(struct ram *r, const void *addr, size_t len, int advice)
{
	if (!r->base || addr != r->base || len != r->len)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++) {
		if (advice == repeated[i])
			r->advice |= 1U << i;
	}
	return r->uffd < 0 || advice != MADV_HUGEPAGE;
}

/*
 * No huge pages over an image: khugepaged may fill an image's holes with zeros. The
 * rest is advice: a kernel without it (KSM) says EINVAL, as it said to QEMU.
 */
static int advise_again(const struct ram *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++) {
		if (r->advice & 1U << i && repeated[i] != MADV_HUGEPAGE)
			advise(r, repeated[i]);
	}
	advise(r, MADV_NOHUGEPAGE);
	return advise(r, MADV_DONTFORK);
}

static int uffd_open(int dev)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd;

	if (dev >= 0)
		fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	else
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int uffd_register(const struct ram *r, int uffd)
{
	struct uffdio_register reg = {
		.range = { .start = (uint64_t)(uintptr_t)r->base, .len = r->len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg) < 0 ? -errno : 0;
}

static int replace(const struct ram *r, int fd, int uffd)
{
	int err;

	if (map(r->base, r->len, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd) ==
	    MAP_FAILED)
		return -errno;
	err = advise_again(r);
	if (!err)
		err = uffd_register(r, uffd);
	if (!err && mprotect(r->base, r->len, PROT_READ | PROT_WRITE) < 0)
		err = -errno;
	return err;
}

int ram_map_image(struct ram *r, int fd, int dev)
{
	struct stat st;
	int uffd, err;

	if (!r->base)
		return -ENXIO;
	if (r->uffd >= 0)
		return -EBUSY;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size != r->len)
		return -EINVAL;
	uffd = uffd_open(dev);
	if (uffd < 0)
		return uffd;
	err = replace(r, fd, uffd);
	if (err) {
		close(uffd);
		return err;
	}
	r->uffd = uffd;
	return uffd;
}

pid_t ram_snapshot(const struct ram *r, int lifeline)
{
	pid_t pid;
	int err;

	if (!r->base)
		return -ENXIO;
	err = advise(r, MADV_DOFORK);
	if (err)
		return err;
	pid = _Fork();
	if (pid == 0)
		snapshot_hold(lifeline);
	err = pid < 0 ? -errno : 0;
	advise(r, MADV_DONTFORK);
	return err ? err : pid;
}
