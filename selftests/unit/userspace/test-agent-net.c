// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's hands on the network, in a network namespace of its own. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../run.h"
#include "connections.h"
#include "link.h"
#include "spawn.h"

#define MAC_A { 0x52, 0x54, 0, 0, 0, 0xa }
#define MAC_B { 0x52, 0x54, 0, 0, 0, 0xb }

static struct vmfork_net net;

static int shell(const char *command)
{
	return spawn(60000, "sh", "-c", command, NULL);
}

/* va is this machine's device, vb somebody else's. */
static void setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(shell("ip link set lo up && ip link add va address 52:54:00:00:00:0a type veth "
			       "peer name vb && ip link set va up && ip link set vb up && "
			       "ip address add 10.9.0.2/24 dev va && ip address add 10.9.0.3/24 dev va && "
			       "ip neighbour add 10.9.0.9 lladdr 52:54:00:00:00:99 dev va"), 0);
	net = (struct vmfork_net) {
		.flags = VMFORK_NET_ADDRESS, .mtu = 1400, .mac = MAC_B, .old_mac = MAC_A,
		.address = inet_addr("10.9.0.7"), .gateway = inet_addr("10.9.0.1"), .prefix = 24,
	};
}

START_TEST(configured)
{
	const uint8_t mac[6] = MAC_A;
	struct links links;
	char name[IFNAMSIZ];

	ck_assert_int_eq(links_down(mac, &links), 0);
	ck_assert_uint_eq(links.n, 1);
	ck_assert_str_eq(links.name[0], "va");
	ck_assert_int_ne(shell("ip link show dev va up | grep -q va"), 0);
	ck_assert_int_eq(link_configure(&net, name), 0);
	ck_assert_str_eq(name, "va");
	ck_assert_int_eq(shell("ip link show dev va | grep -q 52:54:00:00:00:0b"), 0);
	ck_assert_int_eq(shell("ip link show dev va up | grep -q 'mtu 1400'"), 0);
	ck_assert_int_eq(shell("[ \"$(ip -o -4 addr show dev va | tr -s ' ' | cut -d' ' -f4-6)\" = "
			       "'10.9.0.7/24 brd 10.9.0.255' ]"), 0);
	ck_assert_int_eq(shell("ip route | grep -q 'default via 10.9.0.1 dev va'"), 0);
	ck_assert_int_eq(shell("[ -z \"$(ip -4 neighbour show dev va)\" ]"), 0);
	/* the same once more: what a clone of this clone would be told, but for the addresses */
	ck_assert_int_eq(link_configure(&net, name), 0);
}
END_TEST

START_TEST(addresses_stay)
{
	char name[IFNAMSIZ];

	net.flags = 0;
	ck_assert_int_eq(link_configure(&net, name), 0);
	ck_assert_int_eq(shell("ip link show dev va up | grep -q 52:54:00:00:00:0b"), 0);
	ck_assert_int_eq(shell("ip -4 address show dev va | grep -q 10.9.0.2/24"), 0);
}
END_TEST

START_TEST(not_configured)
{
	char name[IFNAMSIZ];

	net.old_mac[5] = net.mac[5] = 0x77;
	ck_assert_int_eq(link_configure(&net, name), -ENXIO);
	net.prefix = 33;
	ck_assert_int_eq(link_configure(&net, name), -EINVAL);
	net.prefix = 0;
	ck_assert_int_eq(link_configure(&net, name), -EINVAL);
}
END_TEST

START_TEST(fresh)
{
	ck_assert_int_eq(link_rehearse(), 0);
	ck_assert_int_eq(link_fresh("va"), 0);
	ck_assert_int_ne(shell("ip link show dev va up | grep -q 52:54:00:00:00:0a"), 0);
	ck_assert_int_eq(shell("[ -z \"$(ip -o -4 address show dev va)\" ]"), 0);
	ck_assert_int_eq(link_fresh("none"), -ENODEV);
}
END_TEST

/* A connected pair of stream sockets. */
static void pair(int ends[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(a);

	ck_assert_int_eq(bind(l, (struct sockaddr *)&a, len), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&a, &len), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(ends[0], (struct sockaddr *)&a, len), 0);
	ends[1] = accept(l, NULL, NULL);
	ck_assert_int_ge(ends[1], 0);
	close(l);
}

static int error_of(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	return err;
}

START_TEST(connections)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.9.0.9"),
				  .sin_port = htons(9) };
	int udp = socket(AF_INET, SOCK_DGRAM, 0), loopback[2];
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	unsigned int n = 0;
	char c = 'x';

	pair(loopback);
	ck_assert_int_eq(connect(tcp, (struct sockaddr *)&to, sizeof(to)), -1);
	ck_assert_int_eq(errno, EINPROGRESS);	/* nobody answers there */
	ck_assert_int_eq(connect(udp, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_eq(connections_rehearse(), 0);
	ck_assert_int_eq(connections_destroy(&n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(error_of(tcp), ECONNABORTED);
	ck_assert_int_eq(error_of(udp), ECONNABORTED);
	ck_assert_int_eq(write(loopback[0], &c, 1), 1);
	ck_assert_int_eq(read(loopback[1], &c, 1), 1);
	ck_assert_int_eq(connections_destroy(&n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* Asking would have the kernel look for modules, which a clone's gate does not let through. */
START_TEST(what_was_not_rehearsed_is_not_asked_for)
{
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.9.0.9"),
				  .sin_port = htons(9) };
	unsigned int n = 7;

	ck_assert_int_eq(connect(tcp, (struct sockaddr *)&to, sizeof(to)), -1);
	ck_assert_int_eq(connections_destroy(&n), -EOPNOTSUPP);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(error_of(tcp), 0);
}
END_TEST

/* In a child: the tests' own processes begin in this one's namespace. */
static int run(const char *command)
{
	return spawn(60000, "unshare", "-n", "sh", "-c", command, NULL);
}

/* In a child: what was rehearsed is remembered. */
static bool kernel_destroys(void)
{
	pid_t pid = fork();
	int status = 1;

	if (!pid)
		_exit(connections_rehearse() ? 1 : 0);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
	Suite *s = suite_create("agent-net");
	TCase *links = tcase_create("links"), *socks = tcase_create("sockets");

	if (run("ip link add va type veth peer name vb")) {
		puts("1..0 # SKIP no network namespaces or veth here");
		return 0;
	}
	tcase_add_checked_fixture(links, setup, NULL);
	tcase_add_checked_fixture(socks, setup, NULL);
	tcase_set_timeout(links, 120);
	tcase_set_timeout(socks, 120);
	tcase_add_test(links, configured);
	tcase_add_test(links, addresses_stay);
	tcase_add_test(links, not_configured);
	tcase_add_test(links, fresh);
	tcase_add_test(socks, connections);
	tcase_add_test(socks, what_was_not_rehearsed_is_not_asked_for);
	suite_add_tcase(s, links);
	if (kernel_destroys())
		suite_add_tcase(s, socks);
	else
		puts("# this kernel cannot destroy sockets: left out");
	return run_suite(s);
}
