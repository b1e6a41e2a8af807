// SPDX-License-Identifier: GPL-2.0-or-later
/* A clone's memory before it runs: the paging ring, marked pages, the channel's frames. */
#include "xenvm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenforeignmemory.h>
#include <xen/hvm/params.h>
#include <xen/io/ring.h>
#include <xen/vm_event.h>

#include "log.h"
#include "mark.h"
#include "pvh_ram.h"
#include "slow.h"
#include "util.h"

/**
 * DOC: The ring
 *
 * It is enabled here and not by the pager, so that a pager can be replaced: the ring's
 * page keeps its gfn (the guest could write rubbish into it: the pager trusts nothing
 * that it reads there), and the event channel is bound on an open file that the next
 * pager is given as well (xen_link.c).
 */
static void *map_ring(xenforeignmemory_handle *fmem, const struct xenvm *x, xen_pfn_t gfn)
{
	int prot = PROT_READ | PROT_WRITE, err = 0;
	void *ring = xenforeignmemory_map(fmem, x->domain, prot, 1, &gfn, &err);

	if (ring && !err)
		return ring;
	if (ring)
		xenforeignmemory_unmap(fmem, ring, 1);
	if (xc_domain_populate_physmap_exact(x->xc, x->domain, 1, 0, 0, &gfn))
		return NULL;
	return xenforeignmemory_map(fmem, x->domain, prot, 1, &gfn, NULL);
}

static int init_ring(const struct xenvm *x, xen_pfn_t gfn)
{
	xenforeignmemory_handle *fmem = xenforeignmemory_open(NULL, 0);
	vm_event_sring_t *ring = fmem ? map_ring(fmem, x, gfn) : NULL;
	int r = ring ? 0 : -EIO;

	if (ring) {
		SHARED_RING_INIT(ring);
		xenforeignmemory_unmap(fmem, ring, 1);
	}
	xenforeignmemory_close(fmem);
	return r;
}

static int bind_ring(struct xenvm *x, uint32_t remote)
{
	xenevtchn_handle *e = xenevtchn_open(NULL, 0);
	int port, r;

	if (!e)
		return -errno;
	port = xenevtchn_bind_interdomain(e, x->domain, remote);
	r = port < 0 ? -errno : 0;
	if (!r) {
		x->rep.port = (uint32_t)port;
		x->rep_fd = dup(xenevtchn_fd(e));
		r = x->rep_fd < 0 ? -errno : 0;
	}
	xenevtchn_close(e);	/* the binding lives as long as the open file */
	return r;
}

int load_ring(struct xenvm *x)
{
	uint32_t remote;
	uint64_t gfn;
	int r;

	if (xc_hvm_param_get(x->xc, x->domain, HVM_PARAM_PAGING_RING_PFN, &gfn))
		return -errno;
	r = init_ring(x, gfn);
	if (!r && xc_mem_paging_enable(x->xc, x->domain, &remote))
		r = -errno;
	if (!r)
		r = bind_ring(x, remote);
	x->rep.ring = gfn;
	x->rep.domain = x->domain;
	if (r)
		log_err("domain %u: no paging: %s", x->domain, strerror(-r));
	return r;
}

static int mark(struct xenvm *x, uint64_t *gfn, uint64_t *nr)
{
	if (x->req.slow)
		return slow_mark(x->xc, x->domain, gfn, nr);
	return xen_mark(x->call, x->domain, gfn, nr);
}

/* What was no page of the parent is none of the clone. */
static int mark_all(struct xenvm *x, const uint8_t *presence, uint64_t npages)
{
	uint64_t gfn = 0, next;
	int r = 0;

	for (; !r && gfn < npages; gfn = next) {
		uint64_t at = gfn, nr;

		for (next = gfn; next < npages && presence[next] != PAGE_ABSENT; next++)
			;
		nr = next - gfn;
		if (nr)
			r = mark(x, &at, &nr);
		else
			next = gfn + 1;
		if (r)
			log_err("domain %u: gfn %#" PRIx64 " cannot be marked: %s", x->domain, at,
				strerror(-r));
	}
	return r;
}

static int put_region(struct xenvm *x, int region, int gfns)
{
	uint64_t npages = x->size / PAGER_PAGE_SIZE;
	size_t len = npages * sizeof(uint64_t);
	_cleanup_free_ uint64_t *gfn = malloc(len);
	uint8_t *page = mmap(NULL, x->size, PROT_READ, MAP_SHARED, region, 0);
	int r = 0;

	if (page == MAP_FAILED)
		return -errno;
	if (!gfn || pread(gfns, gfn, len, 0) != (ssize_t)len)
		r = -EIO;
	for (uint64_t i = 0; !r && i < npages; i++)
		if (xc_mem_paging_load(x->xc, x->domain, gfn[i], page + i * PAGER_PAGE_SIZE)) {
			r = -errno;
			log_err("domain %u: gfn %#" PRIx64 " of the channel: %s", x->domain, gfn[i],
				strerror(-r));
		}
	munmap(page, x->size);
	return r;
}

int load_pages(struct xenvm *x, int presence, int region, int gfns)
{
	uint64_t npages = pvh_pages(x->config.memory);
	uint8_t *map = mmap(NULL, npages, PROT_READ, MAP_SHARED, presence, 0);
	int r;

	if (map == MAP_FAILED)
		return -errno;
	r = mark_all(x, map, npages);
	munmap(map, npages);
	r = r ? r : put_region(x, region, gfns);
	if (!r && x->req.slow)
		r = slow_preload(x->xc, x->domain, x->config.vcpus);
	return r;
}
