// SPDX-License-Identifier: GPL-2.0-or-later
/* A result: totals, distribution and the largest answers of a share of the packages. */
#include "result.h"

#include <errno.h>
#include <string.h>

void result_init(struct result *r)
{
	memset(r, 0, sizeof(*r));
	r->magic = RESULT_MAGIC;
}

/* splitmix64's finaliser */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static unsigned int bucket_of(uint32_t count)
{
	unsigned int b = count ? 31 - (unsigned int)__builtin_clz(count) : 0;

	return b < RESULT_BUCKETS ? b : RESULT_BUCKETS - 1;
}

/* Larger first; of equals the one that comes first in the index. */
static int before(const struct result_top *a, const struct result_top *b)
{
	if (a->installed_kib != b->installed_kib)
		return a->installed_kib > b->installed_kib;
	return a->package < b->package;
}

static void add_top(struct result *r, struct result_top t)
{
	unsigned int i = RESULT_TOP;

	while (i > 0 && (!r->top[i - 1].count || before(&t, &r->top[i - 1])))
		i--;
	if (i == RESULT_TOP)
		return;
	memmove(&r->top[i + 1], &r->top[i], (RESULT_TOP - 1 - i) * sizeof(t));
	r->top[i] = t;
}

void result_add(struct result *r, const struct closure *c)
{
	r->answers++;
	r->count_sum += c->count;
	r->kib_sum += c->installed_kib;
	r->missing_sum += c->missing;
	r->cyclic += c->cyclic;
	r->checksum += mix(mix(mix(c->package + 1) ^ c->count) ^ c->installed_kib);
	r->bucket[bucket_of(c->count)]++;
	add_top(r, (struct result_top){ c->installed_kib, c->package, c->count });
}

void result_merge(struct result *into, const struct result *from)
{
	unsigned int i;

	into->answers += from->answers;
	into->count_sum += from->count_sum;
	into->kib_sum += from->kib_sum;
	into->missing_sum += from->missing_sum;
	into->cyclic += from->cyclic;
	into->checksum += from->checksum;
	for (i = 0; i < RESULT_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
	for (i = 0; i < RESULT_TOP && from->top[i].count; i++)
		add_top(into, from->top[i]);
}

int result_parse(const void *buf, size_t len, uint32_t packages, struct result *ret)
{
	struct result r;
	unsigned int i;

	if (len != sizeof(r))
		return -EBADMSG;
	memcpy(&r, buf, sizeof(r));
	if (r.magic != RESULT_MAGIC || r.answers > packages)
		return -EBADMSG;
	for (i = 0; i < RESULT_TOP; i++)
		if (r.top[i].count && r.top[i].package >= packages)
			return -EBADMSG;
	*ret = r;
	return 0;
}
