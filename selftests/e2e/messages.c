// SPDX-License-Identifier: GPL-2.0-or-later
/* messages: many bytes both ways at once, with readers that lag. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: messages [MiB]
 *
 * Two clones send so many MiB each, in messages of all sizes, to a parent that reads
 * nothing at first; meanwhile the parent sends a quarter of that to each of them.
 * Sequence numbers travel in the tag; the content depends on stream and sequence.
 * A stream that is not read must not hold up another one.
 */
#define CLONES 2
#define DOWN 100	/* stream numbers of the other direction */
#define END_TAG 0xffffffffU

struct stream {
	int fd;
	unsigned int to;	/* record's ID */
	unsigned int number;	/* of the stream: sender's ID, or DOWN + receiver's */
	size_t total;
	int error;
};

struct check {
	unsigned int number;
	uint32_t next;
	size_t bytes;
	size_t bad;
	bool ended;
};

static size_t size_of(unsigned int stream, uint32_t seq)
{
	return 1 + mix(stream, seq) % VMFORK_MSG_MAX;
}

static void fill(uint8_t *buf, size_t len, unsigned int stream, uint32_t seq)
{
	uint64_t word = mix(seq, stream);

	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(word >> (i & 7) * 8) + (uint8_t)(i >> 3);
}

static void *send_stream(void *arg)
{
	uint8_t buf[VMFORK_MSG_MAX];
	struct stream *s = arg;
	size_t sent = 0;
	uint32_t seq = 0;

	while (sent < s->total && !s->error) {
		size_t len = size_of(s->number, seq);

		fill(buf, len, s->number, seq);
		s->error = vmfork_send(s->fd, s->to, seq++, buf, len);
		sent += len;
	}
	if (!s->error)
		s->error = vmfork_send(s->fd, s->to, END_TAG, &sent, sizeof(sent));
	return NULL;
}

static void take(struct check *c, const struct vmfork_record *rec, const uint8_t *buf)
{
	uint8_t expected[VMFORK_MSG_MAX];

	if (rec->tag == END_TAG) {
		size_t sent;

		memcpy(&sent, buf, sizeof(sent));
		c->ended = true;
		c->bad += sent != c->bytes;
		return;
	}
	fill(expected, rec->len, c->number, c->next);
	c->bad += rec->tag != c->next || rec->len != size_of(c->number, c->next) ||
		  memcmp(buf, expected, rec->len);
	c->next++;
	c->bytes += rec->len;
}

static void in_clone(int vm, int link, unsigned int id, size_t total)
{
	struct stream s = { .fd = link, .number = id, .total = total };
	struct check c = { .number = DOWN + id };
	uint8_t buf[VMFORK_MSG_MAX];
	struct vmfork_record rec;
	pthread_t sender;
	int r = pthread_create(&sender, NULL, send_stream, &s);

	if (r)
		clone_broken(vm, "thread", r);
	while (!c.ended) {
		r = vmfork_recv(link, &rec, buf, sizeof(buf));
		if (r <= 0)
			clone_broken(vm, "receive", r);
		take(&c, &rec, buf);
	}
	pthread_join(sender, NULL);
	if (s.error)
		clone_broken(vm, "send", s.error);
	clone_exit(vm, c.bad || c.bytes < total / 4 ? 1 : 0);
}

/* The clones run into their window: no more room, until the parent reads. */
static void lag(int ticket)
{
	struct pollfd p = { .fd = ticket, .events = POLLIN };

	tap_ok(poll(&p, 1, -1) == 1 && p.revents & POLLIN, "poll(): there is something to read");
	sleep(1);
}

static void read_all(int ticket)
{
	struct check checks[CLONES] = { { .number = 1 }, { .number = 2 } };
	_Alignas(8) uint8_t buf[VMFORK_MSG_MAX];
	const struct vmfork_exit_info *e = (const void *)buf;
	unsigned int records = 0, exits = 0;
	struct vmfork_record rec;
	int r;

	while ((r = vmfork_recv(ticket, &rec, buf, sizeof(buf))) > 0) {
		struct check *c = &checks[rec.id - 1];

		if (rec.type == VMFORK_RECORD_EXIT) {
			tap_ok(ended(e, 0) && c->ended, "clone %u got all of the parent's messages, "
			       "and its exit came last: %s %d", e->id, reason_name(e->reason), e->status);
			exits++;
			continue;
		}
		take(c, &rec, buf);
		if (++records % 64 == 0)
			usleep(10000);
	}
	tap_ok(r == 0 && exits == CLONES, "read() returns 0 when nothing can come any more");
	for (unsigned int i = 0; i < CLONES; i++)
		tap_ok(checks[i].ended && !checks[i].bad, "%zu bytes in %u messages of clone %u: "
		       "order and content right (%zu wrong)", checks[i].bytes, checks[i].next,
		       i + 1, checks[i].bad);
}

int test_messages(int argc, char **argv)
{
	size_t total = (argc > 1 ? (size_t)atoi(argv[1]) : 10) << 20;
	struct stream down[CLONES];
	pthread_t threads[CLONES];
	int vm = machine_open(), ticket = machine_ticket(vm, CLONES), id;

	id = machine_clone(ticket);
	if (id > 0)
		in_clone(vm, ticket, (unsigned int)id, total);
	for (unsigned int i = 0; i < CLONES; i++) {
		down[i] = (struct stream){ .fd = ticket, .to = i + 1, .number = DOWN + i + 1,
					   .total = total / 4 };
		if (pthread_create(&threads[i], NULL, send_stream, &down[i]))
			tap_bail("no thread");
	}
	lag(ticket);
	read_all(ticket);
	for (unsigned int i = 0; i < CLONES; i++) {
		pthread_join(threads[i], NULL);
		tap_ok(!down[i].error, "sending to clone %u: %s", i + 1, strerror(-down[i].error));
	}
	return tap_done();
}
