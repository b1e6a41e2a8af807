// SPDX-License-Identifier: GPL-2.0-or-later
/* vmlink by Xen's memory paging: faults are requests in the domain's paging ring. */
#include "xen_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xen/io/ring.h>
#include <xen/sys/evtchn.h>
#include <xen/vm_event.h>

#include "log.h"
#include "util.h"

/**
 * DOC: The ring, and another pager
 *
 * Xen puts requests into the ring and does not use their slots again before they are
 * answered. Answers are given strictly in the requests' order: the producer index of the
 * answers, which is in the shared page, therefore says which requests are still to be
 * answered, and a pager that comes after one that was killed begins there. A slot that
 * had its answer written and not published names the same gfn and vCPU: it is read as
 * the request it was.
 *
 * The page can be written by the guest. All that is read from it is copied once and
 * checked; rubbish harms nobody but the guest: at most its own vCPUs are unpaused.
 *
 * There is no page cache that domains share: a page that is present in the image is
 * copied into the domain by xc_mem_paging_load(). That it was there already (two vCPUs
 * wanted it) is no error; the vCPU goes on in any case.
 */
#define ROUNDS_MAX	4
#define ROOM_TURNS	64	/* pages given before the host's memory is looked at again */
#define ROOM_RESERVE	16	/* of the host's memory, in parts: for who waits for a page */
#define ROOM_PAGES	65536	/* and no more than that */

struct vmlink_xen {
	uint32_t domain;
	uint32_t port;
	int image;
	void *page;
	vm_event_back_ring_t ring;
	uint8_t *came;			/* bit per page: it is there, as far as this pager knows */
	unsigned int n;			/* taken and not answered, in their order */
	struct {
		vm_event_request_t req;
		bool done;
	} taken[VMLINK_BATCH];
};

static xc_interface *xc;
static xenforeignmemory_handle *fmem;
static uint8_t buf[PAGER_PAGE_SIZE] __attribute__((aligned(PAGER_PAGE_SIZE)));
static const uint8_t zeros[PAGER_PAGE_SIZE] __attribute__((aligned(PAGER_PAGE_SIZE)));

int xen_link_setup(void)
{
	xc = xc_interface_open(NULL, NULL, 0);
	fmem = xenforeignmemory_open(NULL, 0);
	return xc && fmem ? 0 : -ENODEV;
}

/* The event only says that there may be something; it must be allowed to come again. */
static int take_events(const struct vmlink *l)
{
	evtchn_port_t port;

	while (read(l->fd, &port, sizeof(port)) == sizeof(port)) {
		if (write(l->fd, &port, sizeof(port)) != sizeof(port))
			return -EIO;
	}
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static void notify(const struct vmlink *l)
{
	struct ioctl_evtchn_notify n = { .port = l->xen->port };

	ioctl(l->fd, IOCTL_EVTCHN_NOTIFY, &n);
}

static void put_answer(struct vmlink_xen *x, const vm_event_request_t *req)
{
	vm_event_response_t rsp = {
		.version = VM_EVENT_INTERFACE_VERSION,
		.vcpu_id = req->vcpu_id,
		.flags = req->flags,
		.reason = req->reason,
		.u.mem_paging = req->u.mem_paging,
	};

	memcpy(RING_GET_RESPONSE(&x->ring, x->ring.rsp_prod_pvt), &rsp, sizeof(rsp));
	x->ring.rsp_prod_pvt++;
}

/* Those that are done and have nobody before them. */
static void answer_done(struct vmlink *l)
{
	struct vmlink_xen *x = l->xen;
	unsigned int k = 0;

	while (k < x->n && x->taken[k].done)
		put_answer(x, &x->taken[k++].req);
	if (!k)
		return;
	x->n -= k;
	memmove(x->taken, x->taken + k, x->n * sizeof(x->taken[0]));
	RING_PUSH_RESPONSES(&x->ring);
	notify(l);
}

static void mark_done(struct vmlink_xen *x, uint64_t page)
{
	for (unsigned int i = 0; i < x->n; i++) {
		if (x->taken[i].req.u.mem_paging.gfn == page)
			x->taken[i].done = true;
	}
}

/* What needs no page: the guest gave it back, or wrote rubbish into the ring. */
static bool wants_page(const struct vmlink *l, const vm_event_request_t *req)
{
	return req->version == VM_EVENT_INTERFACE_VERSION &&
		req->reason == VM_EVENT_REASON_MEM_PAGING &&
		!(req->u.mem_paging.flags & MEM_PAGING_DROP_PAGE) &&
		req->u.mem_paging.gfn < l->npages;
}

static int take_requests(struct vmlink *l, struct fault *faults)
{
	struct vmlink_xen *x = l->xen;
	int n = 0;

	while (x->n < VMLINK_BATCH && RING_HAS_UNCONSUMED_REQUESTS(&x->ring)) {
		vm_event_request_t *req = &x->taken[x->n].req;

		memcpy(req, RING_GET_REQUEST(&x->ring, x->ring.req_cons), sizeof(*req));
		x->ring.req_cons++;
		x->taken[x->n].done = !wants_page(l, req);
		if (!x->taken[x->n].done)
			faults[n++] = (struct fault){ .page = req->u.mem_paging.gfn };
		x->n++;
	}
	x->ring.sring->req_event = x->ring.req_cons + 1;
	return n;
}

static int xen_read(struct vmlink *l, struct fault *faults)
{
	int n = 0, r = take_events(l);

	if (r < 0)
		return r;
	/* what came before the event was asked for raises none; a guest that writes into its
	 * ring all the time does not keep us */
	for (int round = 0; round < ROUNDS_MAX; round++) {
		n += take_requests(l, faults + n);
		xen_mb();
		if (!RING_HAS_UNCONSUMED_REQUESTS(&l->xen->ring))
			break;
	}
	answer_done(l);
	return n;
}

/* Return: 1; 0: the page was there; or a negative errno */
static int load(struct vmlink *l, uint64_t page, const void *data)
{
	struct vmlink_xen *x = l->xen;
	int r = xc_mem_paging_load(xc, x->domain, page, (void *)(uintptr_t)data) ? -errno : 1;

	if (r < 0 && r != -ENOENT)
		return r;
	x->came[page / 8] |= (uint8_t)(1 << page % 8);
	mark_done(x, page);
	answer_done(l);
	return r > 0;
}

static int read_page(const struct vmlink_xen *x, uint64_t page)
{
	ssize_t n = pread(x->image, buf, sizeof(buf), (off_t)(page * sizeof(buf)));

	return n == sizeof(buf) ? 0 : n < 0 ? -errno : -EIO;
}

/* A whole range: only to have faults raised again, as those of the ring are anyway. */
static int xen_wake(struct vmlink *l, uint64_t page, uint64_t npages)
{
	int r = npages == 1 ? read_page(l->xen, page) : 0;

	if (!r && npages == 1)
		r = load(l, page, buf);
	return r < 0 ? r : 0;
}

static int xen_zero(struct vmlink *l, uint64_t page, unsigned int npages)
{
	int r = load(l, page, zeros);

	return r < 0 ? r : 1;
}

static int xen_copy(struct vmlink *l, uint64_t page, const void *data)
{
	int r = load(l, page, data);

	return r < 0 ? r : 0;
}

/* Looked at now and then: who needs memory may be quicker, which is then told to him. */
static bool host_has_room(void)
{
	static unsigned int turn;
	static bool room;
	xc_physinfo_t info;
	uint64_t reserve;

	if (turn++ % ROOM_TURNS)
		return room;
	room = xc_physinfo(xc, &info) == 0;
	if (room) {
		reserve = info.total_pages / ROOM_RESERVE;
		room = info.free_pages > (reserve < ROOM_PAGES ? reserve : ROOM_PAGES);
	}
	return room;
}

static int xen_give(struct vmlink *l, uint64_t page)
{
	int r;

	if (l->xen->came[page / 8] >> page % 8 & 1)
		return 0;
	r = host_has_room() ? read_page(l->xen, page) : -ENOSPC;
	return r ? r : load(l, page, buf);
}

static void xen_close(struct vmlink *l)
{
	xenforeignmemory_unmap(fmem, l->xen->page, 1);
	close(l->fd);
	l->fd = -1;
	free(l->xen->came);
	free(l->xen);
	l->xen = NULL;
}

static const struct vmlink_ops xen_ops = {
	.read = xen_read,
	.wake = xen_wake,
	.zero = xen_zero,
	.copy = xen_copy,
	.give = xen_give,
	.close = xen_close,
};

static int map_ring(struct vmlink_xen *x, uint64_t ring)
{
	xen_pfn_t gfn = ring;

	x->page = xenforeignmemory_map(fmem, x->domain, PROT_READ | PROT_WRITE, 1, &gfn, NULL);
	if (!x->page)
		return -errno;
	BACK_RING_ATTACH(&x->ring, (vm_event_sring_t *)x->page,
			 ((vm_event_sring_t *)x->page)->rsp_prod, PAGER_PAGE_SIZE);
	return 0;
}

int xen_link_open(struct vmlink *l, const struct pager_req *req, int *fd, int image)
{
	struct vmlink_xen *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->domain = req->xen.domain;
	x->port = req->xen.port;
	x->image = image;
	x->came = calloc(1, req->npages / 8 + 1);
	r = x->came ? map_ring(x, req->xen.ring) : -ENOMEM;
	if (r) {
		log_err("domain %u: its paging ring: %s", x->domain, strerror(-r));
		free(x->came);
		free(x);
		return r;
	}
	*l = (struct vmlink){
		.ops = &xen_ops, .xen = x, .fd = steal_fd(fd), .npages = req->npages,
	};
	fcntl(l->fd, F_SETFL, O_NONBLOCK);
	/* the pager before may have died with the event in its hands */
	return write(l->fd, &x->port, sizeof(x->port)) < 0 ? -errno : 0;
}
