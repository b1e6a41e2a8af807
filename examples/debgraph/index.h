/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debian's package index, as text: stanzas of fields, and relations between packages. */
#ifndef DEBGRAPH_INDEX_H
#define DEBGRAPH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct span - a piece of the index's text; it is not copied and not terminated. */
struct span {
	const char *s;
	size_t len;
};

/** struct stanza - the fields of one package that matter here; absent ones are empty. */
struct stanza {
	struct span package;
	struct span depends;
	struct span pre_depends;
	struct span provides;
	uint64_t installed_kib;
};

/**
 * stanza_next() - take the next stanza off @text.
 * @text:	what is left; moved on
 * Return: 1; 0 at the end; -EBADMSG: not an index, or a package without a name.
 */
int stanza_next(struct span *text, struct stanza *ret);

/**
 * struct relation - one package name of a Depends or Provides field.
 * @name:	without architecture, version and build profile
 * @alternative: the next relation is an alternative to this one ('|')
 */
struct relation {
	struct span name;
	bool alternative;
};

/** relation_next() - take the next relation off @field. Return: 1, 0 at the end, -EBADMSG. */
int relation_next(struct span *field, struct relation *ret);

#endif /* DEBGRAPH_INDEX_H */
