// SPDX-License-Identifier: GPL-2.0-or-later
/* connections: a clone loses its parent's connections, and says nothing under its name. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: connections ADDRESS PORT [CLONES]
 *
 * A connection to an echo server outside, one over loopback, and a packet socket that
 * sees every frame which this machine sends, also while user code is held. After the
 * fork: in each clone the outside one is gone with ECONNABORTED, the loopback one
 * works, and no frame went out that belongs to the outside one. In the parent both
 * work on.
 */
enum { REPORT = 1 };

struct report {
	int outside_err;	/* of a read */
	int loopback_ok;
	int frames;		/* sent in the parent's name */
};

struct sockets {
	int outside;
	int loopback[2];
	int packets;
	struct sockaddr_in local;	/* of the outside one */
};

static int connect_to(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		tap_bail("connect: %s", strerror(errno));
	return fd;
}

static void open_loopback(struct sockets *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);

	if (bind(l, (struct sockaddr *)&a, len) || listen(l, 1) ||
	    getsockname(l, (struct sockaddr *)&a, &len))
		tap_bail("loopback: %s", strerror(errno));
	s->loopback[0] = connect_to(&a);
	s->loopback[1] = accept(l, NULL, NULL);
	close(l);
}

/* A byte there and, with an echo, back. */
static bool passes(int to, int from)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	char c = 'x';

	return send(to, &c, 1, MSG_NOSIGNAL) == 1 && poll(&p, 1, 60000) == 1 && read(from, &c, 1) == 1;
}

/* Is it one of the outside connection's frames, sent by this machine? */
static bool in_parents_name(const struct sockets *s, const uint8_t *frame, ssize_t len,
			    const struct sockaddr_ll *from)
{
	const struct iphdr *ip = (const void *)frame;
	const struct tcphdr *tcp = (const void *)(frame + ip->ihl * 4);

	if (from->sll_pkttype != PACKET_OUTGOING || from->sll_protocol != htons(ETH_P_IP) ||
	    len < (ssize_t)sizeof(*ip) || ip->protocol != IPPROTO_TCP ||
	    len < (ssize_t)(ip->ihl * 4 + sizeof(*tcp)))
		return false;
	return ip->saddr == s->local.sin_addr.s_addr && tcp->source == s->local.sin_port;
}

static int frames_sent(const struct sockets *s)
{
	struct sockaddr_ll from;
	socklen_t flen = sizeof(from);
	uint8_t frame[2048];
	ssize_t len;
	int n = 0;

	for (;;) {
		len = recvfrom(s->packets, frame, sizeof(frame), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &flen);
		if (len < 0 && errno == EAGAIN)
			return n;
		n += len > 0 && in_parents_name(s, frame, len, &from);
		flen = sizeof(from);
	}
}

static void in_clone(int vm, int link, const struct sockets *s)
{
	struct report rep = { 0 };
	char c;

	rep.loopback_ok = passes(s->loopback[0], s->loopback[1]);
	rep.outside_err = recv(s->outside, &c, 1, MSG_DONTWAIT) < 0 ? errno : 0;
	rep.frames = frames_sent(s);
	clone_send(vm, link, REPORT, &rep, sizeof(rep));
	clone_exit(vm, 0);
}

static void open_all(struct sockets *s, const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	socklen_t len = sizeof(s->local);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		tap_bail("%s: no address", address);
	s->packets = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (s->packets < 0)
		tap_bail("packet socket: %s", strerror(errno));
	open_loopback(s);
	s->outside = connect_to(&to);
	if (getsockname(s->outside, (struct sockaddr *)&s->local, &len))
		tap_bail("getsockname: %s", strerror(errno));
	tap_ok(passes(s->outside, s->outside), "the server outside answers");
	tap_ok(frames_sent(s) > 0, "the packet socket sees what this machine sends");
}

int test_connections(int argc, char **argv)
{
	unsigned int m = argc > 3 ? (unsigned int)atoi(argv[3]) : 2, i;
	struct report reports[CLONES_TEST_MAX] = { 0 };
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	struct sockets s;
	int vm = machine_open(), ticket;

	if (argc < 3 || m < 1 || m > CLONES_TEST_MAX)
		tap_bail("connections ADDRESS PORT [CLONES]");
	open_all(&s, argv[1], argv[2]);
	ticket = machine_ticket(vm, m);
	if (machine_clone(ticket) > 0)
		in_clone(vm, ticket, &s);
	tap_ok(gather(ticket, m, REPORT, reports, sizeof(reports[0])), "all clones report");
	for (i = 0; i < m; i++) {
		tap_ok(reports[i].outside_err == ECONNABORTED,
		       "clone %u: the connection to outside is gone: %s", i + 1,
		       strerror(reports[i].outside_err));
		tap_ok(reports[i].loopback_ok, "clone %u: the one over loopback is not", i + 1);
		tap_ok(reports[i].frames == 0, "clone %u: sent %d frames in its parent's name", i + 1,
		       reports[i].frames);
	}
	tap_ok(passes(s.outside, s.outside), "the parent's connection goes on");
	tap_ok(passes(s.loopback[0], s.loopback[1]), "so does its loopback one");
	gather_exits(ticket, m, exits);
	vmfork_close(ticket);
	return tap_done();
}
