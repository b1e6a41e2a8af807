// SPDX-License-Identifier: GPL-2.0-or-later
/* Pure functions: messages, rings, names, limits, requests. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "channel_parse.h"
#include "fork.h"
#include "keeper.h"
#include "last_words.h"
#include "names.h"
#include "ops.h"
#include "options.h"
#include "policy.h"
#include "relay.h"
#include "ring.h"
#include "ticket.h"

static uint8_t ring[VMFORK_CHANNEL_RING_SIZE], payload[RING_PAYLOAD_MAX];

static uint32_t put(uint32_t at, uint32_t type, uint32_t len)
{
	struct vmfork_msg m = { htole32(type), htole32(len), htole64(3) };

	ring_put(ring, at, &m, sizeof(m));
	return at + ring_record(len);
}

START_TEST(ring_wraps)
{
	uint32_t start = VMFORK_CHANNEL_RING_SIZE * 5 - 24, head;
	uint8_t bytes[40];
	struct vmfork_msg m;

	memset(bytes, 0xab, sizeof(bytes));
	head = put(start, 9, sizeof(bytes));
	ring_put(ring, start + sizeof(m), bytes, sizeof(bytes));
	ck_assert_int_eq(ring_get(ring, head, start, &m, payload), 56);
	ck_assert_uint_eq(m.type, 9);
	ck_assert_uint_eq(m.cookie, 3);
	ck_assert_mem_eq(payload, bytes, sizeof(bytes));
	ck_assert_int_eq(ring_get(ring, head, head, &m, payload), 0);
}
END_TEST

START_TEST(ring_rubbish)
{
	struct vmfork_msg m;

	put(0, 1, 100);
	ck_assert_int_eq(ring_get(ring, 8, 0, &m, payload), -EBADMSG);
	ck_assert_int_eq(ring_get(ring, 17, 0, &m, payload), -EBADMSG);
	ck_assert_int_eq(ring_get(ring, 112, 0, &m, payload), -EBADMSG);
	ck_assert_int_eq(ring_get(ring, 120, 0, &m, payload), 120);
	ck_assert_int_eq(ring_get(ring, VMFORK_CHANNEL_RING_SIZE + 8, 0, &m, payload), -EBADMSG);
	ck_assert_int_eq(ring_get(ring, 0, 8, &m, payload), -EBADMSG);
	put(0, 1, RING_PAYLOAD_MAX + 1);
	ck_assert_int_eq(ring_get(ring, VMFORK_CHANNEL_RING_SIZE, 0, &m, payload), -EBADMSG);
	put(0, 1, 0xffffffff);
	ck_assert_int_eq(ring_get(ring, VMFORK_CHANNEL_RING_SIZE, 0, &m, payload), -EBADMSG);
	put(0, 1, RING_PAYLOAD_MAX);
	ck_assert_int_gt(ring_get(ring, VMFORK_CHANNEL_RING_SIZE, 0, &m, payload), 0);
}
END_TEST

START_TEST(ring_free_room)
{
	ck_assert_int_eq(ring_room(0, 0), VMFORK_CHANNEL_RING_SIZE);
	ck_assert_int_eq(ring_room(4, 0xfffffffc), VMFORK_CHANNEL_RING_SIZE - 8);
	ck_assert_int_eq(ring_room(0, 8), -EBADMSG);
	ck_assert_int_eq(ring_room(VMFORK_CHANNEL_RING_SIZE, 0), 0);
}
END_TEST

static const struct {
	uint32_t type;
	uint32_t size;
} sizes[] = {
	{ VMFORK_G2H_HELLO, sizeof(struct vmfork_msg_hello) },
	{ VMFORK_G2H_TICKET, sizeof(struct vmfork_msg_grant) },
	{ VMFORK_G2H_CREATE_CLONES, sizeof(struct vmfork_msg_ticket) },
	{ VMFORK_G2H_KILL, sizeof(struct vmfork_msg_ticket) },
	{ VMFORK_G2H_CLOSE_TICKET, sizeof(struct vmfork_msg_ticket) },
	{ VMFORK_G2H_OPEN_CHECKPOINT, sizeof(struct vmfork_msg_name) },
	{ VMFORK_G2H_CLOSE_CHECKPOINT, sizeof(struct vmfork_msg_ticket) },
	{ VMFORK_G2H_EXIT, sizeof(struct vmfork_msg_exit) },
	{ VMFORK_G2H_CREDIT, sizeof(struct vmfork_msg_credit) },
	{ VMFORK_G2H_FORK_REFUSED, sizeof(struct vmfork_msg_refused) },
	{ VMFORK_G2H_REPORT, sizeof(struct vmfork_msg_report) },
};

static void fill_good(uint32_t type)
{
	memset(payload, 0, sizeof(payload));
	if (type == VMFORK_G2H_HELLO) {
		((struct vmfork_msg_hello *)payload)->version = htole32(1);
		((struct vmfork_msg_hello *)payload)->cpus = htole32(2);
	} else if (type == VMFORK_G2H_OPEN_CHECKPOINT) {
		strcpy(((struct vmfork_msg_name *)payload)->name, "a");
	} else if (type == VMFORK_G2H_CREDIT) {
		((struct vmfork_msg_credit *)payload)->bytes = htole32(1);
	} else if (type == VMFORK_G2H_FORK_REFUSED) {
		((struct vmfork_msg_refused *)payload)->result = htole32((uint32_t)-EBUSY);
	}
}

START_TEST(message_sizes)
{
	struct vmfork_msg m = { .type = sizes[_i].type, .len = sizes[_i].size };
	struct g2h g;

	fill_good(m.type);
	ck_assert_int_eq(g2h_parse(&m, payload, &g), 0);
	ck_assert_uint_eq(g.type, m.type);
	m.len--;
	ck_assert_int_eq(g2h_parse(&m, payload, &g), -EBADMSG);
	m.len += 2;
	ck_assert_int_eq(g2h_parse(&m, payload, &g), -EBADMSG);
	m.len = 0;
	ck_assert_int_eq(g2h_parse(&m, payload, &g), -EBADMSG);
}
END_TEST

START_TEST(message_types)
{
	struct vmfork_msg m = { .len = sizeof(struct vmfork_msg_ticket) };
	struct g2h g;

	memset(payload, 0, sizeof(payload));
	for (uint32_t type = 0; type < 100; type++) {
		if (type >= VMFORK_G2H_HELLO && type <= VMFORK_G2H_REPORT)
			continue;
		m.type = type;
		ck_assert_int_eq(g2h_parse(&m, payload, &g), -EBADMSG);
	}
}
END_TEST

static int parse_as(uint32_t type, uint32_t len)
{
	struct vmfork_msg m = { .type = type, .len = len };
	struct g2h g;

	return g2h_parse(&m, payload, &g);
}

static int parse_options(struct options *o, const char *a, const char *b, const char *c,
			 const char *d)
{
	char *argv[] = { (char *)"vmforkd", (char *)a, (char *)b, (char *)c, (char *)d, NULL };

	optind = 0;
	return options_parse(o, d ? 5 : 3, argv);
}

START_TEST(last_line_says)
{
	char panic[] = "[   12.3] Kernel panic - not syncing: no agent";
	char end[] = "[   12.4] ---[ end Kernel panic - not syncing: no agent ]---";
	char other[] = "[   12.5] reboot: machine restart", plain[] = "bye \x20", open[] = "[x";

	ck_assert_str_eq(last_words_of(panic), "no agent");
	ck_assert_str_eq(last_words_of(end), "no agent");
	ck_assert_str_eq(last_words_of(other), "reboot: machine restart");
	ck_assert_str_eq(last_words_of(plain), "bye");
	ck_assert_str_eq(last_words_of(open), "[x");
}
END_TEST

START_TEST(console_lines)
{
	char text[] = "cut off\r\n\n\x1b[31mred\xff\nunfinished";
	size_t pos = 0;

	ck_assert_str_eq(last_words_next(text, sizeof(text) - 1, &pos), "cut off ");
	ck_assert_str_eq(last_words_next(text, sizeof(text) - 1, &pos), "?[31mred?");
	ck_assert_ptr_null(last_words_next(text, sizeof(text) - 1, &pos));
	ck_assert_ptr_null(last_words_next(text, sizeof(text) - 1, &pos));
	pos = 0;
	ck_assert_ptr_null(last_words_next(text, 0, &pos));
}
END_TEST

/* nobody and daemon are on every Debian */
START_TEST(pager_user)
{
	struct options o;

	if (geteuid() != 0) {
		ck_assert_int_eq(parse_options(&o, "--pager-user", "nobody", NULL, NULL), -EINVAL);
		return;
	}
	ck_assert_int_eq(parse_options(&o, "--user", "daemon", NULL, NULL), 0);
	ck_assert_str_eq(o.pager_user, "nobody");
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", NULL, NULL), 0);
	ck_assert_str_eq(o.pager_user, "nobody");
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", "--pager-user", "daemon"), 0);
	ck_assert_str_eq(o.pager_user, "daemon");
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", "--pager-user", "root"), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", "--pager-user", "no.one"), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--user", "root", NULL, NULL), -EINVAL);
}
END_TEST

START_TEST(fill_policies)
{
	struct options o;
	enum fill fill = FILL_NONE;

	ck_assert_int_eq(fill_parse("record", &fill), 0);
	ck_assert_int_eq(fill, FILL_RECORD);
	ck_assert_int_eq(fill_parse("all", &fill), 0);
	ck_assert_int_eq(fill, FILL_ALL);
	ck_assert_int_eq(fill_parse("none", &fill), 0);
	ck_assert_int_eq(fill, FILL_NONE);
	ck_assert_int_eq(fill_parse("", &fill), -EINVAL);
	ck_assert_int_eq(fill_parse("allx", &fill), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--fill", "some", NULL, NULL), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--fill-max", "8Q", NULL, NULL), -EINVAL);
	if (geteuid() == 0)
		ck_assert_int_eq(parse_options(&o, "--fill-max", "1M", "--user", "daemon"), 0);
	else
		ck_assert_int_eq(parse_options(&o, "--fill-max", "1M", NULL, NULL), 0);
	ck_assert_int_eq(o.fill, FILL_RECORD);
	ck_assert_uint_eq(o.fill_max, 1 << 20);
}
END_TEST

START_TEST(release_is_printable)
{
	struct vmfork_msg msg = { VMFORK_G2H_HELLO, sizeof(struct vmfork_msg_hello), 0 };
	struct vmfork_msg_hello *h = (void *)payload;
	json_t *o;
	struct g2h g;

	for (int c = 1; c < 256; c++) {
		fill_good(VMFORK_G2H_HELLO);
		memset(h->release, c, sizeof(h->release));	/* no NUL either */
		ck_assert_int_eq(g2h_parse(&msg, payload, &g), 0);
		ck_assert_uint_eq(strlen(g.hello.release), sizeof(h->release) - 1);
		ck_assert_int_eq(g.hello.release[0], c > 0x20 && c < 0x7f ? c : '?');
		o = json_string(g.hello.release);
		ck_assert_ptr_nonnull(o);
		json_decref(o);
	}
}
END_TEST

START_TEST(message_values)
{
	struct vmfork_msg_grant *t = (void *)payload;
	struct vmfork_msg_exit *e = (void *)payload;
	struct vmfork_msg_credit *c = (void *)payload;
	struct vmfork_msg_refused *r = (void *)payload;
	struct vmfork_msg_hello *h = (void *)payload;
	struct vmfork_msg_report *p = (void *)payload;

	fill_good(VMFORK_G2H_TICKET);
	t->flags = htole32(VMFORK_TICKET_EXACT);
	ck_assert_int_eq(parse_as(VMFORK_G2H_TICKET, sizeof(*t)), 0);
	t->flags = htole32(VMFORK_TICKET_NO_NETWORK);
	ck_assert_int_eq(parse_as(VMFORK_G2H_TICKET, sizeof(*t)), 0);
	t->flags = htole32(4);
	ck_assert_int_eq(parse_as(VMFORK_G2H_TICKET, sizeof(*t)), -EBADMSG);
	t->flags = 0;
	t->cpu_weight = htole32(LIMITS_CPU_WEIGHT_MAX);
	ck_assert_int_eq(parse_as(VMFORK_G2H_TICKET, sizeof(*t)), 0);
	t->cpu_weight = htole32(LIMITS_CPU_WEIGHT_MAX + 1);
	ck_assert_int_eq(parse_as(VMFORK_G2H_TICKET, sizeof(*t)), -EBADMSG);
	t->cpu_weight = 0;
	for (unsigned int i = 0; i < 3; i++) {
		t->reserved[i] = 1;
		ck_assert_int_eq(parse_as(VMFORK_G2H_TICKET, sizeof(*t)), -EBADMSG);
		t->reserved[i] = 0;
	}
	fill_good(VMFORK_G2H_EXIT);
	e->status = htole32(256);
	ck_assert_int_eq(parse_as(VMFORK_G2H_EXIT, sizeof(*e)), -EBADMSG);
	e->status = htole32((uint32_t)-1);
	ck_assert_int_eq(parse_as(VMFORK_G2H_EXIT, sizeof(*e)), -EBADMSG);
	e->status = htole32(255);
	ck_assert_int_eq(parse_as(VMFORK_G2H_EXIT, sizeof(*e)), 0);
	fill_good(VMFORK_G2H_CREDIT);
	c->bytes = 0;
	ck_assert_int_eq(parse_as(VMFORK_G2H_CREDIT, sizeof(*c)), -EBADMSG);
	c->bytes = htole32(VMFORK_WINDOW + 1);
	ck_assert_int_eq(parse_as(VMFORK_G2H_CREDIT, sizeof(*c)), -EBADMSG);
	fill_good(VMFORK_G2H_FORK_REFUSED);
	r->result = 0;
	ck_assert_int_eq(parse_as(VMFORK_G2H_FORK_REFUSED, sizeof(*r)), -EBADMSG);
	fill_good(VMFORK_G2H_REPORT);
	p->result = htole32(1);
	ck_assert_int_eq(parse_as(VMFORK_G2H_REPORT, sizeof(*p)), -EBADMSG);
	p->result = htole32((uint32_t)-4096);
	ck_assert_int_eq(parse_as(VMFORK_G2H_REPORT, sizeof(*p)), -EBADMSG);
	p->result = htole32((uint32_t)-EIO);
	ck_assert_int_eq(parse_as(VMFORK_G2H_REPORT, sizeof(*p)), 0);
	p->reserved = 1;
	ck_assert_int_eq(parse_as(VMFORK_G2H_REPORT, sizeof(*p)), -EBADMSG);
	fill_good(VMFORK_G2H_HELLO);
	h->version = htole32(2);
	ck_assert_int_eq(parse_as(VMFORK_G2H_HELLO, sizeof(*h)), -EBADMSG);
	fill_good(VMFORK_G2H_HELLO);
	h->cpus = 0;
	ck_assert_int_eq(parse_as(VMFORK_G2H_HELLO, sizeof(*h)), -EBADMSG);
	memset(payload, 0, sizeof(payload));
	ck_assert_int_eq(parse_as(VMFORK_G2H_DATA, sizeof(struct vmfork_msg_data)), -EBADMSG);
	ck_assert_int_eq(parse_as(VMFORK_G2H_DATA, sizeof(struct vmfork_msg_data) + 1), 0);
}
END_TEST

START_TEST(params)
{
	struct vmfork_msg m = { .type = VMFORK_G2H_PARAMS, .len = sizeof(struct vmfork_msg_params) };
	struct vmfork_msg_params *p = (void *)payload;
	struct g2h g;

	memset(payload, 0, sizeof(payload));
	p->ticket = htole64(9);
	p->id = htole32(3);
	ck_assert_int_eq(g2h_parse(&m, payload, &g), 0);
	ck_assert_uint_eq(g.params.len, 0);
	m.len += VMFORK_PARAMS_MAX;
	ck_assert_int_eq(g2h_parse(&m, payload, &g), 0);
	ck_assert_uint_eq(g.params.ticket, 9);
	ck_assert_uint_eq(g.params.id, 3);
	ck_assert_uint_eq(g.params.len, VMFORK_PARAMS_MAX);
	ck_assert_ptr_eq(g.params.bytes, payload + sizeof(*p));
	m.len++;
	ck_assert_int_eq(g2h_parse(&m, payload, &g), -EBADMSG);
	m.len = sizeof(*p) - 1;
	ck_assert_int_eq(g2h_parse(&m, payload, &g), -EBADMSG);
	m.len = sizeof(*p) + 1;
	p->reserved = 1;
	ck_assert_int_eq(g2h_parse(&m, payload, &g), -EBADMSG);
}
END_TEST

START_TEST(report_is_printable)
{
	struct vmfork_msg m = { .type = VMFORK_G2H_REPORT, .len = sizeof(struct vmfork_msg_report) };
	struct vmfork_msg_report *p = (void *)payload;
	struct g2h g;

	fill_good(VMFORK_G2H_REPORT);
	memset(p->why, 'x', sizeof(p->why));	/* no NUL */
	memcpy(p->why, "no link\n\033\377", 10);
	ck_assert_int_eq(g2h_parse(&m, payload, &g), 0);
	ck_assert_int_eq(memcmp(g.report.why, "no link???", 10), 0);
	ck_assert_uint_eq(strlen(g.report.why), VMFORK_WHY_MAX - 1);
}
END_TEST

START_TEST(hello_is_printable)
{
	struct vmfork_msg m = { .type = VMFORK_G2H_HELLO, .len = sizeof(struct vmfork_msg_hello) };
	struct vmfork_msg_hello *h = (void *)payload;
	struct g2h g;

	fill_good(VMFORK_G2H_HELLO);
	memset(h->release, 'x', sizeof(h->release));
	h->release[0] = '\033';
	ck_assert_int_eq(g2h_parse(&m, payload, &g), 0);
	ck_assert_int_eq(g.hello.release[0], '?');
	ck_assert_uint_eq(strlen(g.hello.release), 63);
}
END_TEST

START_TEST(fork_block)
{
	struct vmfork_fork f = { .kind = htole32(VMFORK_FORK_TICKET), .ticket = htole64(9) };
	struct fork_request q;

	ck_assert_int_eq(fork_request_parse(&f, 100, &q), 0);
	ck_assert_uint_eq(q.ticket, 9);
	f.free_pages = htole64(101);
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), -EINVAL);
	f.free_pages = 0;
	f.kind = 0;
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), -EINVAL);
	f.kind = htole32(4);
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), -EINVAL);
	f.kind = htole32(VMFORK_FORK_CHECKPOINT);
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), 0);
	memset(f.name, 'a', sizeof(f.name));
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), -EINVAL);
	f.name[63] = '\0';
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), 0);
	f.name[1] = '/';
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), -EINVAL);
}
END_TEST

START_TEST(fork_block_agent)
{
	struct vmfork_fork f = { .kind = htole32(VMFORK_FORK_TICKET), .agent_ms = htole32(500) };
	struct fork_request q;

	ck_assert_int_eq(fork_request_parse(&f, 100, &q), 0);
	ck_assert(!q.agent && !q.agent_ms);
	f.flags = htole32(VMFORK_FORK_AGENT);
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), 0);
	ck_assert(q.agent);
	ck_assert_uint_eq(q.agent_ms, 500);
	f.agent_ms = htole32(UINT32_MAX);
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), 0);
	ck_assert_uint_eq(q.agent_ms, AGENT_MS_MAX);
	f.agent_ms = 0;
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), -EINVAL);
	f.agent_ms = htole32(500);
	f.flags = htole32(VMFORK_FORK_AGENT | 2);
	ck_assert_int_eq(fork_request_parse(&f, 100, &q), -EINVAL);
}
END_TEST

START_TEST(names)
{
	char buf[64], field[64] = "good";

	ck_assert(name_valid("a.b_c-9"));
	ck_assert(!name_valid(""));
	ck_assert(!name_valid(".a"));
	ck_assert(!name_valid("-a"));
	ck_assert(!name_valid("a/b"));
	ck_assert(!name_valid("a\n"));
	ck_assert(root_name_valid("Web"));
	ck_assert(!root_name_valid("9web"));
	ck_assert(!root_name_valid("@x"));
	ck_assert(name_field_valid(field, sizeof(field)));
	field[10] = 'x';
	ck_assert(!name_field_valid(field, sizeof(field)));
	ck_assert_uint_eq(name_handle("120"), 120);
	ck_assert_uint_eq(name_handle("12a"), 0);
	ck_assert_uint_eq(name_handle("99999999999999999999"), 0);
	clone_name(buf, sizeof(buf), "web", 2, 3, 77);
	ck_assert_str_eq(buf, "web.2.3");
	memset(field, 'w', 63);
	field[63] = '\0';
	clone_name(buf, sizeof(buf), field, 2, 3, 77);
	ck_assert_str_eq(buf, "vm77");
}
END_TEST

START_TEST(policy)
{
	struct policy_input in = {
		.wanted = 8, .clones_max = 16, .clones_total = 100, .clone_bytes = 10,
		.memory_available = 1000,
	};
	unsigned int n = 0;
	char why[128];

	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), 0);
	ck_assert_uint_eq(n, 8);
	ck_assert_str_eq(why, "");
	in.clones_now = 95;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert_ptr_nonnull(strstr(why, "--clones-total"));
	in.exact = true;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EDQUOT);
	in.exact = false;
	in.clones_now = 200;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EDQUOT);
	in.clones_now = 0;
	in.memory_max = 100;
	in.memory_used = 70;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_ptr_nonnull(strstr(why, "--memory-max"));
	in.memory_max = 0;
	in.memory_available = 9;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EDQUOT);
	in.wanted = 0;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EINVAL);
	in.wanted = 17;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EINVAL);
}
END_TEST

START_TEST(windows)
{
	uint32_t w = 0;

	ck_assert_int_eq(window_send(&w, VMFORK_WINDOW), 0);
	ck_assert_int_eq(window_send(&w, 1), -EBADMSG);
	ck_assert_int_eq(window_credit(&w, 10), 0);
	ck_assert_int_eq(window_send(&w, 10), 0);
	ck_assert_int_eq(window_credit(&w, VMFORK_WINDOW), 0);
	ck_assert_int_eq(window_credit(&w, 1), -EBADMSG);
	ck_assert_int_eq(window_send(&w, 0xffffffff), -EBADMSG);
}
END_TEST

START_TEST(fork_transitions)
{
	static const uint16_t row[FORK_STATES] = {
		[FORK_FREE] = 1 << FORK_READYING | 1 << FORK_FREEZING | 1 << FORK_LOADING,
		[FORK_RESUMING] = 1 << FORK_DONE,
		[FORK_DONE] = 1 << FORK_FREE,
	};

	for (int to = 0; to < FORK_STATES; to++) {
		ck_assert(fork_transition_ok(FORK_FREE, to) == !!(row[FORK_FREE] & 1 << to));
		ck_assert(fork_transition_ok(FORK_RESUMING, to) == !!(row[FORK_RESUMING] & 1 << to));
		ck_assert(fork_transition_ok(FORK_DONE, to) == !!(row[FORK_DONE] & 1 << to));
		/* nothing but an end leads out of an end */
		ck_assert(!slot_transition_ok(SLOT_ENDED, to % SLOT_STATES));
	}
	/* a ticket is used once */
	ck_assert(!ticket_transition_ok(TICKET_FORKED, TICKET_GRANTED));
	ck_assert(!ticket_transition_ok(TICKET_FORKED, TICKET_FORKING));
	ck_assert(ticket_transition_ok(TICKET_FORKING, TICKET_GRANTED));
}
END_TEST

START_TEST(sizes_of_options)
{
	uint64_t v;

	ck_assert_int_eq(parse_size("512M", &v), 0);
	ck_assert_uint_eq(v, 512ULL << 20);
	ck_assert_int_eq(parse_size("0", &v), 0);
	ck_assert_int_eq(parse_size("", &v), -EINVAL);
	ck_assert_int_eq(parse_size("-1", &v), -EINVAL);
	ck_assert_int_eq(parse_size("1GB", &v), -EINVAL);
	ck_assert_int_eq(parse_size("99999999T", &v), -EINVAL);
	ck_assert_int_eq(parse_size("99999999999999999999", &v), -EINVAL);
}
END_TEST

START_TEST(blobs)
{
	char blob[] = "qemu\0-x\0A=1", *argv[4], *envp[4];

	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 2, 1, argv, envp), 0);
	ck_assert_str_eq(argv[1], "-x");
	ck_assert_ptr_null(argv[2]);
	ck_assert_str_eq(envp[0], "A=1");
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 3, 1, argv, envp), -EINVAL);
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 1, 1, argv, envp), -EINVAL);
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob) - 1, 2, 1, argv, envp), -EINVAL);
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 0, 3, argv, envp), -EINVAL);
}
END_TEST

START_TEST(stored_descriptors)
{
	int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY), got;

	ck_assert_int_eq(store_put("vm1.x", a), 0);
	ck_assert_int_eq(store_put("vm12.x", b), 0);
	ck_assert_str_eq(store_get(1, &got), "vm12.x");
	store_drop("vm1.*");
	ck_assert_int_eq(fcntl(a, F_GETFD), -1);
	ck_assert_int_ge(fcntl(b, F_GETFD), 0);
	ck_assert_str_eq(store_get(0, &got), "vm12.x");
	store_drop("vm12.x");
	ck_assert_ptr_null(store_get(0, &got));
}
END_TEST

static int config(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	struct vm_config c;
	char why[256];
	int r = config_parse(o, &c, why, sizeof(why));

	json_decref(o);
	return r;
}

START_TEST(configs)
{
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\"}"), 0);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217729,\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":\"1\",\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"1\",\"memory\":134217728,\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728}"), -EINVAL);
	ck_assert_int_eq(config("{\"memory\":134217728,\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\",\"x\":1}"),
			 -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\",\"vcpus\":17}"),
			 -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\",\"net\":\"x\"}"),
			 -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,"
				"\"disks\":[{\"path\":\"/d\",\"format\":\"qcow2\"}]}"), 0);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,"
				"\"disks\":[{\"path\":\"/d\",\"format\":\"vmdk\"}]}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"disks\":[7]}"), -EINVAL);
}
END_TEST

static int request(const char *text)
{
	struct request q = { 0 };
	char why[256];
	int r = request_parse(text, strlen(text), &q, why, sizeof(why));

	json_decref(q.json);
	return r;
}

START_TEST(requests)
{
	ck_assert_int_eq(request("{\"id\":7,\"op\":\"ps\"}"), 0);
	ck_assert_int_eq(request("{\"id\":\"7\",\"op\":\"ps\"}"), -EINVAL);
	ck_assert_int_eq(request("{\"id\":7}"), -EINVAL);
	ck_assert_int_eq(request("{\"id\":7,\"op\":1}"), -EINVAL);
	ck_assert_int_eq(request("[1]"), -EINVAL);
	ck_assert_int_eq(request("{\"id\":7,\"id\":8,\"op\":\"ps\"}"), -EINVAL);
	ck_assert_int_eq(request("{"), -EINVAL);
	ck_assert_int_eq(request(""), -EINVAL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-parse");
	TCase *c = tcase_create("parse");

	tcase_add_test(c, ring_wraps);
	tcase_add_test(c, ring_rubbish);
	tcase_add_test(c, ring_free_room);
	tcase_add_loop_test(c, message_sizes, 0, sizeof(sizes) / sizeof(*sizes));
	tcase_add_test(c, message_types);
	tcase_add_test(c, release_is_printable);
	tcase_add_test(c, last_line_says);
	tcase_add_test(c, console_lines);
	tcase_add_test(c, pager_user);
	tcase_add_test(c, fill_policies);
	tcase_add_test(c, message_values);
	tcase_add_test(c, params);
	tcase_add_test(c, report_is_printable);
	tcase_add_test(c, hello_is_printable);
	tcase_add_test(c, fork_block);
	tcase_add_test(c, fork_block_agent);
	tcase_add_test(c, names);
	tcase_add_test(c, policy);
	tcase_add_test(c, windows);
	tcase_add_test(c, fork_transitions);
	tcase_add_test(c, sizes_of_options);
	tcase_add_test(c, blobs);
	tcase_add_test(c, stored_descriptors);
	tcase_add_test(c, configs);
	tcase_add_test(c, requests);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
