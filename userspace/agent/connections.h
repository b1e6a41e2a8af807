/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent's connections, destroyed without a packet: sock_diag(7), SOCK_DESTROY. */
#ifndef AGENT_CONNECTIONS_H
#define AGENT_CONNECTIONS_H

/**
 * connections_destroy() - every TCP connection and connected UDP socket but those over
 * loopback. Links must be down: the kernel would send RSTs with the parent's address.
 * @ret_destroyed: how many
 * Return: 0; -errno; -EBUSY: some are still there; -EOPNOTSUPP: there may be some of a kind
 * that connections_rehearse() could not have listed or destroyed: those are left alone.
 */
int connections_destroy(unsigned int *ret_destroyed);

/**
 * connections_rehearse() - a dump of each kind, and one destruction of none: so that the
 * kernel has loaded what it takes. Return: 0; -errno; -EOPNOTSUPP: it cannot list or destroy
 * the sockets that it has (CONFIG_INET_DIAG, CONFIG_INET_DIAG_DESTROY).
 */
int connections_rehearse(void);

#endif /* AGENT_CONNECTIONS_H */
