// SPDX-License-Identifier: GPL-2.0-or-later
/* What changed on the disks of this machine between two looks. See changes.h. */
#include <errno.h>
#include <fts.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "changes.h"

#define MOUNTS_MAX 64

static int add(struct change_list *l, const char *path, const struct stat *st)
{
	struct change_entry *e;

	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 4096;

		e = realloc(l->entry, room * sizeof(*e));
		if (!e)
			return -ENOMEM;
		l->entry = e;
		l->room = room;
	}
	e = &l->entry[l->n];
	*e = (struct change_entry){
		.path = strdup(path), .dev = st->st_dev, .ino = st->st_ino,
		.size = (uint64_t)st->st_size, .ctime_s = st->st_ctim.tv_sec,
		.ctime_ns = st->st_ctim.tv_nsec, .mode = st->st_mode, .uid = st->st_uid,
		.gid = st->st_gid,
	};
	if (!e->path)
		return -ENOMEM;
	l->n++;
	return 0;
}

/* One file system; other mounts in it are walked by themselves. */
static int walk(struct change_list *l, char *root)
{
	char *roots[] = { root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	FTSENT *f;
	int r = 0;

	if (!fts)
		return -errno;
	while (!r && (f = fts_read(fts)))
		if (f->fts_info != FTS_DP && f->fts_info != FTS_NS && f->fts_info != FTS_DNR &&
		    f->fts_info != FTS_ERR)
			r = add(l, f->fts_path, f->fts_statp);
	fts_close(fts);
	return r;
}

/* each device once, whatever is bind-mounted */
static bool is_new(dev_t *seen, unsigned int *n, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) || *n == MOUNTS_MAX)
		return false;
	for (unsigned int i = 0; i < *n; i++)
		if (seen[i] == st.st_dev)
			return false;
	seen[(*n)++] = st.st_dev;
	return true;
}

int changes_look(struct change_list *l)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	dev_t seen[MOUNTS_MAX];
	unsigned int n = 0;
	struct mntent *m;
	int r = 0;

	*l = (struct change_list){ 0 };
	if (!mounts)
		return -errno;
	if (is_new(seen, &n, "/"))
		r = walk(l, "/");
	while (!r && (m = getmntent(mounts)))
		if (!strncmp(m->mnt_fsname, "/dev/", 5) && is_new(seen, &n, m->mnt_dir))
			r = walk(l, m->mnt_dir);
	endmntent(mounts);
	if (r)
		changes_free(l);
	else
		changes_sort(l);
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct change_entry *)a)->path,
		      ((const struct change_entry *)b)->path);
}

void changes_sort(struct change_list *l)
{
	if (l->n)
		qsort(l->entry, l->n, sizeof(*l->entry), by_path);
}

static bool differs(const struct change_entry *a, const struct change_entry *b)
{
	if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid)
		return true;
	if (S_ISDIR(a->mode))
		return false;
	return a->dev != b->dev || a->ino != b->ino || a->size != b->size ||
		a->ctime_s != b->ctime_s || a->ctime_ns != b->ctime_ns;
}

size_t changes_compare(const struct change_list *before, const struct change_list *after,
		       void (*fn)(void *data, char kind, const char *path), void *data)
{
	const struct change_entry *b = before->entry, *a = after->entry;
	const struct change_entry *b_end = b + before->n, *a_end = a + after->n;
	size_t n = 0;

	while (b < b_end || a < a_end) {
		int c = b == b_end ? 1 : a == a_end ? -1 : strcmp(b->path, a->path);
		char kind = c < 0 ? 'D' : c > 0 ? 'A' : differs(b, a) ? 'M' : '\0';

		if (kind) {
			fn(data, kind, c < 0 ? b->path : a->path);
			n++;
		}
		b += c <= 0;
		a += c >= 0;
	}
	return n;
}

void changes_free(struct change_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->entry[i].path);
	free(l->entry);
	*l = (struct change_list){ 0 };
}
