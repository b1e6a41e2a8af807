// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests with the kernel's own bridges, taps and filters, in a network namespace. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../run.h"
#include "filter.h"
#include "iface.h"
#include "log.h"
#include "util.h"

#define FAMILY	7
#define SUBNET	0x0a4d0600U
#define BRIDGE	"vfb3"
#define ALIAS	"vmfork:/test"

static const struct filter_family family = { .name = BRIDGE, .taps = "vft3.", .family = FAMILY,
	.subnet = SUBNET };
static int skip = -1;

/* Root, or anybody in a user namespace; if neither may, there is nothing to test. */
static bool namespaces(void)
{
	if (skip >= 0)
		return !skip;
	skip = unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0;
	skip = skip || iface_may(true) < 0;
	if (skip)
		fprintf(stderr, "skipped: no network namespace with taps for this user\n");
	return !skip;
}

static int make(void)
{
	uint8_t mac[NET_MAC_LEN];

	net_bridge_mac(FAMILY, mac);
	return iface_add_bridge(BRIDGE, ALIAS, mac, net_gateway(SUBNET), NET_SUBNET_PREFIX);
}

static int tap(unsigned int index, bool up)
{
	char name[NET_NAME_MAX];
	int fd;

	snprintf(name, sizeof(name), "vft3.%u", index);
	fd = iface_add_tap(name, BRIDGE);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(iface_is_up(name), 0);
	if (up)
		ck_assert_int_eq(iface_set_up(name, true), 0);
	return fd;
}

START_TEST(bridge_has_all_that_it_needs)
{
	if (!namespaces())
		return;
	ck_assert_int_eq(iface_taken(SUBNET, NET_SUBNET_PREFIX), 0);
	ck_assert_int_eq(make(), 0);
	ck_assert_int_eq(make(), -EEXIST);
	ck_assert_int_eq(iface_is_up(BRIDGE), 1);
	ck_assert_int_eq(iface_forwarding(BRIDGE), 1);
	ck_assert_int_eq(iface_taken(SUBNET, NET_SUBNET_PREFIX), 1);
	ck_assert_int_eq(iface_taken(SUBNET + 0x200, NET_SUBNET_PREFIX), 0);
	ck_assert_int_eq(iface_del(BRIDGE), 0);
	ck_assert_int_eq(iface_del(BRIDGE), -ENODEV);
	ck_assert_int_eq(iface_taken(SUBNET, NET_SUBNET_PREFIX), 0);
}
END_TEST

START_TEST(tap_goes_with_its_descriptor)
{
	int fd, copy;

	if (!namespaces())
		return;
	ck_assert_int_eq(make(), 0);
	fd = tap(1, true);
	ck_assert_int_eq(iface_add_tap("vft3.1", BRIDGE), -EBUSY);
	copy = dup(fd);
	close(fd);
	ck_assert_int_eq(iface_is_up("vft3.1"), 1);
	close(copy);
	ck_assert_int_eq(iface_is_up("vft3.1"), -ENODEV);
	ck_assert_int_eq(iface_del(BRIDGE), 0);
}
END_TEST

static char removed[NET_NAME_MAX];

static void remove_it(const char *name)
{
	snprintf(removed, sizeof(removed), "%s", name);
	iface_del(name);
}

START_TEST(what_is_left_is_found_by_its_alias)
{
	if (!namespaces())
		return;
	ck_assert_int_eq(make(), 0);
	iface_each_alias("vmfork:/other", remove_it);
	ck_assert_str_eq(removed, "");
	iface_each_alias(ALIAS, remove_it);
	ck_assert_str_eq(removed, BRIDGE);
	ck_assert_int_eq(iface_is_up(BRIDGE), -ENODEV);
}
END_TEST

/* An ARP question, as the guest behind @fd would ask it. */
static void ask(int fd, const uint8_t mac[NET_MAC_LEN], uint32_t from, uint32_t whom)
{
	struct {
		struct virtio_net_hdr vnet;
		struct ethhdr eth;
		uint8_t arp[28];
	} __attribute__((packed)) f = { .eth.h_proto = htons(ETH_P_ARP),
		.arp = { 0, 1, 8, 0, 6, 4, 0, 1 } };

	memset(f.eth.h_dest, 0xff, sizeof(f.eth.h_dest));
	memcpy(f.eth.h_source, mac, NET_MAC_LEN);
	memcpy(f.arp + 8, mac, NET_MAC_LEN);
	from = htonl(from);
	whom = htonl(whom);
	memcpy(f.arp + 14, &from, 4);
	memcpy(f.arp + 24, &whom, 4);
	ck_assert_int_eq(write(fd, &f, sizeof(f)), sizeof(f));
}

/* Does a frame from @mac come out of @fd? Others are passed over. */
static bool heard(int fd, const uint8_t mac[NET_MAC_LEN], int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t buf[2048];

	while (poll(&p, 1, ms) > 0) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n >= (ssize_t)(sizeof(struct virtio_net_hdr) + sizeof(struct ethhdr)) &&
		    !memcmp(buf + sizeof(struct virtio_net_hdr) + 6, mac, NET_MAC_LEN))
			return true;
	}
	return false;
}

static void with_filter(const struct filter_family *f)
{
	ck_assert_int_eq(make(), 0);
	ck_assert_int_eq(filter_add(f), 0);
}

static void without_filter(void)
{
	ck_assert_int_eq(filter_del(BRIDGE), 0);
	ck_assert_int_eq(filter_del(BRIDGE), 0);
	ck_assert_int_eq(iface_del(BRIDGE), 0);
	filter_close();
	iface_close();
}

START_TEST(only_a_machine_s_own_addresses_pass)
{
	uint8_t one[NET_MAC_LEN], two[NET_MAC_LEN];
	int a, b;

	if (!namespaces())
		return;
	with_filter(&family);
	net_mac(FAMILY, 1, one);
	net_mac(FAMILY, 2, two);
	a = tap(1, true);
	b = tap(2, true);
	ask(a, one, net_address(SUBNET, 1), net_address(SUBNET, 2));
	ck_assert(heard(b, one, 2000));
	ask(a, one, 0, net_address(SUBNET, 1));			/* is my address free? */
	ck_assert(heard(b, one, 2000));
	ask(a, one, net_address(SUBNET, 3), net_address(SUBNET, 2));	/* another's IP address */
	ck_assert(!heard(b, one, 200));
	ask(a, two, net_address(SUBNET, 2), net_address(SUBNET, 1));	/* another's MAC address */
	ck_assert(!heard(b, two, 200));
	ask(a, one, net_gateway(SUBNET), net_address(SUBNET, 2));	/* the gateway's */
	ck_assert(!heard(b, one, 200));
	close(a);
	close(b);
	without_filter();
}
END_TEST

START_TEST(a_tap_that_is_down_is_silent)
{
	uint8_t one[NET_MAC_LEN], two[NET_MAC_LEN];
	int a, b;

	if (!namespaces())
		return;
	with_filter(&family);
	net_mac(FAMILY, 1, one);
	net_mac(FAMILY, 2, two);
	a = tap(1, true);
	b = tap(2, false);
	ask(a, one, net_address(SUBNET, 1), net_address(SUBNET, 2));
	ck_assert(!heard(b, one, 200));
	ck_assert_int_eq(iface_set_up("vft3.2", true), 0);
	ask(a, one, net_address(SUBNET, 1), net_address(SUBNET, 2));
	ck_assert(heard(b, one, 2000));
	ck_assert_int_eq(iface_set_up("vft3.2", false), 0);
	ask(a, one, net_address(SUBNET, 1), net_address(SUBNET, 2));
	ck_assert(!heard(b, one, 200));
	close(a);
	close(b);
	without_filter();
}
END_TEST

/* As Xen's netback makes them: named by itself, in no bridge of ours. */
START_TEST(a_link_that_is_plugged_is_as_good_as_a_tap)
{
	uint8_t one[NET_MAC_LEN], mac[NET_MAC_LEN] = { 2, 0, 0, 0, 0, 9 };
	int a, b;

	if (!namespaces())
		return;
	with_filter(&family);
	net_mac(FAMILY, 1, one);
	a = tap(1, true);
	ck_assert_int_eq(iface_plug("vif7.0", "vft3.2", BRIDGE), -ENODEV);
	ck_assert_int_eq(iface_add_bridge("elsewhere", "x", mac, net_gateway(SUBNET + 0x200),
					  NET_SUBNET_PREFIX), 0);
	b = iface_add_tap("vif7.0", "elsewhere");
	ck_assert_int_ge(b, 0);
	ck_assert_int_eq(iface_plug("vif7.0", "vft3.2", BRIDGE), 0);
	ck_assert_int_eq(iface_is_up("vif7.0"), -ENODEV);
	ck_assert_int_eq(iface_is_up("vft3.2"), 0);
	ck_assert_int_eq(iface_set_up("vft3.2", true), 0);
	ask(a, one, net_address(SUBNET, 1), net_address(SUBNET, 2));
	ck_assert(heard(b, one, 2000));
	close(a);
	close(b);
	iface_del("elsewhere");
	without_filter();
}
END_TEST

START_TEST(isolated_machines_hear_only_the_host)
{
	struct filter_family alone = family;
	uint8_t one[NET_MAC_LEN], bridge[NET_MAC_LEN];
	int a, b;

	if (!namespaces())
		return;
	alone.isolated = true;
	with_filter(&alone);
	net_mac(FAMILY, 1, one);
	net_bridge_mac(FAMILY, bridge);
	a = tap(1, true);
	b = tap(2, true);
	ask(a, one, net_address(SUBNET, 1), net_address(SUBNET, 2));
	ck_assert(!heard(b, one, 200));
	ask(a, one, net_address(SUBNET, 1), net_gateway(SUBNET));
	ck_assert(heard(a, bridge, 2000));
	close(a);
	close(b);
	without_filter();
}
END_TEST

START_TEST(no_uplink_without_a_route)
{
	char name[NET_NAME_MAX];

	if (!namespaces())
		return;
	ck_assert_int_eq(iface_uplink(name), -ENETUNREACH);
	ck_assert_int_eq(filter_add_uplink("lo"), 0);
	ck_assert_int_eq(filter_del_uplink("lo"), 0);
	ck_assert_int_eq(filter_del_uplink("lo"), 0);
	filter_close();
	iface_close();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("net-real");
	TCase *t = tcase_create("kernel");

	log_init("test");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, bridge_has_all_that_it_needs);
	tcase_add_test(t, tap_goes_with_its_descriptor);
	tcase_add_test(t, what_is_left_is_found_by_its_alias);
	tcase_add_test(t, only_a_machine_s_own_addresses_pass);
	tcase_add_test(t, a_tap_that_is_down_is_silent);
	tcase_add_test(t, a_link_that_is_plugged_is_as_good_as_a_tap);
	tcase_add_test(t, isolated_machines_hear_only_the_host);
	tcase_add_test(t, no_uplink_without_a_route);
	suite_add_tcase(s, t);
	return run_suite(s);
}
