// SPDX-License-Identifier: GPL-2.0-or-later
/* Clones on a hypervisor without our patches. */
#include "slow.h"

#include <errno.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>
#include <xen/hvm/save.h>

#include "log.h"
#include "pager_proto.h"
#include "util.h"

/**
 * DOC: Without the patches
 *
 * 0001: a gfn is paged out only after it had a page. Pages are given to the domain by
 * the batch, and taken away one by one.
 *
 * 0002: Xen does not wait for the page of a vcpu_info that the guest registers. A Linux
 * that resumes does so first of all, before its own first instruction could fault on
 * that page. It is a per-CPU variable, so it is in the area that GS points to in the
 * kernel, where each vCPU is when the domain is suspended. All of the area's static part
 * is paged in: its size is not known here; what is behind it is a page too many.
 */
#define BATCH		256U
#define AREA_PAGES	72U	/* static per-CPU data of a distribution's kernel: 55 (6.1) */

static int page_out(xc_interface *xc, uint32_t domid, const xen_pfn_t *gfns, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (xc_mem_paging_nominate(xc, domid, gfns[i]) ||
		    xc_mem_paging_evict(xc, domid, gfns[i]))
			return -errno;
	}
	return 0;
}

int slow_mark(xc_interface *xc, uint32_t domid, uint64_t *gfn, uint64_t *nr)
{
	xen_pfn_t gfns[BATCH];
	int r = 0;

	while (!r && *nr) {
		unsigned int n = *nr < BATCH ? (unsigned int)*nr : BATCH;

		for (unsigned int i = 0; i < n; i++)
			gfns[i] = *gfn + i;
		if (xc_domain_populate_physmap_exact(xc, domid, n, 0, 0, gfns))
			return -ENOMEM;
		for (unsigned int i = 0; i < n; i++)
			gfns[i] = *gfn + i;
		r = page_out(xc, domid, gfns, n);
		if (!r) {
			*gfn += n;
			*nr -= n;
		}
	}
	return r;
}

/* A page that is paged out is asked for, and waited for. */
static int touch(xenforeignmemory_handle *fmem, uint32_t domid, xen_pfn_t gfn)
{
	void *p = xenforeignmemory_map(fmem, domid, PROT_READ, 1, &gfn, NULL);

	return p ? xenforeignmemory_unmap(fmem, p, 1) : -errno;
}

static int preload_vcpu(xc_interface *xc, xenforeignmemory_handle *fmem, uint32_t domid,
			unsigned int vcpu)
{
	struct hvm_hw_cpu cpu;

	if (xc_domain_hvm_getcontext_partial(xc, domid, HVM_SAVE_CODE(CPU), (uint16_t)vcpu, &cpu,
					     sizeof(cpu)))
		return errno == ENOENT ? 0 : -errno;	/* it was offline */
	for (unsigned int i = 0; i < AREA_PAGES; i++) {
		unsigned long gfn = xc_translate_foreign_address(xc, domid, (int)vcpu,
								 cpu.gs_base + i * PAGER_PAGE_SIZE);

		if (gfn)
			touch(fmem, domid, gfn);	/* no page there: nor a vcpu_info */
	}
	return 0;
}

int slow_preload(xc_interface *xc, uint32_t domid, unsigned int vcpus)
{
	xenforeignmemory_handle *fmem = xenforeignmemory_open(NULL, 0);
	int r = fmem ? 0 : -errno;

	for (unsigned int i = 0; !r && i < vcpus; i++)
		r = preload_vcpu(xc, fmem, domid, i);
	xenforeignmemory_close(fmem);
	return r;
}
