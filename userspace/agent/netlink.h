/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libnl's sockets and errors, as the agent wants them. */
#ifndef AGENT_NETLINK_H
#define AGENT_NETLINK_H

struct nl_sock;

/** netlink_open() - a connected socket. Return: 0 or -errno. */
int netlink_open(int protocol, struct nl_sock **ret);

/** netlink_errno() - libnl's error (negative) as -errno. */
int netlink_errno(int nlerr);

#endif /* AGENT_NETLINK_H */
