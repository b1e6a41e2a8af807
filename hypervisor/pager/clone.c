// SPDX-License-Identifier: GPL-2.0-or-later
/* A clone: a VM whose absent pages come from an image. */
#include "clone.h"

void clone_init(struct clone *c, uint64_t handle, struct image *image,
		const struct vmlink *link, const struct avoid *avoid)
{
	*c = (struct clone){
		.handle = handle, .image = image, .link = *link, .avoid = *avoid,
		.last_page = UINT64_MAX,
	};
	image->users++;
	image->stats.clones++;
}

void clone_fini(struct clone *c)
{
	c->image->users--;
	c->image->stats.clones--;
	c->link.ops->close(&c->link);
	avoid_fini(&c->avoid);
	*c = (struct clone){ .handle = 0 };
}
