// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest says, checked: pure functions on copied bytes. */
#include "channel_parse.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "names.h"

#define GUEST_CPUS_MAX	4096
#define ERRNO_MAX	4095

/* The release goes to logs and JSON, whatever the guest wrote there. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x21 || (unsigned char)*s > 0x7e)
			*s = '?';
}

static int parse_hello(const void *payload, struct g2h *ret)
{
	struct vmfork_msg_hello m;

	memcpy(&m, payload, sizeof(m));
	if (le32toh(m.version) != VMFORK_CHANNEL_VERSION)
		return -EBADMSG;
	ret->hello.cpus = le32toh(m.cpus);
	if (ret->hello.cpus < 1 || ret->hello.cpus > GUEST_CPUS_MAX)
		return -EBADMSG;
	ret->hello.features = le64toh(m.features);
	ret->hello.hazards = le64toh(m.hazards);
	memcpy(ret->hello.release, m.release, sizeof(m.release));
	ret->hello.release[sizeof(m.release) - 1] = '\0';
	make_printable(ret->hello.release);
	return 0;
}

static int parse_ticket(const void *payload, struct g2h *ret)
{
	struct vmfork_msg_ticket m;

	memcpy(&m, payload, sizeof(m));
	ret->ticket.ticket = le64toh(m.ticket);
	ret->ticket.checkpoint = le64toh(m.checkpoint);
	ret->ticket.clones = le32toh(m.clones);
	ret->ticket.id = le32toh(m.id);
	return 0;
}

static int parse_grant(const void *payload, struct g2h *ret)
{
	struct vmfork_msg_grant m;

	memcpy(&m, payload, sizeof(m));
	ret->grant.clones = le32toh(m.clones);
	ret->grant.flags = le32toh(m.flags);
	ret->grant.limits.lifetime_s = le32toh(m.lifetime_s);
	ret->grant.limits.memory_mib = le32toh(m.memory_mib);
	ret->grant.limits.cpu_weight = le32toh(m.cpu_weight);
	if (m.reserved[0] || m.reserved[1] || m.reserved[2])
		return -EBADMSG;
	if (ret->grant.flags & ~VMFORK_TICKET_EXACT)
		return -EBADMSG;
	return ret->grant.limits.cpu_weight <= LIMITS_CPU_WEIGHT_MAX ? 0 : -EBADMSG;
}

static int parse_name(const void *payload, struct g2h *ret)
{
	memcpy(ret->name, payload, sizeof(ret->name));
	return name_field_valid(ret->name, sizeof(ret->name)) ? 0 : -EBADMSG;
}

static int parse_exit(const void *payload, struct g2h *ret)
{
	struct vmfork_msg_exit m;

	memcpy(&m, payload, sizeof(m));
	ret->exit.status = (int32_t)le32toh(m.status);
	if (m.reserved || ret->exit.status < 0 || ret->exit.status > 255)
		return -EBADMSG;
	return 0;
}

static int parse_data(const void *payload, uint32_t len, struct g2h *ret)
{
	struct vmfork_msg_data m;

	memcpy(&m, payload, sizeof(m));
	ret->data.ticket = le64toh(m.ticket);
	ret->data.id = le32toh(m.id);
	ret->data.tag = le32toh(m.tag);
	ret->data.len = len - (uint32_t)sizeof(m);
	ret->data.bytes = (const uint8_t *)payload + sizeof(m);
	return ret->data.len ? 0 : -EBADMSG;
}

static int parse_credit(const void *payload, struct g2h *ret)
{
	struct vmfork_msg_credit m;

	memcpy(&m, payload, sizeof(m));
	ret->credit.ticket = le64toh(m.ticket);
	ret->credit.id = le32toh(m.id);
	ret->credit.bytes = le32toh(m.bytes);
	if (ret->credit.bytes < 1 || ret->credit.bytes > VMFORK_WINDOW)
		return -EBADMSG;
	return 0;
}

static int parse_refused(const void *payload, struct g2h *ret)
{
	struct vmfork_msg_refused m;

	memcpy(&m, payload, sizeof(m));
	ret->refused.cookie = le64toh(m.cookie);
	ret->refused.result = (int32_t)le32toh(m.result);
	if (m.reserved || ret->refused.result >= 0 || ret->refused.result < -ERRNO_MAX)
		return -EBADMSG;
	return 0;
}

/* -1: any size from the smallest on */
static int payload_size(uint32_t type)
{
	switch (type) {
	case VMFORK_G2H_HELLO:
		return sizeof(struct vmfork_msg_hello);
	case VMFORK_G2H_TICKET:
		return sizeof(struct vmfork_msg_grant);
	case VMFORK_G2H_CREATE_CLONES:
	case VMFORK_G2H_KILL:
	case VMFORK_G2H_CLOSE_TICKET:
	case VMFORK_G2H_CLOSE_CHECKPOINT:
		return sizeof(struct vmfork_msg_ticket);
	case VMFORK_G2H_OPEN_CHECKPOINT:
		return sizeof(struct vmfork_msg_name);
	case VMFORK_G2H_EXIT:
		return sizeof(struct vmfork_msg_exit);
	case VMFORK_G2H_CREDIT:
		return sizeof(struct vmfork_msg_credit);
	case VMFORK_G2H_FORK_REFUSED:
		return sizeof(struct vmfork_msg_refused);
	default:
		return -EBADMSG;
	}
}

static int parse_payload(const void *payload, struct g2h *ret)
{
	switch (ret->type) {
	case VMFORK_G2H_HELLO:
		return parse_hello(payload, ret);
	case VMFORK_G2H_TICKET:
		return parse_grant(payload, ret);
	case VMFORK_G2H_OPEN_CHECKPOINT:
		return parse_name(payload, ret);
	case VMFORK_G2H_EXIT:
		return parse_exit(payload, ret);
	case VMFORK_G2H_CREDIT:
		return parse_credit(payload, ret);
	case VMFORK_G2H_FORK_REFUSED:
		return parse_refused(payload, ret);
	default:
		return parse_ticket(payload, ret);
	}
}

int g2h_parse(const struct vmfork_msg *head, const void *payload, struct g2h *ret)
{
	struct g2h m = { .type = head->type, .cookie = head->cookie };
	int size, r;

	if (head->type == VMFORK_G2H_DATA) {
		if (head->len <= sizeof(struct vmfork_msg_data))
			return -EBADMSG;
		r = parse_data(payload, head->len, &m);
	} else {
		size = payload_size(head->type);
		if (size < 0 || head->len != (uint32_t)size)
			return -EBADMSG;
		r = parse_payload(payload, &m);
	}
	if (r == 0)
		*ret = m;
	return r;
}

int fork_request_parse(const struct vmfork_fork *block, uint64_t gfns, struct fork_request *ret)
{
	struct fork_request q = {
		.kind = le32toh(block->kind),
		.ticket = le64toh(block->ticket),
		.free_pages = le64toh(block->free_pages),
	};

	if (q.free_pages > gfns)
		return -EINVAL;
	memcpy(q.name, block->name, sizeof(q.name));
	switch (q.kind) {
	case VMFORK_FORK_TICKET:
	case VMFORK_FORK_HOST:
		q.name[0] = '\0';
		break;
	case VMFORK_FORK_CHECKPOINT:
		if (q.name[0] && !name_field_valid(q.name, sizeof(q.name)))
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	*ret = q;
	return 0;
}
