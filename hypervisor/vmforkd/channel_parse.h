/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest says, checked: pure functions on copied bytes. */
#ifndef VMFORKD_CHANNEL_PARSE_H
#define VMFORKD_CHANNEL_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include <linux/vmfork.h>
#include <linux/vmfork_channel.h>

/** struct channel_hello - what is known of a guest. */
struct channel_hello {
	uint32_t cpus;
	uint64_t features;
	uint64_t hazards;
	char release[64];	/* printable, NUL-terminated */
};

/** struct limits - of each clone of a ticket; 0: none. See struct vmfork_request_ticket. */
struct limits {
	uint32_t lifetime_s;
	uint32_t memory_mib;
	uint32_t cpu_weight;
};
#define LIMITS_CPU_WEIGHT_MAX	10000U

/** struct g2h - one message of a guest, in host order. */
struct g2h {
	enum vmfork_msg_type type;
	uint64_t cookie;
	union {
		struct channel_hello hello;
		struct {
			uint64_t ticket;
			uint64_t checkpoint;
			uint32_t clones;
			uint32_t id;
		} ticket;
		struct {
			uint32_t clones;
			uint32_t flags;
			struct limits limits;
		} grant;
		char name[VMFORK_NAME_MAX];
		struct {
			int32_t status;
		} exit;
		struct {
			uint64_t ticket;
			uint32_t id;
			uint32_t tag;
			uint32_t len;
			const uint8_t *bytes;
		} data;
		struct {
			uint64_t ticket;
			uint32_t id;
			uint32_t bytes;
		} credit;
		struct {
			uint64_t cookie;
			int32_t result;
		} refused;
	};
};

/**
 * g2h_parse() - @head in host order, @payload of head->len bytes.
 * Return: 0, or -EBADMSG (unknown type, wrong size, value out of range, reserved
 * field set): the ring is dead then.
 */
int g2h_parse(const struct vmfork_msg *head, const void *payload, struct g2h *ret);

/** struct fork_request - what the guest wrote into the fork block. */
struct fork_request {
	enum vmfork_fork_kind kind;
	uint64_t ticket;
	uint64_t free_pages;
	char name[VMFORK_NAME_MAX];
};

/** fork_request_parse() - @block is a copy. Return: 0 or -EINVAL. */
int fork_request_parse(const struct vmfork_fork *block, uint64_t gfns, struct fork_request *ret);

#endif /* VMFORKD_CHANNEL_PARSE_H */
