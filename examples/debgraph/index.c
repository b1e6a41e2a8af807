// SPDX-License-Identifier: GPL-2.0-or-later
/* Debian's package index, as text: stanzas of fields, and relations between packages. */
#include "index.h"

#include <errno.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void advance(struct span *text, size_t n)
{
	text->s += n;
	text->len -= n;
}

static void skip_blanks(struct span *text)
{
	while (text->len && is_blank(*text->s))
		advance(text, 1);
}

static size_t line_length(const struct span *text)
{
	const char *end = memchr(text->s, '\n', text->len);

	return end ? (size_t)(end - text->s) : text->len;
}

/* Takes a line off, without its end. */
static struct span take_line(struct span *text)
{
	struct span line = { text->s, line_length(text) };

	advance(text, line.len < text->len ? line.len + 1 : line.len);
	return line;
}

/* A field's value goes on over lines that begin with a blank. */
static struct span take_value(struct span *text, struct span first)
{
	struct span value = first;

	while (text->len && (*text->s == ' ' || *text->s == '\t')) {
		struct span line = take_line(text);

		value.len = (size_t)(line.s + line.len - value.s);
	}
	skip_blanks(&value);
	return value;
}

static int number(struct span digits, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	if (!digits.len || digits.len > 15)
		return -EBADMSG;
	for (i = 0; i < digits.len; i++) {
		if (digits.s[i] < '0' || digits.s[i] > '9')
			return -EBADMSG;
		v = v * 10 + (uint64_t)(digits.s[i] - '0');
	}
	*ret = v;
	return 0;
}

static bool named(struct span name, const char *what)
{
	return name.len == strlen(what) && !strncasecmp(name.s, what, name.len);
}

static int set_field(struct stanza *st, struct span name, struct span value)
{
	if (named(name, "Package"))
		st->package = value;
	else if (named(name, "Depends"))
		st->depends = value;
	else if (named(name, "Pre-Depends"))
		st->pre_depends = value;
	else if (named(name, "Provides"))
		st->provides = value;
	else if (named(name, "Installed-Size"))
		return number(value, &st->installed_kib);
	return 0;
}

static int take_field(struct span *text, struct stanza *st)
{
	struct span line = take_line(text), name = line, value = line;
	const char *colon = memchr(line.s, ':', line.len);

	if (!colon || colon == line.s || is_blank(*line.s))
		return -EBADMSG;
	name.len = (size_t)(colon - line.s);
	advance(&value, name.len + 1);
	return set_field(st, name, take_value(text, value));
}

int stanza_next(struct span *text, struct stanza *ret)
{
	struct stanza st = { };
	int err;

	while (text->len && *text->s == '\n')
		advance(text, 1);
	if (!text->len)
		return 0;
	while (text->len && *text->s != '\n') {
		err = take_field(text, &st);
		if (err)
			return err;
	}
	if (!st.package.len)
		return -EBADMSG;
	*ret = st;
	return 1;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '-' || c == '.' || c == '_';
}

/* (>= 1.2), [amd64], <!nocheck>: from the opening to the closing character. */
static int skip_bracket(struct span *field)
{
	char close = *field->s == '(' ? ')' : *field->s == '[' ? ']' : '>';
	const char *end = memchr(field->s + 1, close, field->len - 1);

	if (!end)
		return -EBADMSG;
	advance(field, (size_t)(end - field->s) + 1);
	return 0;
}

static void skip_architecture(struct span *field)
{
	if (!field->len || *field->s != ':')
		return;
	advance(field, 1);
	while (field->len && is_name(*field->s))
		advance(field, 1);
}

/* What may stand between a name and the next separator. */
static int skip_qualifiers(struct span *field)
{
	int err;

	skip_architecture(field);
	for (;;) {
		skip_blanks(field);
		if (!field->len || !strchr("([<", *field->s))
			return 0;
		err = skip_bracket(field);
		if (err)
			return err;
	}
}

int relation_next(struct span *field, struct relation *ret)
{
	struct span rest = *field;
	struct relation rel = { };
	int err;

	skip_blanks(&rest);
	if (!rest.len)
		return 0;
	rel.name.s = rest.s;
	while (rest.len && is_name(*rest.s))
		advance(&rest, 1);
	rel.name.len = (size_t)(rest.s - rel.name.s);
	if (!rel.name.len)
		return -EBADMSG;
	err = skip_qualifiers(&rest);
	if (err)
		return err;
	if (rest.len) {
		if (*rest.s != ',' && *rest.s != '|')
			return -EBADMSG;
		rel.alternative = *rest.s == '|';
		advance(&rest, 1);
	}
	*field = rest;
	*ret = rel;
	return 1;
}
