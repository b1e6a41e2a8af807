// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of packages, real and virtual: text to number. */
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a */
static uint32_t hash(struct span text)
{
	uint32_t h = 2166136261U;
	size_t i;

	for (i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.s[i]) * 16777619U;
	return h;
}

int names_init(struct names *n, uint32_t size)
{
	n->table = calloc(size, sizeof(*n->table));
	n->size = size;
	n->used = 0;
	return n->table ? 0 : -ENOMEM;
}

void names_free(struct names *n)
{
	free(n->table);
	n->table = NULL;
}

static struct name *slot(const struct names *n, struct span text)
{
	uint32_t i = hash(text) & (n->size - 1);
	struct name *at;

	for (;; i = (i + 1) & (n->size - 1)) {
		at = &n->table[i];
		if (!at->text.s)
			return at;
		if (at->text.len == text.len && !memcmp(at->text.s, text.s, text.len))
			return at;
	}
}

struct name *names_find(const struct names *n, struct span text)
{
	struct name *at = slot(n, text);

	return at->text.s ? at : NULL;
}

static int grow(struct names *n)
{
	struct names bigger;
	uint32_t i;

	if (names_init(&bigger, n->size * 2))
		return -ENOMEM;
	for (i = 0; i < n->size; i++)
		if (n->table[i].text.s)
			*slot(&bigger, n->table[i].text) = n->table[i];
	bigger.used = n->used;
	names_free(n);
	*n = bigger;
	return 0;
}

struct name *names_add(struct names *n, struct span text)
{
	struct name *at;

	if (n->used >= n->size / 2 && grow(n))
		return NULL;
	at = slot(n, text);
	if (!at->text.s) {
		at->text = text;
		at->package = NAME_NONE;
		n->used++;
	}
	return at;
}
