// SPDX-License-Identifier: GPL-2.0-or-later
/* Aligned tables on a terminal. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

void text_clean(char *to, size_t size, const char *from)
{
	for (; *from && size > 1; from++, size--)
		*to++ = *from >= ' ' && *from <= '~' ? *from : '?';
	if (size)
		*to = 0;
}

void table_init(struct table *t, const char *format, const char *head)
{
	size_t len;

	*t = (struct table){ .format = format, .columns = strlen(format) };
	for (; *head; head += len, head += strspn(head, " ")) {
		len = strcspn(head, " ");
		table_add(t, "%.*s", (int)len, head);
	}
}

static char **next_cell(struct table *t)
{
	if (t->cells == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		char **p = realloc(t->cell, room * sizeof(*p));

		if (!p)
			abort();
		t->cell = p;
		t->room = room;
	}
	return &t->cell[t->cells];
}

void table_add(struct table *t, const char *fmt, ...)
{
	size_t column = t->cells % t->columns, len;
	char text[512], clean[512], **cell;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), *text ? text : "-");
	cell = next_cell(t);
	*cell = strdup(clean);
	if (!*cell)
		abort();
	t->cells++;
	len = strlen(clean);
	if (len > t->width[column])
		t->width[column] = len;
}

void table_print(const struct table *t, FILE *to)
{
	size_t i;

	for (i = 0; i < t->cells; i++) {
		size_t column = i % t->columns;
		int width = (int)t->width[column];
		int last = column == t->columns - 1;

		if (t->format[column] == 'r')
			fprintf(to, "%*s", width, t->cell[i]);
		else
			fprintf(to, "%-*s", last ? 0 : width, t->cell[i]);
		fputs(last ? "\n" : "  ", to);
	}
}

void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->cells; i++)
		free(t->cell[i]);
	free(t->cell);
	t->cell = NULL;
	t->cells = t->room = 0;
}
