// SPDX-License-Identifier: LGPL-2.1-or-later
/* Messages and exits: the records of a ticket. */
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "private.h"

VMFORK_EXPORT int vmfork_send(int fd, unsigned int id, unsigned int tag, const void *buf,
			      size_t len)
{
	struct vmfork_record head = {
		.type = VMFORK_RECORD_DATA, .id = id, .tag = tag, .len = (__u32)len,
	};
	char record[sizeof(head) + VMFORK_MSG_MAX];
	ssize_t n;

	if (len == 0 || len > VMFORK_MSG_MAX)
		return -EINVAL;
	/* one write() is one record: the head and its payload go together */
	memcpy(record, &head, sizeof(head));
	memcpy(record + sizeof(head), buf, len);
	n = write(fd, record, sizeof(head) + len);
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(head) + len ? 0 : -EIO;
}

VMFORK_EXPORT int vmfork_recv(int fd, struct vmfork_record *ret_record, void *buf, size_t len)
{
	char record[sizeof(*ret_record) + VMFORK_MSG_MAX];
	struct vmfork_record head;
	size_t room = len < VMFORK_MSG_MAX ? len : VMFORK_MSG_MAX;
	ssize_t n = read(fd, record, sizeof(head) + room);

	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	if ((size_t)n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, record, sizeof(head));
	if (head.len != (size_t)n - sizeof(head))
		return -EBADMSG;
	if (head.type == VMFORK_RECORD_EXIT && head.len != sizeof(struct vmfork_exit_info))
		return -EBADMSG;
	memcpy(buf, record + sizeof(head), head.len);
	*ret_record = head;
	return 1;
}

VMFORK_EXPORT int vmfork_collect(int ticket, vmfork_collect_fn fn, void *data)
{
	_Alignas(struct vmfork_exit_info) char payload[VMFORK_MSG_MAX];
	struct vmfork_record record;
	int r;

	while ((r = vmfork_recv(ticket, &record, payload, sizeof(payload))) > 0) {
		r = fn(&record, payload, data);
		if (r)
			return r;
	}
	return r;
}

struct join {
	struct vmfork_exit_info *exits;
	unsigned int room;
	unsigned int ended;
};

static int join_one(const struct vmfork_record *record, const void *payload, void *data)
{
	struct join *j = data;

	if (record->type != VMFORK_RECORD_EXIT)
		return 0;
	if (j->ended < j->room)
		memcpy(&j->exits[j->ended], payload, sizeof(j->exits[0]));
	j->ended++;
	return 0;
}

VMFORK_EXPORT int vmfork_join(int ticket, struct vmfork_exit_info *exits, unsigned int n)
{
	struct join j = { .exits = exits, .room = exits ? n : 0 };
	int r = vmfork_collect(ticket, join_one, &j);

	if (r)
		return r;
	close(ticket);
	return (int)j.ended;
}
