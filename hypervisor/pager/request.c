// SPDX-License-Identifier: GPL-2.0-or-later
/* Parsing and checking of requests: pure functions on (buf, len, nfds). */
#include "request.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "slots.h"

#define FDS_IMAGE	4U	/* image, presence map, mem, pagemap */
#define FDS_IMAGE_FILE	2U	/* PAGER_SOURCE_FILE: image, presence map */
#define FDS_IMAGE_LOWER	5U	/* ... and the frozen bitmap */
#define FLAGS_IMAGE	(PAGER_F_RECORD | PAGER_F_EARLIER | PAGER_F_FILL_ALL)
#define FLAGS_CLONE	(PAGER_F_NO_AVOID | PAGER_F_POISON)
#define FDS_CLONE	2U	/* userfaultfd or event channels, bitmap */

uint32_t request_seq(const void *buf, size_t len)
{
	struct pager_req r;

	if (len != sizeof(r))
		return 0;
	memcpy(&r, buf, sizeof(r));
	return r.seq;
}

static bool ram_ok(const struct pager_req *r)
{
	if (!r->npages || r->npages > REQUEST_PAGES_MAX || r->base % PAGER_PAGE_SIZE)
		return false;
	return r->base + r->npages * PAGER_PAGE_SIZE > r->base;
}

static bool bitmap_ok(const struct pager_req *r)
{
	return r->bitmap_offset <= INT64_MAX && r->bitmap_bytes <= INT64_MAX &&
	       r->bitmap_offset + r->bitmap_bytes <= INT64_MAX;
}

static int check_ram(const struct pager_req *r)
{
	if (!ram_ok(r) || !bitmap_ok(r))
		return -EINVAL;
	return slots_check(r->slots, r->nslots, r->npages);
}

static unsigned int fds_of_image(const struct pager_req *r)
{
	unsigned int n = r->source == PAGER_SOURCE_FILE ? FDS_IMAGE_FILE :
			 r->lower ? FDS_IMAGE_LOWER : FDS_IMAGE;

	return n + !!(r->flags & PAGER_F_RECORD) + !!(r->flags & PAGER_F_EARLIER);
}

static int check_image_add(const struct pager_req *r, unsigned int nfds)
{
	bool file = r->source == PAGER_SOURCE_FILE;

	if ((!file && r->source != PAGER_SOURCE_SNAPSHOT) || r->flags & ~FLAGS_IMAGE)
		return -EOPNOTSUPP;
	if (file && r->lower)
		return -EINVAL;
	if (nfds != fds_of_image(r) || r->lower == r->handle)
		return -EINVAL;
	if (r->flags & PAGER_F_EARLIER && !(r->flags & PAGER_F_RECORD))
		return -EINVAL;
	return check_ram(r);
}

static int check_clone_add(const struct pager_req *r, unsigned int nfds)
{
	if (r->flags & ~FLAGS_CLONE)
		return -EOPNOTSUPP;
	if (nfds != FDS_CLONE || !r->image)
		return -EINVAL;
	return check_ram(r);
}

static int check_meaning(const struct pager_req *r, unsigned int nfds)
{
	if (r->op != PAGER_PING && !r->handle)
		return -EINVAL;
	switch (r->op) {
	case PAGER_IMAGE_ADD:
		return check_image_add(r, nfds);
	case PAGER_CLONE_ADD:
		return check_clone_add(r, nfds);
	case PAGER_IMAGE_FILL:
		if (r->flags & ~PAGER_F_FILL_ALL)
			return -EOPNOTSUPP;
		return nfds ? -EINVAL : 0;
	case PAGER_IMAGE_DEL:
	case PAGER_CLONE_DEL:
	case PAGER_CLONE_STATS:
	case PAGER_IMAGE_STATS:
	case PAGER_PING:
		return nfds || r->flags ? -EINVAL : 0;
	default:
		return -EOPNOTSUPP;
	}
}

int request_parse(const void *buf, size_t len, unsigned int nfds, struct pager_req *ret_req)
{
	struct pager_req r;
	int err;

	if (len != sizeof(r))
		return -EINVAL;
	memcpy(&r, buf, sizeof(r));
	if (!r.seq || r.reserved)
		return -EINVAL;
	err = check_meaning(&r, nfds);
	if (err)
		return err;
	*ret_req = r;
	return 0;
}
