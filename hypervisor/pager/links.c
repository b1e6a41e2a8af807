// SPDX-License-Identifier: GPL-2.0-or-later
/* The links of vmfork-pager: userfaultfd. */
#include <errno.h>

#include "pager_proto.h"
#include "util.h"
#include "vmlink.h"

int vmlink_setup(void)
{
	return 0;
}

int vmlink_open(struct vmlink *l, const struct pager_req *req, int *fd, int image)
{
	if (req->xen.domain)
		return -EOPNOTSUPP;
	vmlink_uffd_init(l, steal_fd(fd), req->base, req->npages);
	return 0;
}
