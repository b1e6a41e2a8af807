// SPDX-License-Identifier: GPL-2.0-or-later
/* vmlink by userfaultfd(2): the VM is a process whose RAM is registered MISSING. */
#include "vmlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pager_proto.h"

static struct uffdio_range range_of(const struct vmlink *l, uint64_t page, uint64_t npages)
{
	return (struct uffdio_range){
		.start = l->base + page * PAGER_PAGE_SIZE,
		.len = npages * PAGER_PAGE_SIZE,
	};
}

/*
 * The userfaultfd was registered for missing pages only and with no features. A
 * fork event is harmless (the child is not served); any other says that the mapping
 * is no longer what was registered: such a VM cannot be served.
 */
static int take_event(const struct vmlink *l, const struct uffd_msg *m, struct fault *f)
{
	uint64_t offset;

	if (m->event == UFFD_EVENT_FORK) {
		close((int)m->arg.fork.ufd);
		return 0;
	}
	if (m->event != UFFD_EVENT_PAGEFAULT)
		return -EPROTO;
	offset = m->arg.pagefault.address - l->base;
	if (offset >= l->npages * PAGER_PAGE_SIZE)
		return -ERANGE;
	f->page = offset / PAGER_PAGE_SIZE;
	f->write = m->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE;
	return 1;
}

static int uffd_read(struct vmlink *l, struct fault *faults)
{
	struct uffd_msg msgs[VMLINK_BATCH];
	int taken = 0;
	ssize_t n;

	n = read(l->fd, msgs, sizeof(msgs));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (size_t i = 0; i < (size_t)n / sizeof(msgs[0]); i++) {
		int r = take_event(l, &msgs[i], &faults[taken]);

		if (r < 0)
			return r;
		taken += r;
	}
	return taken;
}

static int uffd_wake(struct vmlink *l, uint64_t page, uint64_t npages)
{
	struct uffdio_range r = range_of(l, page, npages);

	return ioctl(l->fd, UFFDIO_WAKE, &r) < 0 ? -errno : 0;
}

/* The kernel stops at a page that is there, and says -EAGAIN of what it has done before. */
static int uffd_zero(struct vmlink *l, uint64_t page, unsigned int npages)
{
	struct uffdio_zeropage z = { .range = range_of(l, page, npages) };

	if (ioctl(l->fd, UFFDIO_ZEROPAGE, &z) == 0)
		return (int)npages;
	return z.zeropage > 0 ? (int)(z.zeropage / PAGER_PAGE_SIZE) : -errno;
}

static int uffd_copy(struct vmlink *l, uint64_t page, const void *data)
{
	struct uffdio_copy c = {
		.dst = l->base + page * PAGER_PAGE_SIZE,
		.src = (uint64_t)(uintptr_t)data,
		.len = PAGER_PAGE_SIZE,
	};

	return ioctl(l->fd, UFFDIO_COPY, &c) < 0 ? -errno : 0;
}

static void uffd_close(struct vmlink *l)
{
	close(l->fd);
	l->fd = -1;
}

static const struct vmlink_ops uffd_ops = {
	.read = uffd_read,
	.wake = uffd_wake,
	.zero = uffd_zero,
	.copy = uffd_copy,
	.close = uffd_close,
};

void vmlink_uffd_init(struct vmlink *l, int fd, uint64_t base, uint64_t npages)
{
	int fl = fcntl(fd, F_GETFL);

	/* A blocking userfaultfd could stop the pager, and poll(2) refuses it. */
	if (fl >= 0)
		fcntl(fd, F_SETFL, fl | O_NONBLOCK);
	*l = (struct vmlink){ .ops = &uffd_ops, .fd = fd, .base = base, .npages = npages };
}
