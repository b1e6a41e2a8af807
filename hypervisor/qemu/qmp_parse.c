// SPDX-License-Identifier: GPL-2.0-or-later
/* What QEMU says on its monitor socket: lines, and what kind each is. */
#include "qmp_parse.h"

#include <errno.h>
#include <string.h>

static int classify(struct qmp_message *msg)
{
	json_t *root = msg->root, *v;

	msg->body = NULL;
	msg->text = NULL;
	if (json_object_get(root, "QMP")) {
		msg->kind = QMP_GREETING;
		return 0;
	}
	v = json_object_get(root, "event");
	if (v) {
		msg->kind = QMP_EVENT;
		msg->text = json_string_value(v);
		msg->body = json_object_get(root, "data");
		return msg->text ? 0 : -EBADMSG;
	}
	v = json_object_get(root, "return");
	if (v) {
		msg->kind = QMP_RETURN;
		msg->body = v;
		return 0;
	}
	msg->kind = QMP_ERROR;
	msg->text = json_string_value(json_object_get(json_object_get(root, "error"), "desc"));
	return msg->text ? 0 : -EBADMSG;
}

int qmp_parse(const char *buf, size_t len, struct qmp_message *ret_msg)
{
	struct qmp_message msg = { 0 };
	json_error_t err;

	if (len > QMP_LINE_MAX)
		return -EBADMSG;
	msg.root = json_loadb(buf, len, JSON_REJECT_DUPLICATES, &err);
	if (!msg.root)
		return -EBADMSG;
	if (!json_is_object(msg.root) || classify(&msg)) {
		json_decref(msg.root);
		return -EBADMSG;
	}
	*ret_msg = msg;
	return 0;
}

void qmp_message_clear(struct qmp_message *msg)
{
	json_decref(msg->root);
	memset(msg, 0, sizeof(*msg));
}

size_t qmp_lines_room(struct qmp_lines *l, char **ret_at)
{
	memmove(l->buf, l->buf + l->taken, l->used - l->taken);
	l->used -= l->taken;
	l->taken = 0;
	*ret_at = l->buf + l->used;
	return sizeof(l->buf) - l->used;
}

void qmp_lines_added(struct qmp_lines *l, size_t n)
{
	l->used += n;
}

const char *qmp_lines_next(struct qmp_lines *l, size_t *ret_len)
{
	char *start = l->buf + l->taken;
	char *end = memchr(start, '\n', l->used - l->taken);

	if (!end)
		return NULL;
	l->taken = (size_t)(end - l->buf) + 1;
	*ret_len = (size_t)(end - start);
	if (*ret_len && end[-1] == '\r')
		--*ret_len;
	return start;
}
