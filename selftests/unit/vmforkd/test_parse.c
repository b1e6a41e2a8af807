// SPDX-License-Identifier: GPL-2.0-or-later
/* Pure functions on what guests send: messages, rings, the fork block, states. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "../run.h"
#include "channel_parse.h"
#include "fork.h"
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
	tcase_add_test(c, message_values);
	tcase_add_test(c, params);
	tcase_add_test(c, report_is_printable);
	tcase_add_test(c, hello_is_printable);
	tcase_add_test(c, fork_block);
	tcase_add_test(c, fork_block_agent);
	tcase_add_test(c, windows);
	tcase_add_test(c, fork_transitions);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
