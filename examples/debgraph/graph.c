// SPDX-License-Identifier: GPL-2.0-or-later
/* The dependency graph of a package index, with alternatives and virtual packages. */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

/**
 * DOC: Building
 *
 * The text is read four times, which costs less than keeping what was read:
 * 1. packages: number, name, size;
 * 2. provides: count the providers of each name;
 * 3. provides again: lay the providers out;
 * 4. dependencies: groups and alternatives.
 */
struct builder {
	struct graph *g;
	struct names names;
	struct span text;
	uint32_t *providers;
	uint32_t nproviders;
	size_t alts;			/* in use */
	size_t alts_room;
	size_t groups_room;
};

/* Makes room for one more element; doubles. */
static int reserve(void *array, size_t used, size_t *room, size_t size)
{
	void **p = array;
	void *bigger;
	size_t want = *room ? *room * 2 : 65536;

	if (used < *room)
		return 0;
	if (want > UINT32_MAX)
		return -EOVERFLOW;
	bigger = realloc(*p, want * size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*room = want;
	return 0;
}

static int add_package(struct builder *b, const struct stanza *st, size_t *room)
{
	struct name *name = names_add(&b->names, st->package);
	struct graph *g = b->g;
	size_t room2 = *room;
	int err;

	if (!name)
		return -ENOMEM;
	if (name->package != NAME_NONE)
		return 0;
	err = reserve(&g->name, g->packages, room, sizeof(*g->name));
	if (!err)
		err = reserve(&g->installed_kib, g->packages, &room2, sizeof(*g->installed_kib));
	if (err)
		return err;
	name->package = g->packages;
	g->name[g->packages] = st->package;
	g->installed_kib[g->packages] = st->installed_kib;
	g->packages++;
	return 0;
}

static int read_packages(struct builder *b)
{
	struct span text = b->text;
	struct stanza st;
	size_t room = 0;
	int r;

	while ((r = stanza_next(&text, &st)) > 0) {
		r = add_package(b, &st, &room);
		if (r)
			break;
	}
	return r;
}

/* The stanza after @text, if it is the one that its package was taken from. */
static int next_taken(struct builder *b, struct span *text, struct stanza *st, uint32_t *package)
{
	const struct name *name;
	int r;

	while ((r = stanza_next(text, st)) > 0) {
		name = names_find(&b->names, st->package);
		*package = name->package;
		if (b->g->name[name->package].s == st->package.s)
			break;
	}
	return r;
}

static int count_provides(struct builder *b)
{
	struct span text = b->text, field;
	struct relation rel;
	struct stanza st;
	struct name *name;
	uint32_t package;
	int r, r2;

	while ((r = next_taken(b, &text, &st, &package)) > 0) {
		field = st.provides;
		while ((r2 = relation_next(&field, &rel)) > 0) {
			name = names_add(&b->names, rel.name);
			if (!name)
				return -ENOMEM;
			if (!name->providers++ && name->package == NAME_NONE)
				b->g->virtuals++;
			b->nproviders++;
		}
		if (r2 < 0)
			return r2;
	}
	return r;
}

static int lay_out_provides(struct builder *b)
{
	struct span text = b->text, field;
	struct relation rel;
	struct stanza st;
	struct name *name;
	uint32_t i, at = 0, package;
	int r;

	b->providers = calloc(b->nproviders + 1, sizeof(*b->providers));
	if (!b->providers)
		return -ENOMEM;
	for (i = 0; i < b->names.size; i++) {
		name = &b->names.table[i];
		name->provider_begin = at;
		at += name->providers;
		name->providers = 0;
	}
	while ((r = next_taken(b, &text, &st, &package)) > 0) {
		field = st.provides;
		while (relation_next(&field, &rel) > 0) {
			name = names_find(&b->names, rel.name);
			b->providers[name->provider_begin + name->providers++] = package;
		}
	}
	return r;
}

static int add_alternative(struct builder *b, uint32_t package)
{
	int err = reserve(&b->g->alts, b->alts, &b->alts_room, sizeof(*b->g->alts));

	if (!err)
		b->g->alts[b->alts++] = package;
	return err;
}

static int add_alternatives(struct builder *b, struct span text)
{
	const struct name *name = names_find(&b->names, text);
	uint32_t i;
	int err = 0;

	if (!name)
		return 0;
	if (name->package != NAME_NONE)
		err = add_alternative(b, name->package);
	for (i = 0; !err && i < name->providers; i++)
		err = add_alternative(b, b->providers[name->provider_begin + i]);
	return err;
}

static int end_group(struct builder *b)
{
	struct graph *g = b->g;
	int err = reserve(&g->alt_begin, g->groups + 1, &b->groups_room, sizeof(*g->alt_begin));

	if (!err)
		g->alt_begin[++g->groups] = (uint32_t)b->alts;
	return err;
}

static int add_dependencies(struct builder *b, struct span field)
{
	struct relation rel;
	int r, err;

	while ((r = relation_next(&field, &rel)) > 0) {
		err = add_alternatives(b, rel.name);
		if (!err && !rel.alternative)
			err = end_group(b);
		if (err)
			return err;
	}
	return r;
}

static int read_dependencies(struct builder *b)
{
	struct graph *g = b->g;
	struct span text = b->text;
	struct stanza st;
	uint32_t package;
	int r, err;

	g->group_begin = calloc(g->packages + 1, sizeof(*g->group_begin));
	err = reserve(&g->alt_begin, 0, &b->groups_room, sizeof(*g->alt_begin));
	if (!g->group_begin || err)
		return -ENOMEM;
	g->alt_begin[0] = 0;
	while ((r = next_taken(b, &text, &st, &package)) > 0) {
		err = add_dependencies(b, st.pre_depends);
		if (!err)
			err = add_dependencies(b, st.depends);
		if (err)
			return err;
		g->group_begin[package + 1] = g->groups;
	}
	return r;
}

int graph_build(struct span text, struct graph **ret)
{
	struct builder b = { .text = text };
	int err;

	b.g = calloc(1, sizeof(*b.g));
	if (!b.g)
		return -ENOMEM;
	err = names_init(&b.names, 1 << 16);
	if (!err)
		err = read_packages(&b);
	if (!err)
		err = count_provides(&b);
	if (!err)
		err = lay_out_provides(&b);
	if (!err)
		err = read_dependencies(&b);
	names_free(&b.names);
	free(b.providers);
	if (err) {
		graph_free(b.g);
		return err;
	}
	*ret = b.g;
	return 0;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	free(g->group_begin);
	free(g->alt_begin);
	free(g->alts);
	free(g->name);
	free(g->installed_kib);
	free(g);
}
