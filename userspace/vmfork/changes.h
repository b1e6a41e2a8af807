/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changed on the disks of this machine between two looks. */
#ifndef WRAPPER_CHANGES_H
#define WRAPPER_CHANGES_H

#include <stddef.h>
#include <stdint.h>

/**
 * DOC: How a change is told
 *
 * Two walks over every file system that is on a disk (a block device, or whatever
 * root is): of each file its device, inode, change time, type and size. The change
 * time is the kernel's own and moves with content, name, owner and mode alike. What is
 * in the second walk alone was added, in the first alone deleted, in both with another
 * inode, time, type or size modified. Folders count as modified only when their owner or
 * mode changed, not for each file that came or went in them.
 */
struct change_entry {
	char *path;
	uint64_t dev, ino, size;
	int64_t ctime_s, ctime_ns;
	uint32_t mode, uid, gid;
};

/** struct change_list - one look, sorted by path. */
struct change_list {
	struct change_entry *entry;
	size_t n, room;
};

/** changes_look() - walk over the disks. Return: 0 or -errno. */
int changes_look(struct change_list *l);

/**
 * changes_compare() - what is different in @after; pure.
 * @fn:		called for each: @kind is 'A', 'M' or 'D'
 * Return: how many.
 */
size_t changes_compare(const struct change_list *before, const struct change_list *after,
		       void (*fn)(void *data, char kind, const char *path), void *data);

/** changes_sort() - by path, as changes_compare() wants it. */
void changes_sort(struct change_list *l);
void changes_free(struct change_list *l);

#endif /* WRAPPER_CHANGES_H */
