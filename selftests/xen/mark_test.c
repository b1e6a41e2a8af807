// SPDX-License-Identifier: GPL-2.0-or-later
/* The hypervisor's patch: XENMEM_paging_op_mark on a domain of our own. TAP; run as root in dom0. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xencall.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>

#include "mark.h"

#define FIRST	0x100UL
#define PAGES	32768UL
#define HELD	(FIRST + 1000)	/* a gfn that has a page */
#define RING	(FIRST + PAGES + 16)

static int count, failed;

static void ok(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
	failed += !good;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int make_domain(xc_interface *xc, uint32_t *domid)
{
	struct xen_domctl_createdomain cfg = {
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1, .max_evtchn_port = 1023, .max_grant_frames = 64,
		.max_maptrack_frames = 1024, .grant_opts = XEN_DOMCTL_GRANT_version(2),
		.arch.emulation_flags = XEN_X86_EMU_LAPIC,
	};
	unsigned int mb = 16;

	if (xc_domain_create(xc, domid, &cfg))
		return -errno;
	if (xc_domain_max_vcpus(xc, *domid, 1) ||
	    xc_shadow_control(xc, *domid, XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, &mb, 0) < 0 ||
	    xc_domain_setmaxmem(xc, *domid, (PAGES + 64) * 4))
		return -errno;
	return 0;
}

static int enable(xc_interface *xc, uint32_t domid)
{
	xen_pfn_t ring = RING;
	uint32_t port;

	if (xc_domain_populate_physmap_exact(xc, domid, 1, 0, 0, &ring) ||
	    xc_hvm_param_set(xc, domid, HVM_PARAM_PAGING_RING_PFN, RING))
		return -errno;
	return xc_mem_paging_enable(xc, domid, &port) ? -errno : 0;
}

static uint64_t paged(xc_interface *xc, uint32_t domid)
{
	xc_domaininfo_t info;

	return xc_domain_getinfolist(xc, domid, 1, &info) == 1 ? info.paged_pages : 0;
}

static void test_range(xc_interface *xc, xencall_handle *call, uint32_t domid)
{
	uint64_t gfn = FIRST, nr = PAGES;
	double begin = now();
	int r = xen_mark(call, domid, &gfn, &nr);
	double end = now();

	ok(r == 0 && nr == 0 && gfn == FIRST + PAGES, "a range of holes is marked");
	ok(paged(xc, domid) == PAGES, "the domain has as many paged out pages");
	printf("# %lu gfns in %.1f ms, %.2f us each\n", PAGES, (end - begin) * 1e3,
	       (end - begin) * 1e6 / PAGES);
	gfn = FIRST;
	nr = PAGES;
	ok(xen_mark(call, domid, &gfn, &nr) == 0 && paged(xc, domid) == PAGES,
	   "once more changes nothing");
}

static void test_singles(xencall_handle *call, uint32_t domid)
{
	unsigned int n = 1000, good = 0;
	double begin = now();

	for (unsigned int i = 0; i < n; i++) {
		uint64_t gfn = RING + 64 + i, nr = 1;

		good += xen_mark(call, domid, &gfn, &nr) == 0;
	}
	ok(good == n, "one gfn at a time");
	printf("# %.2f us each\n", (now() - begin) * 1e6 / n);
}

static void test_held(xc_interface *xc, xencall_handle *call, uint32_t domid)
{
	uint64_t gfn = FIRST - 0x80, nr = PAGES, big = 1ULL << 60;
	xen_pfn_t held = FIRST - 0x10;
	int r;

	if (xc_domain_populate_physmap_exact(xc, domid, 1, 0, 0, &held)) {
		ok(false, "a page to stand in the way");
		return;
	}
	r = xen_mark(call, domid, &gfn, &nr);
	ok(r == -EBUSY && gfn == held, "a page in the range ends it, and is told");
	nr = 2;
	ok(xen_mark(call, domid, &big, &nr) == -EINVAL, "an impossible range is refused");
}

static void test_load(xc_interface *xc, uint32_t domid)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	xenforeignmemory_handle *fmem = xenforeignmemory_open(NULL, 0);
	xen_pfn_t gfn = FIRST + 5;
	uint8_t *map;

	memset(page, 0x5a, sizeof(page));
	ok(xc_mem_paging_load(xc, domid, FIRST + 5, page) == 0, "a marked page is loaded");
	map = fmem ? xenforeignmemory_map(fmem, domid, PROT_READ, 1, &gfn, NULL) : NULL;
	ok(map && !memcmp(map, page, 4096), "and has what it was loaded with");
	if (map)
		xenforeignmemory_unmap(fmem, map, 1);
	xenforeignmemory_close(fmem);
}

int main(void)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	xencall_handle *call = xencall_open(NULL, 0);
	uint32_t domid = 0;
	int r;

	if (!xc || !call) {
		puts("1..0 # SKIP this is not Xen's control domain");
		return 0;
	}
	r = make_domain(xc, &domid);
	ok(r == 0, "a domain without memory");
	if (r == 0) {
		r = enable(xc, domid);
		ok(r == 0, "paging is enabled");
	}
	if (r == 0) {
		test_range(xc, call, domid);
		test_singles(call, domid);
		test_held(xc, call, domid);
		test_load(xc, domid);
	}
	if (domid)
		ok(xc_domain_destroy(xc, domid) == 0, "the domain ends");
	printf("1..%d\n", count);
	return failed > 0;
}
