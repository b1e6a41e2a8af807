/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result: totals, distribution and the largest answers of a share of the packages. */
#ifndef DEBGRAPH_RESULT_H
#define DEBGRAPH_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "closure.h"

#define RESULT_TOP	10
#define RESULT_BUCKETS	16
#define RESULT_MAGIC	0x64656267726170ULL

/**
 * struct result - of a share, or of all; also the message that a clone sends, which is
 * never larger than VMFORK_MSG_MAX. Everything in it merges: shares in any order give
 * the same whole.
 * @bucket:	answers with 2^i <= count < 2^(i+1)
 * @checksum:	sum of a hash of every answer
 */
struct result {
	uint64_t magic;
	uint64_t answers;
	uint64_t count_sum;
	uint64_t kib_sum;
	uint64_t missing_sum;
	uint64_t cyclic;
	uint64_t checksum;
	uint64_t bucket[RESULT_BUCKETS];
	struct result_top {
		uint64_t installed_kib;
		uint32_t package;
		uint32_t count;
	} top[RESULT_TOP];
};

void result_init(struct result *r);
void result_add(struct result *r, const struct closure *c);
void result_merge(struct result *into, const struct result *from);

/** result_parse() - a message's bytes. @packages: of the graph. Return: 0 or -EBADMSG. */
int result_parse(const void *buf, size_t len, uint32_t packages, struct result *ret);

#endif /* DEBGRAPH_RESULT_H */
