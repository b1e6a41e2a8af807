// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of many clones, put together and labelled. See output.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

void output_init(struct output_stream *s, unsigned int id, bool label, bool group,
		 output_sink sink, void *data)
{
	*s = (struct output_stream){ .group = group, .sink = sink, .data = data };
	if (label)
		snprintf(s->label, sizeof(s->label), "%u| ", id);
}

static int append(struct output_stream *s, const char *buf, size_t len)
{
	if (!len)
		return 0;
	if (s->room - s->len < len) {
		size_t room = s->room ? s->room * 2 : 4096;
		char *p;

		while (room - s->len < len)
			room *= 2;
		p = realloc(s->buf, room);
		if (!p)
			return -ENOMEM;
		s->buf = p;
		s->room = room;
	}
	memcpy(s->buf + s->len, buf, len);
	s->len += len;
	return 0;
}

/* what is whole goes out; the line that is open stays */
static int flush(struct output_stream *s)
{
	int r;

	if (!s->whole)
		return 0;
	r = s->sink(s->data, s->buf, s->whole);
	s->len -= s->whole;
	memmove(s->buf, s->buf + s->whole, s->len);
	s->whole = 0;
	return r;
}

static int end_line(struct output_stream *s)
{
	int r = 0;

	if (s->label[0] && s->buf[s->len - 1] != '\n')
		r = append(s, "\n", 1);
	s->line = 0;
	s->whole = s->len;
	return r;
}

/* @len bytes of one line: with its label where it begins */
static int append_part(struct output_stream *s, const char *part, size_t len)
{
	int r = s->line ? 0 : append(s, s->label, strlen(s->label));

	if (!r)
		r = append(s, part, len);
	if (r)
		return r;
	s->line += len;
	return part[len - 1] == '\n' || s->line == OUTPUT_LINE_MAX ? end_line(s) : 0;
}

int output_bytes(struct output_stream *s, const char *buf, size_t len)
{
	while (len) {
		size_t left = OUTPUT_LINE_MAX - s->line;
		size_t part = len < left ? len : left;
		const char *nl = memchr(buf, '\n', part);
		int r;

		if (nl)
			part = (size_t)(nl - buf) + 1;
		r = append_part(s, buf, part);
		if (r)
			return r;
		buf += part;
		len -= part;
	}
	return s->group ? 0 : flush(s);
}

int output_end(struct output_stream *s)
{
	int r = s->line ? end_line(s) : 0;

	return r ? r : flush(s);
}

void output_free(struct output_stream *s)
{
	free(s->buf);
	s->buf = NULL;
	s->len = s->room = s->whole = s->line = 0;
}
