// SPDX-License-Identifier: GPL-2.0-or-later
/* The parent's connections, destroyed without a packet. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connections.h"
#include "netlink.h"

#define PASSES_MAX	4	/* a connect() in flight adds to what was listed */

struct kind {
	uint8_t family;
	uint8_t protocol;
	uint32_t states;
	const char *table;	/* there if the kernel has such sockets at all */
};

#define STATE(s) (1U << (s))
#define TCP_CONNECTED (~(STATE(TCP_LISTEN) | STATE(TCP_CLOSE) | STATE(TCP_TIME_WAIT)) & 0x1fff)
#define KINDS 4U
static const struct kind kinds[KINDS] = {
	{ AF_INET, IPPROTO_TCP, TCP_CONNECTED, "/proc/net/tcp" },
	{ AF_INET6, IPPROTO_TCP, TCP_CONNECTED, "/proc/net/tcp6" },
	{ AF_INET, IPPROTO_UDP, STATE(TCP_ESTABLISHED), "/proc/net/udp" },
	{ AF_INET6, IPPROTO_UDP, STATE(TCP_ESTABLISHED), "/proc/net/udp6" },
};

/* Asking for what it does not know has the kernel look for a module, by a modprobe(8) that
 * a clone holds at its gate, for ever: only what was there at the rehearsal is asked for. */
static bool rehearsed[KINDS];

/** struct list - sockets that a dump gave. */
struct list {
	struct inet_diag_msg *at;
	size_t n;
	int err;
};

static bool is_loopback(uint8_t family, const uint32_t *addr)
{
	const struct in6_addr *a6 = (const void *)addr;

	if (family == AF_INET)
		return (ntohl(addr[0]) >> 24) == 127;
	if (IN6_IS_ADDR_V4MAPPED(a6))
		return a6->s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(a6);
}

static int take(struct nl_msg *msg, void *data)
{
	const struct inet_diag_msg *m = nlmsg_data(nlmsg_hdr(msg));
	struct list *list = data;
	struct inet_diag_msg *at;

	if (nlmsg_datalen(nlmsg_hdr(msg)) < (int)sizeof(*m) ||
	    is_loopback(m->idiag_family, m->id.idiag_src) ||
	    is_loopback(m->idiag_family, m->id.idiag_dst))
		return NL_OK;
	at = reallocarray(list->at, list->n + 1, sizeof(*at));
	if (!at) {
		list->err = -ENOMEM;
		return NL_STOP;
	}
	list->at = at;
	list->at[list->n++] = *m;
	return NL_OK;
}

static struct inet_diag_req_v2 request(const struct kind *kind)
{
	return (struct inet_diag_req_v2) {
		.sdiag_family = kind->family,
		.sdiag_protocol = kind->protocol,
		.idiag_states = kind->states,
	};
}

static int dump(struct nl_sock *nl, const struct kind *kind, struct list *list)
{
	struct inet_diag_req_v2 q = request(kind);
	int r;

	*list = (struct list) { 0 };
	r = nl_socket_modify_cb(nl, NL_CB_VALID, NL_CB_CUSTOM, take, list);
	if (r >= 0)
		r = nl_send_simple(nl, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &q, sizeof(q));
	if (r >= 0)
		r = nl_recvmsgs_default(nl);
	return r < 0 ? netlink_errno(r) : list->err;
}

static int destroy(struct nl_sock *nl, const struct kind *kind, const struct inet_diag_sockid *id)
{
	struct inet_diag_req_v2 q = request(kind);
	int r;

	q.id = *id;
	r = nl_send_simple(nl, SOCK_DESTROY, 0, &q, sizeof(q));
	if (r >= 0)
		r = nl_wait_for_ack(nl);
	return r < 0 ? netlink_errno(r) : 0;
}

/* One pass over one kind. Return: how many there were, or -errno. */
static int destroy_kind(struct nl_sock *nl, const struct kind *kind, unsigned int *destroyed)
{
	struct list list;
	size_t i;
	int r, found = 0;

	r = dump(nl, kind, &list);
	for (i = 0; i < list.n && !r; i++) {
		r = destroy(nl, kind, &list.at[i].id);
		/* orphans that wait for the other side's FIN have no owner and send nothing */
		if (r == -EOPNOTSUPP && list.at[i].idiag_state == TCP_FIN_WAIT2) {
			r = 0;
			continue;
		}
		found++;
		*destroyed += !r;
		if (r == -ENOENT)	/* gone by itself */
			r = 0;
	}
	free(list.at);
	return r ? r : found;
}

static bool has(const struct kind *kind)
{
	return access(kind->table, F_OK) == 0;
}

int connections_destroy(unsigned int *ret_destroyed)
{
	struct nl_sock *nl;
	unsigned int pass, n = 0;
	bool blind = false;
	size_t i;
	int r = netlink_open(NETLINK_SOCK_DIAG, &nl), left;

	if (r)
		return r;
	for (pass = 0, left = 1; pass < PASSES_MAX && left > 0; pass++) {
		for (i = 0, left = 0; i < KINDS && left >= 0; i++) {
			if (!rehearsed[i]) {
				blind |= has(&kinds[i]);
				continue;
			}
			r = destroy_kind(nl, &kinds[i], &n);
			left = r < 0 ? r : left + r;
		}
	}
	nl_socket_free(nl);
	*ret_destroyed = n;
	if (left)
		return left > 0 ? -EBUSY : left;
	return blind ? -EOPNOTSUPP : 0;
}

int connections_rehearse(void)
{
	/* nobody listens on or is connected to port 0 */
	const struct inet_diag_sockid none = {
		.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
	};
	struct nl_sock *nl;
	struct list list;
	size_t i;
	int r = netlink_open(NETLINK_SOCK_DIAG, &nl), err = 0;

	if (r)
		return r;
	for (i = 0; i < KINDS; i++) {
		rehearsed[i] = false;
		if (!has(&kinds[i]))
			continue;
		r = dump(nl, &kinds[i], &list);
		free(list.at);
		if (r == -ENOENT)	/* it knows nobody who lists them */
			r = -EOPNOTSUPP;
		if (!r)
			r = destroy(nl, &kinds[i], &none);
		if (r == -ENOENT)	/* nor is there such a socket */
			r = 0;
		rehearsed[i] = !r;
		err = err ? err : r;
	}
	nl_socket_free(nl);
	return err;
}
