/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of many clones, put together and labelled. */
#ifndef WRAPPER_OUTPUT_H
#define WRAPPER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * DOC: Line assembly
 *
 * Bytes of one stream of one clone come in pieces of any size; out go whole lines,
 * each with the clone's label in front, so that lines of several clones never mix.
 * Bytes are not looked at but for '\n'. A line longer than OUTPUT_LINE_MAX goes out
 * in parts, each a line of its own if labelled, so that no clone can take all memory.
 * In group mode nothing goes out before output_end(), whatever its size.
 */
#define OUTPUT_LINE_MAX	(1U << 20)

/**
 * typedef output_sink - takes bytes that belong together.
 * Return: 0 or a negative errno, which ends the call that wrote.
 */
typedef int (*output_sink)(void *data, const char *buf, size_t len);

struct output_stream {
	char label[16];		/* "3| ", or empty */
	bool group;
	output_sink sink;
	void *data;
	char *buf;		/* labelled lines, then perhaps one that is open */
	size_t len, room;	/* bytes used and allocated of @buf */
	size_t whole;		/* bytes of @buf that are whole lines */
	size_t line;		/* bytes of the open line, its label not counted */
};

/** output_init() - @label: put "ID| " before each line. */
void output_init(struct output_stream *s, unsigned int id, bool label, bool group,
		 output_sink sink, void *data);

/** output_bytes() - @len more bytes of the stream. Return: 0, -ENOMEM, or the sink's. */
int output_bytes(struct output_stream *s, const char *buf, size_t len);

/** output_end() - no more will come: what is left goes out. A labelled last line
 * without '\n' gets one; an unlabelled one stays as it is. */
int output_end(struct output_stream *s);

/** output_free() - forget what is left. */
void output_free(struct output_stream *s);

#endif /* WRAPPER_OUTPUT_H */
