// SPDX-License-Identifier: GPL-2.0-or-later
/* The links of vmfork-pager-xen: userfaultfd, and Xen's paging ring. */
#include "pager_proto.h"
#include "util.h"
#include "vmlink.h"
#include "xen_link.h"

int vmlink_setup(void)
{
	return xen_link_setup();
}

int vmlink_open(struct vmlink *l, const struct pager_req *req, int *fd, int image)
{
	if (req->xen.domain)
		return xen_link_open(l, req, fd, image);
	vmlink_uffd_init(l, steal_fd(fd), req->base, req->npages);
	return 0;
}
