// SPDX-License-Identifier: GPL-2.0-or-later
/* The source of an image that is complete: there is nothing to be had. */
#include "source.h"

#include <errno.h>

static int none_fetch(const struct source *s, uint64_t page, unsigned int n, uint8_t *buf,
		      uint8_t *results)
{
	return -ESRCH;
}

static void none_close(struct source *s)
{
}

static const struct source_ops none_ops = { .fetch = none_fetch, .close = none_close };

void source_none_init(struct source *s)
{
	*s = (struct source){ .ops = &none_ops };
}
