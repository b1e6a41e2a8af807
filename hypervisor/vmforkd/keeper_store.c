// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper's store of named descriptors. */
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct entry {
	char name[KEEPER_NAME_MAX];	/* empty: free */
	int fd;
};

static struct entry store[STORE_MAX];

static struct entry *find(const char *name)
{
	for (struct entry *e = store; e < store + STORE_MAX; e++)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}

int store_put(const char *name, int fd)
{
	struct entry *e = find(name);

	if (e) {
		close(e->fd);
	} else {
		e = find("");
		if (!e) {
			close(fd);
			return -ENOSPC;
		}
	}
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->fd = fd;
	return 0;
}

void store_drop(const char *pattern)
{
	size_t n = strlen(pattern);
	bool prefix = n && pattern[n - 1] == '*';

	for (struct entry *e = store; e < store + STORE_MAX; e++) {
		if (!e->name[0] ||
		    (prefix ? strncmp(e->name, pattern, n - 1) : strcmp(e->name, pattern)))
			continue;
		close(e->fd);
		e->name[0] = '\0';
	}
}

const char *store_get(unsigned int i, int *ret_fd)
{
	for (struct entry *e = store; e < store + STORE_MAX; e++) {
		if (!e->name[0] || i--)
			continue;
		*ret_fd = e->fd;
		return e->name;
	}
	return NULL;
}
