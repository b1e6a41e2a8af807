// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: pools, addresses, names, and the text of the filter's rules. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "address.h"
#include "filter.h"
#include "util.h"

START_TEST(pools_that_are_taken)
{
	struct net_pool p;

	ck_assert_int_eq(net_pool_parse("10.77.0.0/16", &p), 0);
	ck_assert_uint_eq(p.base, 0x0a4d0000);
	ck_assert_uint_eq(p.prefix, 16);
	ck_assert_uint_eq(net_pool_subnets(&p), 128);
	ck_assert_int_eq(net_pool_parse("192.168.4.0/23", &p), 0);
	ck_assert_uint_eq(net_pool_subnets(&p), 1);
	ck_assert_int_eq(net_pool_parse("10.0.0.0/8", &p), 0);
	ck_assert_int_eq(net_pool_parse("100.64.0.0/10", &p), 0);
}
END_TEST

START_TEST(pools_that_are_refused)
{
	static const char *const bad[] = {
		"", "/", "10.77.0.0", "10.77.0.0/", "10.77.0.0/24", "10.77.0.0/7", "10.77.0.1/16",
		"8.8.0.0/16", "10.77.0.0/16 ", " 10.77.0.0/16", "10.77.0.0/+16", "10.77.0.0/016",
		"10.77.0.0/-1", "10.77.0.0.0/16", "10.77/16", "172.0.0.0/8", "172.16.0.0/11",
		"0.0.0.0/0", "fd00::/8", "10.77.0.0/16/16", "1000.1000.1000.1000.1000/16",
	};
	struct net_pool p = { 1, 2 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(net_pool_parse(bad[i], &p) == -EINVAL, "'%s' was taken", bad[i]);
	ck_assert_uint_eq(p.base, 1);
	ck_assert_uint_eq(p.prefix, 2);
}
END_TEST

START_TEST(addresses_stay_in_their_subnet)
{
	struct net_pool p;
	uint32_t subnet;

	ck_assert_int_eq(net_pool_parse("10.77.0.0/16", &p), 0);
	for (unsigned int slot = 0; slot < net_pool_subnets(&p); slot++) {
		subnet = net_subnet(&p, slot);
		ck_assert(net_overlap(subnet, NET_SUBNET_PREFIX, p.base, p.prefix));
		if (slot)
			ck_assert(!net_overlap(subnet, NET_SUBNET_PREFIX, net_subnet(&p, slot - 1),
					       NET_SUBNET_PREFIX));
		ck_assert_uint_eq(net_address(subnet, 0), net_gateway(subnet) + 1);
		/* the last one is still below the broadcast address */
		ck_assert_uint_eq(net_address(subnet, NET_INDEX_MAX) + 1,
				  subnet | ~net_netmask(NET_SUBNET_PREFIX));
	}
	ck_assert_uint_eq(subnet, 0x0a4dfe00);
}
END_TEST

START_TEST(overlaps)
{
	ck_assert(net_overlap(0x0a000000, 8, 0x0a4d0000, 23));
	ck_assert(net_overlap(0x0a4d0000, 23, 0x0a000000, 8));
	ck_assert(net_overlap(0x0a4d0105, 32, 0x0a4d0000, 23));
	ck_assert(!net_overlap(0x0a4d0205, 32, 0x0a4d0000, 23));
	ck_assert(net_overlap(0, 0, 0x0a4d0000, 23));
}
END_TEST

START_TEST(macs_are_local_and_differ)
{
	uint8_t a[NET_MAC_LEN], b[NET_MAC_LEN];
	char text[NET_MAC_STRLEN];

	net_mac(7, 0, a);
	ck_assert_int_eq(a[0] & 3, 2);	/* local, and of one machine */
	ck_assert_str_eq(net_mac_str(a, text), "56:46:00:00:1c:00");
	for (unsigned int i = 1; i <= NET_INDEX_MAX; i++) {
		net_mac(7, i, b);
		ck_assert_mem_ne(a, b, NET_MAC_LEN);
		net_mac(8, i, a);
		ck_assert_mem_ne(a, b, NET_MAC_LEN);
		net_bridge_mac(7, a);
		ck_assert_mem_ne(a, b, NET_MAC_LEN);
		net_mac(7, 0, a);
	}
	net_mac((1ULL << 22) - 1, NET_INDEX_MAX, a);
	ck_assert_str_eq(net_mac_str(a, text), "56:46:ff:ff:fd:fc");
}
END_TEST

START_TEST(names_become_labels)
{
	char buf[64];

	net_label("web.2.1", buf, sizeof(buf));
	ck_assert_str_eq(buf, "web-2-1");
	net_label("a_b", buf, sizeof(buf));
	ck_assert_str_eq(buf, "a-b");
	net_label("long", buf, 3);
	ck_assert_str_eq(buf, "lo");
}
END_TEST

START_TEST(rules_name_every_machine)
{
	struct filter_family f = { .name = "vfb3", .taps = "vft3.", .family = 7,
		.subnet = 0x0a4d0600 };
	_cleanup_free_ char *rules = filter_rules(&f);
	_cleanup_free_ char *isolated = NULL;

	ck_assert_ptr_nonnull(rules);
	ck_assert_ptr_nonnull(strstr(rules, "\"vft3.0\" . 56:46:00:00:1c:00 . 10.77.6.2,"));
	ck_assert_ptr_nonnull(strstr(rules, "\"vft3.508\" . 56:46:00:00:1d:fc . 10.77.7.254,"));
	ck_assert_ptr_nonnull(strstr(rules, "ip daddr { 10.77.6.1, 255.255.255.255 }"));
	ck_assert_ptr_null(strstr(rules, "oifname \"vft3.*\""));
	f.isolated = true;
	isolated = filter_rules(&f);
	ck_assert_ptr_nonnull(strstr(isolated, "iifname \"vft3.*\" oifname \"vft3.*\" counter drop"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("net");
	TCase *t = tcase_create("parse");

	tcase_add_test(t, pools_that_are_taken);
	tcase_add_test(t, pools_that_are_refused);
	tcase_add_test(t, addresses_stay_in_their_subnet);
	tcase_add_test(t, overlaps);
	tcase_add_test(t, macs_are_local_and_differ);
	tcase_add_test(t, names_become_labels);
	tcase_add_test(t, rules_name_every_machine);
	suite_add_tcase(s, t);
	return run_suite(s);
}
