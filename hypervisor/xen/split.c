// SPDX-License-Identifier: GPL-2.0-or-later
/* Takes a migration stream apart: RAM into an image, all else into a descriptor. */
#include "split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pager_proto.h"
#include "pvh_ram.h"
#include "util.h"

/**
 * DOC: Streams
 *
 * libxl's stream (docs/specs/libxl-migration-stream.pandoc of Xen) holds libxc's
 * (libxc-migration-stream.pandoc) as the bytes after one of its records. Both are records
 * of a type, a length and a body padded to 8 bytes. Page data of RAM is left out here and
 * stored; pages elsewhere, where Xen and the firmware keep theirs, stay. What is left is
 * a stream as well, which builds a domain without memory.
 *
 * In a live copy a page may come again; the last time counts.
 */
#define LIBXL_END	0U
#define LIBXL_LIBXC	1U
#define LIBXC_END	0U
#define LIBXC_PAGES	1U
#define LIBXL_HEAD	16
#define LIBXC_HEADS	(24 + 16)
#define BODY_MAX	(8U << 20)
#define PFN_MASK	0xfffffffffffffULL
#define TYPE_NO_DATA	0xdU	/* types from here on bring no page */
#define PAGE		4096U

struct record {
	uint32_t type;
	uint32_t len;
};

static int get(const struct split *s, void *buf, size_t n)
{
	for (uint8_t *p = buf; n;) {
		ssize_t r = read(s->in, p, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -ECONNRESET;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int put(const struct split *s, const void *buf, size_t n)
{
	for (const uint8_t *p = buf; n;) {
		ssize_t r = write(s->out, p, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int pass(const struct split *s, void *buf, size_t n)
{
	int r = get(s, buf, n);

	return r ? r : put(s, buf, n);
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE - 1);
}

/* Pages that follow each other, in the stream and in memory: they are written at once. */
struct run {
	uint64_t pfn;
	const uint8_t *data;
	uint32_t n;
};

static int write_run(const struct split *s, struct run *run)
{
	uint64_t at = run->pfn * PAGE;
	size_t left = run->n * (size_t)PAGE;

	for (const uint8_t *p = run->data; left;) {
		ssize_t n = pwrite(s->image, p, left, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		at += (size_t)n;
		left -= (size_t)n;
	}
	run->n = 0;
	return 0;
}

static int store(struct split *s, struct run *run, uint64_t pfn, const uint8_t *data)
{
	int err = 0;

	s->copied++;
	if (s->stopped_ns)
		s->copied_late++;
	if (s->presence[pfn] != PAGE_PRESENT && is_zero(data)) {
		s->presence[pfn] = PAGE_ZERO;
		return 0;
	}
	s->presence[pfn] = PAGE_PRESENT;
	if (run->n && (pfn != run->pfn + run->n || data != run->data + run->n * (size_t)PAGE))
		err = write_run(s, run);
	if (!run->n)
		*run = (struct run){ pfn, data, 0 };
	run->n++;
	return err;
}

static int put_kept(const struct split *s, const uint64_t *pfns, const uint8_t *const *data,
		    uint32_t n)
{
	struct record r = { LIBXC_PAGES, (uint32_t)(8 + n * (8ULL + PAGE)) };
	uint32_t head[2] = { n, 0 };
	int err;

	if (!n)
		return 0;
	err = put(s, &r, sizeof(r));
	err = err ? err : put(s, head, sizeof(head));
	err = err ? err : put(s, pfns, n * sizeof(*pfns));
	for (uint32_t i = 0; !err && i < n; i++)
		err = put(s, data[i], PAGE);
	return err;
}

static int pages(struct split *s, const uint8_t *body, uint32_t len)
{
	const uint64_t *pfns = (const uint64_t *)(body + 8);
	const uint8_t *kept[1024], *data, *end = body + len;
	uint64_t kept_pfns[1024];
	struct run run = { 0 };
	uint32_t n, k = 0;
	int err = 0;

	if (len < 8)
		return -EBADMSG;
	memcpy(&n, body, sizeof(n));
	if (n > 1024 || 8 + n * 8ULL > len)
		return -EBADMSG;
	data = (const uint8_t *)(pfns + n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t pfn = pfns[i] & PFN_MASK;

		err = 0;
		s->top = pfn;
		if (pfns[i] >> 60 >= TYPE_NO_DATA)
			continue;
		if (data + PAGE > end)
			return -EBADMSG;
		if (pfn < s->npages && pvh_has_ram(pfn)) {
			err = store(s, &run, pfn, data);
		} else {
			kept_pfns[k] = pfns[i];
			kept[k++] = data;
		}
		if (err)
			return err;
		data += PAGE;
	}
	err = write_run(s, &run);
	return err ? err : put_kept(s, kept_pfns, kept, k);
}

static int hold(struct split *s)
{
	int r;

	if (!s->hold_from || s->top < s->hold_from)
		return 0;
	s->hold_from = 0;
	r = s->hold(s->data);
	s->copied_early = s->copied;
	return r;
}

static int one_record(struct split *s, uint8_t *body, bool inner, uint32_t *ret_type)
{
	struct record r;
	uint32_t padded;
	int err = get(s, &r, sizeof(r));

	if (!err && inner && r.type == LIBXC_PAGES)
		err = hold(s);
	if (err)
		return err;
	padded = (r.len + 7) & ~7U;
	if (r.len > BODY_MAX || padded > BODY_MAX)
		return -EBADMSG;
	err = get(s, body, padded);
	if (!s->stopped_ns && s->is_stopped(s->data))
		s->stopped_ns = now_ns();
	*ret_type = r.type;
	if (err)
		return err;
	if (inner && r.type == LIBXC_PAGES)
		return pages(s, body, r.len);
	err = put(s, &r, sizeof(r));
	return err ? err : put(s, body, padded);
}

static int libxc(struct split *s, uint8_t *body)
{
	int err = pass(s, body, LIBXC_HEADS);
	uint32_t type = ~0U;

	while (!err && type != LIBXC_END)
		err = one_record(s, body, true, &type);
	return err;
}

static int libxl(struct split *s, uint8_t *body)
{
	int err = pass(s, body, LIBXL_HEAD);
	uint32_t type = ~0U;

	while (!err && type != LIBXL_END) {
		err = one_record(s, body, false, &type);
		if (!err && type == LIBXL_LIBXC)
			err = libxc(s, body);
	}
	return err;
}

void split_run(struct split *s)
{
	uint8_t *body = malloc(BODY_MAX);

	s->err = body ? libxl(s, body) : -ENOMEM;
	close(steal_fd(&s->in));
	free(body);
}
