/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XENMEM_paging_op_mark, which our patch adds to the hypervisor. */
#ifndef VMFORK_XEN_MARK_H
#define VMFORK_XEN_MARK_H

#include <stdint.h>
#include <xencall.h>

/**
 * xen_mark() - declare holes of a domain to be RAM that is paged out.
 * @gfn, @nr:	the range; what is left of it afterwards
 * Return: 0; -EBUSY: @gfn has a page; -ENOSYS: this hypervisor does not know the
 * operation; -ENODEV: paging is not enabled for the domain.
 */
int xen_mark(xencall_handle *call, uint32_t domid, uint64_t *gfn, uint64_t *nr);

#endif /* VMFORK_XEN_MARK_H */
