// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's side of a channel, for unit tests of the core. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "guest.h"

static uint8_t buf[RING_PAYLOAD_MAX];

void guest_put(struct vm *vm, uint32_t type, uint64_t cookie, const void *payload, uint32_t len)
{
	struct vmfork_msg m = { htole32(type), htole32(len), htole64(cookie) };
	struct vmfork_channel *h = channel_head(&vm->channel);
	uint32_t at = le32toh(h->g2h.head);

	ring_put(vm->channel.map + VMFORK_CHANNEL_G2H, at, &m, sizeof(m));
	ring_put(vm->channel.map + VMFORK_CHANNEL_G2H, at + sizeof(m), payload, len);
	h->g2h.head = htole32(at + ring_record(len));
	core_event(vm, VM_EV_RANG, 0, 0);
}

uint32_t guest_take(struct vm *vm, uint64_t *ret_cookie, void *payload, uint32_t *ret_len)
{
	struct vmfork_channel *h = channel_head(&vm->channel);
	uint32_t tail = le32toh(h->h2g.tail);
	struct vmfork_msg m;
	int n = ring_get(vm->channel.map + VMFORK_CHANNEL_H2G, le32toh(h->h2g.head), tail, &m,
			 payload);

	if (n <= 0)
		return 0;
	h->h2g.tail = htole32(tail + (uint32_t)n);
	*ret_cookie = m.cookie;
	*ret_len = m.len;
	return m.type;
}

void guest_hello(struct vm *vm)
{
	struct vmfork_msg_hello m = { .version = htole32(1), .cpus = htole32(1),
		.release = "6.1-test" };

	guest_put(vm, VMFORK_G2H_HELLO, 0, &m, sizeof(m));
}

static void want_fork(struct vm *vm, uint32_t kind, uint64_t ticket, const char *name,
		      uint64_t free_pages, uint32_t flags, uint32_t agent_ms)
{
	struct vmfork_fork *f = &channel_head(&vm->channel)->fork;

	f->kind = htole32(kind);
	f->ticket = htole64(ticket);
	f->flags = htole32(flags);
	f->agent_ms = htole32(agent_ms);
	memset(f->name, 0, sizeof(f->name));
	memcpy(f->name, name, strlen(name));
	f->free_pages = htole64(free_pages);
	f->state = htole32(VMFORK_FORK_REQUESTED);
	core_event(vm, VM_EV_RANG, 0, 0);
}

void guest_want_fork(struct vm *vm, uint32_t kind, uint64_t ticket, const char *name,
		     uint64_t free_pages)
{
	want_fork(vm, kind, ticket, name, free_pages, 0, 0);
}

void guest_want_held_fork(struct vm *vm, uint32_t kind, uint64_t ticket, const char *name,
			  uint32_t agent_ms)
{
	want_fork(vm, kind, ticket, name, 0, VMFORK_FORK_AGENT, agent_ms);
}

void guest_report(struct vm *vm, uint64_t cookie, int result, const char *why)
{
	struct vmfork_msg_report m = { .result = htole32((uint32_t)result) };

	strcpy(m.why, why);
	guest_put(vm, VMFORK_G2H_REPORT, cookie, &m, sizeof(m));
}

void guest_params(struct vm *vm, uint64_t cookie, uint64_t ticket, uint32_t id,
		  const char *text)
{
	struct vmfork_msg_params m = { .ticket = htole64(ticket), .id = htole32(id) };

	memcpy(buf, &m, sizeof(m));
	memcpy(buf + sizeof(m), text, strlen(text));
	guest_put(vm, VMFORK_G2H_PARAMS, cookie, buf, (uint32_t)(sizeof(m) + strlen(text)));
}

struct vmfork_fork guest_leave_fork(struct vm *vm)
{
	struct vmfork_fork *f = &channel_head(&vm->channel)->fork, copy = *f;

	f->state = htole32(VMFORK_FORK_IDLE);
	return copy;
}

int64_t guest_ticket(struct vm *vm, uint32_t n)
{
	struct vmfork_msg_grant m = { .clones = htole32(n) };
	union {
		struct vmfork_msg_reply reply;
		uint8_t bytes[RING_PAYLOAD_MAX];
	} in;
	uint64_t cookie;
	uint32_t len;

	guest_put(vm, VMFORK_G2H_TICKET, 77, &m, sizeof(m));
	if (guest_take(vm, &cookie, &in, &len) != VMFORK_H2G_REPLY || cookie != 77)
		return -EPROTO;
	if (in.reply.result)
		return (int32_t)le32toh(in.reply.result);
	return (int64_t)le64toh(in.reply.handle);
}

struct vmfork_msg_exited next_exit(struct vm *vm)
{
	struct vmfork_msg_exited m = { 0 };
	uint64_t cookie;
	uint32_t len;

	if (guest_take(vm, &cookie, buf, &len) == VMFORK_H2G_EXITED)
		memcpy(&m, buf, sizeof(m));
	return m;
}

bool nothing_for(struct vm *vm)
{
	uint64_t cookie;
	uint32_t len;

	return guest_take(vm, &cookie, buf, &len) == 0;
}

void guest_exit(struct vm *vm, int status)
{
	struct vmfork_msg_exit m = { .status = htole32((uint32_t)status) };

	guest_put(vm, VMFORK_G2H_EXIT, 0, &m, sizeof(m));
}

void guest_data(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t len)
{
	struct vmfork_msg_data m = { htole64(ticket), htole32(id), htole32(7) };

	memcpy(buf, &m, sizeof(m));
	memset(buf + sizeof(m), 'x', len);
	guest_put(vm, VMFORK_G2H_DATA, 0, buf, (uint32_t)sizeof(m) + len);
}

void guest_credit(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t bytes)
{
	struct vmfork_msg_credit m = { htole64(ticket), htole32(id), htole32(bytes) };

	guest_put(vm, VMFORK_G2H_CREDIT, 0, &m, sizeof(m));
}

void guest_close_ticket(struct vm *vm, uint64_t ticket)
{
	struct vmfork_msg_ticket m = { .ticket = htole64(ticket) };

	guest_put(vm, VMFORK_G2H_CLOSE_TICKET, 0, &m, sizeof(m));
}

struct ticket *fork_into(struct vm *vm, uint32_t n)
{
	int64_t t = guest_ticket(vm, n);

	if (t <= 0)
		return NULL;
	fake_settle();
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	return ticket_find((uint64_t)t);
}
