/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU says on its monitor socket: lines, and what kind each is. */
#ifndef VMFORK_QMP_PARSE_H
#define VMFORK_QMP_PARSE_H

#include <stddef.h>
#include <jansson.h>

/** QMP_LINE_MAX - longest line that is taken from QEMU, in bytes. The answer to query-block
 * has some 2 KiB for each layer of a disk, of which there may be 256. */
#define QMP_LINE_MAX	(1U << 20)

enum qmp_kind {
	QMP_GREETING,
	QMP_RETURN,	/* @body: the value */
	QMP_ERROR,	/* @text: the description */
	QMP_EVENT,	/* @text: its name; @body: its data or NULL */
};

/** struct qmp_message - one parsed line; @body and @text live as long as @root. */
struct qmp_message {
	enum qmp_kind kind;
	json_t *root;
	json_t *body;
	const char *text;
};

/**
 * qmp_parse() - parse one line without its newline.
 * Return: 0 and @ret_msg (release with qmp_message_clear()), or -EBADMSG.
 */
int qmp_parse(const char *buf, size_t len, struct qmp_message *ret_msg);
void qmp_message_clear(struct qmp_message *msg);

/** struct qmp_lines - bytes received that are not yet a line. */
struct qmp_lines {
	char buf[QMP_LINE_MAX];
	size_t used;
	size_t taken;	/* of @used: given out already */
};

/** qmp_lines_room() - where the next bytes go; 0: a line is too long. */
size_t qmp_lines_room(struct qmp_lines *l, char **ret_at);
void qmp_lines_added(struct qmp_lines *l, size_t n);
/** qmp_lines_next() - the next line without its line end, or NULL. Valid until
 * the next call of qmp_lines_room(). */
const char *qmp_lines_next(struct qmp_lines *l, size_t *ret_len);

#endif /* VMFORK_QMP_PARSE_H */
