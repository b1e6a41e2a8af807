// SPDX-License-Identifier: GPL-2.0-or-later
/* XENMEM_paging_op_mark, which our patch adds to the hypervisor. */
#include "mark.h"

#include <errno.h>
#include <string.h>
#include <xenctrl.h>
#include <xen/memory.h>

#ifndef XENMEM_paging_op_mark
#define XENMEM_paging_op_mark 3
#endif

/* struct xen_mem_paging_range of the patch, for headers that do not have it */
struct paging_range {
	uint8_t op;
	domid_t domain;
	uint64_t nr __attribute__((aligned(8)));
	uint64_t gfn __attribute__((aligned(8)));
};

int xen_mark(xencall_handle *call, uint32_t domid, uint64_t *gfn, uint64_t *nr)
{
	struct paging_range *r = xencall_alloc_buffer(call, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	r->op = XENMEM_paging_op_mark;
	r->domain = (domid_t)domid;
	r->nr = *nr;
	r->gfn = *gfn;
	err = xencall2(call, __HYPERVISOR_memory_op, XENMEM_paging_op, (uint64_t)(uintptr_t)r) < 0 ?
		-errno : 0;
	*nr = r->nr;
	*gfn = r->gfn;
	xencall_free_buffer(call, r);
	return err;
}
