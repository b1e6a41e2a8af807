/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlink by Xen's memory paging: faults are requests in the domain's paging ring. */
#ifndef VMFORK_XEN_LINK_H
#define VMFORK_XEN_LINK_H

#include "pager_proto.h"
#include "vmlink.h"

/** xen_link_setup() - open Xen's devices; as root. */
int xen_link_setup(void);
/** xen_link_open() - see vmlink_open(). */
int xen_link_open(struct vmlink *l, const struct pager_req *req, int *fd, int image);

#endif /* VMFORK_XEN_LINK_H */
