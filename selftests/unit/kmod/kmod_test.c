// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest module's pure helpers, built in user space. */
#include <check.h>
#include <stdlib.h>

#include "../run.h"
#include "../../../kmod/bits.h"
#include "../../../kmod/layout.h"
#include "../../../kmod/name.h"
#include "../../../kmod/ring.h"

#define RING	VMFORK_CHANNEL_RING_SIZE

static uint8_t ring[RING];

static void put(u32 at, u32 type, u32 len)
{
	struct vmfork_msg msg = { htole32(type), htole32(len), htole64(7) };

	vmfork_ring_write(ring, at, &msg, sizeof(msg));
}

START_TEST(ring_footprint_is_aligned)
{
	ck_assert_uint_eq(vmfork_ring_footprint(0), 16);
	ck_assert_uint_eq(vmfork_ring_footprint(1), 24);
	ck_assert_uint_eq(vmfork_ring_footprint(8), 24);
	ck_assert_uint_eq(vmfork_ring_footprint(VMFORK_RING_PAYLOAD_MAX), 16 + 16 + 16384);
}
END_TEST

START_TEST(ring_indices_run_freely)
{
	ck_assert_uint_eq(vmfork_ring_room(0, 0), RING);
	ck_assert_uint_eq(vmfork_ring_room(8, 0xfffffff8), RING - 16);
	ck_assert_uint_eq(vmfork_ring_room(RING, 0), 0);
	ck_assert(vmfork_ring_sane(RING, 0));
	ck_assert(!vmfork_ring_sane(RING + 8, 0));	/* fuller than full */
	ck_assert(!vmfork_ring_sane(0, 8));		/* tail overtook head */
	ck_assert(!vmfork_ring_sane(4, 0));
	ck_assert_uint_eq(vmfork_ring_room(0, 8), 0);
}
END_TEST

START_TEST(ring_relief_is_told_once)
{
	u32 head = 5 * RING / 2, told = 0;

	for (u32 tail = head - RING; tail != head; tail += 16)
		told += vmfork_ring_relieved(head, tail, tail + 16);
	ck_assert_uint_eq(told, 1);
	ck_assert(vmfork_ring_relieved(16, 16 - RING, 16));	/* all at once */
	ck_assert(!vmfork_ring_relieved(16, 0, 16));
	/* who found no room for the largest message is told */
	ck_assert_uint_gt(RING - vmfork_ring_footprint(VMFORK_RING_PAYLOAD_MAX), RING / 2);
}
END_TEST

START_TEST(ring_wraps_around)
{
	uint8_t in[100], out[100];

	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + 1);
	for (u32 pos = 0xffffffc0 - RING; pos != 64; pos += 8) {
		if ((pos & (RING - 1)) > 64 && (pos & (RING - 1)) < RING - 128)
			continue;
		memset(out, 0, sizeof(out));
		vmfork_ring_write(ring, pos, in, sizeof(in));
		vmfork_ring_read(ring, pos, out, sizeof(out));
		ck_assert_mem_eq(in, out, sizeof(in));
	}
}
END_TEST

START_TEST(ring_peek_finds_the_message)
{
	struct vmfork_ring_msg msg = { 0, 0, 0 };

	put(RING - 8, 65, 24);	/* its head wraps around */
	ck_assert_int_eq(vmfork_ring_peek(ring, RING + 32, RING - 8, &msg), 0);
	ck_assert_uint_eq(msg.type, 65);
	ck_assert_uint_eq(msg.len, 24);
	ck_assert_uint_eq(msg.cookie, 7);
}
END_TEST

START_TEST(ring_peek_refuses)
{
	struct vmfork_ring_msg msg = { 1, 2, 3 };

	ck_assert_int_eq(vmfork_ring_peek(ring, 64, 64, &msg), -EAGAIN);
	ck_assert_int_eq(vmfork_ring_peek(ring, 72, 64, &msg), -EPROTO);	/* half a head */
	ck_assert_int_eq(vmfork_ring_peek(ring, 0, 8, &msg), -EPROTO);
	put(0, 66, 100);
	ck_assert_int_eq(vmfork_ring_peek(ring, 112, 0, &msg), -EPROTO);	/* cut short */
	put(0, 66, VMFORK_RING_PAYLOAD_MAX + 1);
	ck_assert_int_eq(vmfork_ring_peek(ring, RING, 0, &msg), -EPROTO);
	put(0, 66, 0xffffffff);
	ck_assert_int_eq(vmfork_ring_peek(ring, RING, 0, &msg), -EPROTO);
	ck_assert_uint_eq(msg.type, 1);	/* untouched */
}
END_TEST

static int take(const char *name, char *out)
{
	char field[VMFORK_NAME_MAX];

	memset(field, 0, sizeof(field));
	memcpy(field, name, strlen(name));
	return vmfork_name_take(field, out);
}

START_TEST(names)
{
	static const char *const bad[] = { ".a", "-a", "a b", "a/b", "\xc3\xa9", "a\n",
		"7", "0123456789" };
	char field[VMFORK_NAME_MAX], out[VMFORK_NAME_MAX];

	ck_assert_int_eq(take("", out), 0);
	ck_assert_int_eq(take("web_1.2-x", out), 9);
	ck_assert_str_eq(out, "web_1.2-x");
	ck_assert_int_eq(take("12.7", out), 4);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(take(bad[i], out), -EINVAL);
	memset(field, 'z', sizeof(field));
	ck_assert_int_eq(vmfork_name_take(field, out), -EINVAL);
	field[VMFORK_NAME_MAX - 1] = '\0';
	ck_assert_int_eq(vmfork_name_take(field, out), VMFORK_NAME_MAX - 1);
	memset(field + 1, 'y', sizeof(field) - 1);
	field[1] = '\0';	/* what follows the NUL does not go to the host */
	ck_assert_int_eq(vmfork_name_take(field, out), 1);
	for (unsigned int i = 1; i < sizeof(out); i++)
		ck_assert_int_eq(out[i], 0);
}
END_TEST

static bool bit(const u8 *map, u64 n)
{
	return map[n >> 3] >> (n & 7) & 1;
}

START_TEST(bits_every_range)
{
	enum { LIMIT = 77 };
	u8 *map = malloc((LIMIT + 7) / 8);

	for (u64 first = 0; first < LIMIT + 3; first++) {
		for (u64 count = 0; count < LIMIT + 3; count++) {
			u64 end = first + count < LIMIT ? first + count : LIMIT;

			memset(map, 0, (LIMIT + 7) / 8);
			ck_assert_uint_eq(vmfork_bits_set(map, LIMIT, first, count),
					  first < end ? end - first : 0);
			for (u64 i = 0; i < LIMIT; i++)
				ck_assert(bit(map, i) == (i >= first && i < end));
		}
	}
	free(map);
}
END_TEST

START_TEST(bits_keep_what_is_set)
{
	u8 map[4] = { 0x01, 0x80, 0x00, 0x10 };

	ck_assert_uint_eq(vmfork_bits_set(map, 32, 9, 3), 3);
	ck_assert_uint_eq(map[0], 0x01);
	ck_assert_uint_eq(map[1], 0x8e);
	ck_assert_uint_eq(map[3], 0x10);
	ck_assert_uint_eq(vmfork_bits_set(map, 32, 31, UINT64_MAX), 1);
	ck_assert_uint_eq(map[3], 0x90);
}
END_TEST

static struct vmfork_channel constants(void)
{
	struct vmfork_channel c;

	memset(&c, 0, sizeof(c));
	c.magic = htole64(VMFORK_CHANNEL_MAGIC);
	c.version = htole32(VMFORK_CHANNEL_VERSION);
	c.clones_max = htole32(64);
	c.size = htole64(1 << 20);
	c.bitmap_bytes = htole64(8192);
	c.gfns = htole64(65536);
	c.family = htole64(5);
	c.vm = htole64(6);
	return c;
}

START_TEST(layout_right)
{
	struct vmfork_channel c = constants();
	struct vmfork_layout l;

	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), 0);
	ck_assert_uint_eq(l.clones_max, 64);
	ck_assert_uint_eq(l.gfns, 65536);
	ck_assert_uint_eq(l.family, 5);
	ck_assert_uint_eq(l.vm, 6);
	c.clones_max = htole32(0xffffffff);
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), 0);
	ck_assert_uint_eq(l.clones_max, VMFORK_CLONES_MAX);
}
END_TEST

START_TEST(layout_wrong)
{
	struct vmfork_channel c = constants();
	struct vmfork_layout l;

	c.magic++;
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), -ENODEV);
	c = constants();
	c.version = htole32(2);
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), -EPROTO);
	c = constants();
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 19, &l), -EPROTO);	/* larger than BAR2 */
	c.size = htole64(0x80000 - 1);
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), -EPROTO);
	c = constants();
	c.bitmap_bytes = htole64(0x40000 + 4096);
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), -EPROTO);
	c.bitmap_bytes = htole64(UINT64_MAX - 4095);
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), -EPROTO);
	c.bitmap_bytes = htole64(100);
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), -EPROTO);
	c = constants();
	c.gfns = htole64(65537);
	ck_assert_int_eq(vmfork_layout_parse(&c, 1 << 20, &l), -EPROTO);
}
END_TEST

START_TEST(texts)
{
	char from[VMFORK_WHY_MAX], to[VMFORK_WHY_MAX];

	memset(from, 'x', sizeof(from));
	vmfork_layout_text(to, from);
	ck_assert_uint_eq(strlen(to), VMFORK_WHY_MAX - 1);
	strcpy(from, "a\033[2J\n\377");
	vmfork_layout_text(to, from);
	ck_assert_str_eq(to, "a?[2J??");
	for (unsigned int i = strlen(to); i < sizeof(to); i++)
		ck_assert_int_eq(to[i], 0);
}
END_TEST

START_TEST(messages_fit)
{
	ck_assert(vmfork_layout_h2g_fits(VMFORK_H2G_REPLY, 16));
	ck_assert(!vmfork_layout_h2g_fits(VMFORK_H2G_REPLY, 15));
	ck_assert(vmfork_layout_h2g_fits(VMFORK_H2G_EXITED, 24 + VMFORK_WHY_MAX));
	ck_assert(!vmfork_layout_h2g_fits(VMFORK_H2G_EXITED, 24));
	ck_assert(!vmfork_layout_h2g_fits(VMFORK_H2G_DATA, 16));
	ck_assert(vmfork_layout_h2g_fits(VMFORK_H2G_DATA, 17));
	ck_assert(vmfork_layout_h2g_fits(VMFORK_H2G_DATA, 16 + VMFORK_MSG_MAX));
	ck_assert(!vmfork_layout_h2g_fits(VMFORK_H2G_DATA, 17 + VMFORK_MSG_MAX));
	ck_assert(!vmfork_layout_h2g_fits(VMFORK_H2G_CREDIT, 0));
	ck_assert(!vmfork_layout_h2g_fits(VMFORK_H2G_FORK, 8));
}
END_TEST

START_TEST(results)
{
	ck_assert_int_eq(vmfork_layout_result(0), 0);
	ck_assert_int_eq(vmfork_layout_result((u32)-ENOSPC), -ENOSPC);
	ck_assert_int_eq(vmfork_layout_result((u32)-133), -133);
	ck_assert_int_eq(vmfork_layout_result((u32)-512), -EIO);	/* ERESTARTSYS */
	ck_assert_int_eq(vmfork_layout_result(1), -EIO);
	ck_assert_int_eq(vmfork_layout_result(0x80000000), -EIO);
}
END_TEST

START_TEST(an_answer_is_read_late)
{
	const u64 t = 1795689444000000000ULL;

	ck_assert_uint_eq(vmfork_layout_realtime(t, 0), t);
	ck_assert_uint_eq(vmfork_layout_realtime(t, t + 6000000000ULL), t + 6000000000ULL);
	ck_assert_uint_eq(vmfork_layout_realtime(t, t + VMFORK_LATE_NS), t + VMFORK_LATE_NS);
	ck_assert_uint_eq(vmfork_layout_realtime(t, t + VMFORK_LATE_NS + 1), t);
	ck_assert_uint_eq(vmfork_layout_realtime(t, t - 1), t);
	ck_assert_uint_eq(vmfork_layout_realtime(0, t), 0);
}
END_TEST

static enum vmfork_who who(int result, u32 id, u32 clones, u64 vm)
{
	struct vmfork_fork answer = {
		.result = htole32((u32)result),
		.id = htole32(id),
		.clones = htole32(clones),
		.vm = htole64(vm),
	};

	return vmfork_layout_who(&answer, 7);
}

START_TEST(whose_answer)
{
	ck_assert_int_eq(who(0, 0, 0, 7), VMFORK_WHO_PARENT);	/* a checkpoint */
	ck_assert_int_eq(who(0, 0, 4, 7), VMFORK_WHO_PARENT);
	ck_assert_int_eq(who(-EIO, 0, 0, 7), VMFORK_WHO_PARENT);
	ck_assert_int_eq(who(0, 1, 4, 8), VMFORK_WHO_CLONE);
	ck_assert_int_eq(who(0, 4, 4, 8), VMFORK_WHO_CLONE);
	/* a clone that would take itself for its parent */
	ck_assert_int_eq(who(0, 0, 4, 8), VMFORK_WHO_UNKNOWN);
	ck_assert_int_eq(who(0, 0, 0, 0), VMFORK_WHO_UNKNOWN);
	ck_assert_int_eq(who(-EIO, 0, 0, 8), VMFORK_WHO_UNKNOWN);
	ck_assert_int_eq(who(-EIO, 1, 4, 8), VMFORK_WHO_UNKNOWN);
	/* two who would be the same */
	ck_assert_int_eq(who(0, 1, 4, 7), VMFORK_WHO_UNKNOWN);
	ck_assert_int_eq(who(0, 5, 4, 8), VMFORK_WHO_UNKNOWN);
	ck_assert_int_eq(who(0, 1, VMFORK_CLONES_MAX + 1, 8), VMFORK_WHO_UNKNOWN);
}
END_TEST

static struct vmfork_channel_net network(void)
{
	struct vmfork_channel_net net = {
		.flags = htole32(VMFORK_NET_ADDRESS | 1U << 31),
		.mtu = htole32(1500),
		.mac = { 0x52, 0x54, 0, 1, 2, 3 },
		.old_mac = { 0x52, 0x54, 0, 1, 2, 2 },
		.address = htobe32(0x0a0a0103),
		.prefix = htole32(24),
		.index = htole32(3),
		.hostname = "clone3",
		.domain = "family1.vmfork",
	};
	return net;
}

START_TEST(network_right)
{
	struct vmfork_channel_net net = network();
	struct vmfork_net n;

	strcpy(net.hostname + 8, "rubbish after the NUL");
	memset(&n, 0xff, sizeof(n));
	ck_assert_int_eq(vmfork_layout_net(&net, &n), 0);
	ck_assert_uint_eq(n.flags, VMFORK_NET_ADDRESS);
	ck_assert_uint_eq(n.mtu, 1500);
	ck_assert_mem_eq(n.mac, net.mac, 6);
	ck_assert_mem_eq(n.old_mac, net.old_mac, 6);
	ck_assert_uint_eq(n.address, htobe32(0x0a0a0103));
	ck_assert_uint_eq(n.prefix, 24);
	ck_assert_uint_eq(n.index, 3);
	ck_assert_str_eq(n.hostname, "clone3");
	ck_assert_str_eq(n.domain, "family1.vmfork");
	for (unsigned int i = strlen(n.hostname); i < sizeof(n.hostname); i++)
		ck_assert_int_eq(n.hostname[i], 0);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(n.reserved[i], 0);
	memset(net.hostname, 'x', 63);
	net.hostname[63] = 0;
	ck_assert_int_eq(vmfork_layout_net(&net, &n), 0);
	ck_assert_uint_eq(strlen(n.hostname), 63);
}
END_TEST

START_TEST(network_of_none)
{
	struct vmfork_channel_net net = { 0 };
	struct vmfork_net n;

	ck_assert_int_eq(vmfork_layout_net(&net, &n), -ENODATA);
	net.index = htole32(1);
	ck_assert_int_eq(vmfork_layout_net(&net, &n), 0);
}
END_TEST

static int network_of(void (*change)(struct vmfork_channel_net *net))
{
	struct vmfork_channel_net net = network();
	struct vmfork_net n;

	change(&net);
	return vmfork_layout_net(&net, &n);
}

static void group_mac(struct vmfork_channel_net *net)
{
	net->mac[0] |= 1;
}

static void group_old_mac(struct vmfork_channel_net *net)
{
	net->old_mac[0] |= 1;
}

static void small_mtu(struct vmfork_channel_net *net)
{
	net->mtu = htole32(67);
}

static void large_mtu(struct vmfork_channel_net *net)
{
	net->mtu = htole32(65536);
}

static void long_prefix(struct vmfork_channel_net *net)
{
	net->prefix = htole32(33);
}

static void no_address(struct vmfork_channel_net *net)
{
	net->address = 0;
}

static void endless_name(struct vmfork_channel_net *net)
{
	memset(net->hostname, 'x', sizeof(net->hostname));
}

static void endless_domain(struct vmfork_channel_net *net)
{
	memset(net->domain, 'x', sizeof(net->domain));
}

static void shell_name(struct vmfork_channel_net *net)
{
	strcpy(net->hostname, "a;reboot");
}

static void path_domain(struct vmfork_channel_net *net)
{
	strcpy(net->domain, "../x");
}

static void option_name(struct vmfork_channel_net *net)
{
	strcpy(net->hostname, "-x");
}

START_TEST(network_wrong)
{
	ck_assert_int_eq(network_of(group_mac), -EPROTO);
	ck_assert_int_eq(network_of(group_old_mac), -EPROTO);
	ck_assert_int_eq(network_of(small_mtu), -EPROTO);
	ck_assert_int_eq(network_of(large_mtu), -EPROTO);
	ck_assert_int_eq(network_of(long_prefix), -EPROTO);
	ck_assert_int_eq(network_of(no_address), -EPROTO);
	ck_assert_int_eq(network_of(endless_name), -EPROTO);
	ck_assert_int_eq(network_of(endless_domain), -EPROTO);
	ck_assert_int_eq(network_of(shell_name), -EPROTO);
	ck_assert_int_eq(network_of(path_domain), -EPROTO);
	ck_assert_int_eq(network_of(option_name), -EPROTO);
}
END_TEST

START_TEST(parameters)
{
	struct vmfork_clone_block block = { .params_len = htole32(VMFORK_PARAMS_MAX) };

	ck_assert_uint_eq(vmfork_layout_params_len(&block), VMFORK_PARAMS_MAX);
	block.params_len = htole32(VMFORK_PARAMS_MAX + 1);
	ck_assert_uint_eq(vmfork_layout_params_len(&block), 0);
	block.params_len = htole32(UINT32_MAX);
	ck_assert_uint_eq(vmfork_layout_params_len(&block), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kmod");
	TCase *t = tcase_create("pure");

	tcase_add_test(t, ring_footprint_is_aligned);
	tcase_add_test(t, ring_indices_run_freely);
	tcase_add_test(t, ring_relief_is_told_once);
	tcase_add_test(t, ring_wraps_around);
	tcase_add_test(t, ring_peek_finds_the_message);
	tcase_add_test(t, ring_peek_refuses);
	tcase_add_test(t, names);
	tcase_add_test(t, bits_every_range);
	tcase_add_test(t, bits_keep_what_is_set);
	tcase_add_test(t, layout_right);
	tcase_add_test(t, layout_wrong);
	tcase_add_test(t, texts);
	tcase_add_test(t, messages_fit);
	tcase_add_test(t, results);
	tcase_add_test(t, an_answer_is_read_late);
	tcase_add_test(t, whose_answer);
	tcase_add_test(t, network_right);
	tcase_add_test(t, network_of_none);
	tcase_add_test(t, network_wrong);
	tcase_add_test(t, parameters);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return run_suite(s);
}
