// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: what a guest writes into its channel: ring, messages, fork block. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channel_parse.h"
#include "names.h"
#include "ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t ring[VMFORK_CHANNEL_RING_SIZE], payload[RING_PAYLOAD_MAX];

static bool is_text(const char why[VMFORK_WHY_MAX])
{
	size_t n = strnlen(why, VMFORK_WHY_MAX);

	for (size_t i = 0; i < n; i++)
		if (why[i] < ' ' || why[i] > '~')
			return false;
	return n < VMFORK_WHY_MAX;
}

static void check_message(const struct vmfork_msg *m)
{
	struct g2h g;

	if (g2h_parse(m, payload, &g) < 0)
		return;
	if (g.type == VMFORK_G2H_DATA &&
	    (g.data.bytes < payload || g.data.len > VMFORK_MSG_MAX ||
	     g.data.bytes + g.data.len > payload + sizeof(payload)))
		abort();
	if (g.type == VMFORK_G2H_PARAMS &&
	    (g.params.bytes < payload || g.params.len > VMFORK_PARAMS_MAX ||
	     g.params.bytes + g.params.len > payload + sizeof(payload)))
		abort();
	if (g.type == VMFORK_G2H_REPORT && (g.report.result > 0 || !is_text(g.report.why)))
		abort();
	if (g.type == VMFORK_G2H_OPEN_CHECKPOINT && !name_valid(g.name))
		abort();
	if (g.type == VMFORK_G2H_HELLO && strnlen(g.hello.release, 64) == 64)
		abort();
	if (g.type == VMFORK_G2H_CREDIT && g.credit.bytes > VMFORK_WINDOW)
		abort();
}

/* Input: head, tail, then the ring's contents from tail on. */
static void fuzz_ring(const uint8_t *data, size_t len)
{
	uint32_t at[2];
	struct vmfork_msg m;

	if (len < sizeof(at))
		return;
	memcpy(at, data, sizeof(at));
	len -= sizeof(at);
	ring_put(ring, at[1], data + sizeof(at), (uint32_t)(len < sizeof(ring) ? len : sizeof(ring)));
	for (int i = 0; i < 1000; i++) {
		int n = ring_get(ring, at[0], at[1], &m, payload);

		if (n <= 0)
			break;
		if (n % 8 || (uint32_t)n < sizeof(m) + m.len || (uint32_t)n > at[0] - at[1])
			abort();
		check_message(&m);
		at[1] += (uint32_t)n;
	}
	if (ring_room(at[0], at[1]) > (int)sizeof(ring))
		abort();
}

static void fuzz_block(const uint8_t *data, size_t len)
{
	struct vmfork_fork block = { 0 };
	struct fork_request q;

	memcpy(&block, data, len < sizeof(block) ? len : sizeof(block));
	if (fork_request_parse(&block, 65536, &q) == 0 &&
	    (q.free_pages > 65536 || (q.name[0] && !name_valid(q.name)) ||
	     q.agent != (q.agent_ms > 0) || q.agent_ms > AGENT_MS_MAX))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1)
		return 0;
	if (data[0] & 1)
		fuzz_ring(data + 1, len - 1);
	else
		fuzz_block(data + 1, len - 1);
	return 0;
}
