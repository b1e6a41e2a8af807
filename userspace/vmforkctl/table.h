/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned tables on a terminal. */
#ifndef VMFORKCTL_TABLE_H
#define VMFORKCTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

/**
 * struct table - columns of text; the first row is the head.
 * @format:	one letter a column: 'l' left, 'r' right aligned
 */
struct table {
	const char *format;
	size_t columns, cells, room;
	size_t width[TABLE_COLUMNS_MAX];
	char **cell;		/* row after row */
};

/** table_init() - @format as above; @head: names of the columns, by spaces. */
void table_init(struct table *t, const char *format, const char *head);

/** table_add() - the next cell, printf-like; cleaned as by text_clean(). */
void table_add(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** table_print() - all rows, two spaces between columns, none at the end of a line. */
void table_print(const struct table *t, FILE *to);
void table_free(struct table *t);

/**
 * text_clean() - @from into @to, cut to @size, with '?' for everything but printable
 * ASCII: names and releases that guests chose must not steer the terminal.
 */
void text_clean(char *to, size_t size, const char *from);

#endif /* VMFORKCTL_TABLE_H */
