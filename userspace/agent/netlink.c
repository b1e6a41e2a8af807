// SPDX-License-Identifier: GPL-2.0-or-later
/* libnl's sockets and errors, as the agent wants them. */
#include <errno.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>

#include "netlink.h"

/* libnl keeps the kernel's error only as its own number. */
static const struct {
	int nle;
	int err;
} errors[] = {
	{ NLE_INTR, EINTR }, { NLE_AGAIN, EAGAIN }, { NLE_EXIST, EEXIST },
	{ NLE_NOADDR, EADDRNOTAVAIL }, { NLE_OBJ_NOTFOUND, ENOENT }, { NLE_INVAL, EINVAL },
	{ NLE_OPNOTSUPP, EOPNOTSUPP }, { NLE_AF_NOSUPPORT, EAFNOSUPPORT },
	{ NLE_NOMEM, ENOMEM }, { NLE_RANGE, ERANGE }, { NLE_PERM, EPERM },
	{ NLE_NOACCESS, EACCES }, { NLE_BUSY, EBUSY }, { NLE_NODEV, ENODEV },
	{ NLE_PROTO_MISMATCH, EPROTONOSUPPORT },
};

int netlink_errno(int nlerr)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].nle == abs(nlerr))
			return -errors[i].err;
	return -EIO;
}

int netlink_open(int protocol, struct nl_sock **ret)
{
	struct nl_sock *nl = nl_socket_alloc();
	int r;

	if (!nl)
		return -ENOMEM;
	r = nl_connect(nl, protocol);
	if (r < 0) {
		nl_socket_free(nl);
		return netlink_errno(r);
	}
	*ret = nl;
	return 0;
}
