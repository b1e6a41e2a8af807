// SPDX-License-Identifier: GPL-2.0-or-later
/* The channel region, which is in frames of the guest, where the core looks for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenforeignmemory.h>

#include "util.h"
#include "xen.h"

/*
 * The core maps a file of its own before there is a guest, and keeps the address. The
 * frames are mapped over that, with MAP_FIXED: one mapping replaces the other at once.
 */
static xenforeignmemory_handle *fmem;

static int open_fmem(void)
{
	if (!fmem)
		fmem = xenforeignmemory_open(NULL, 0);
	return fmem ? 0 : -ENODEV;
}

static int read_gfns(const struct xen_vm *x, xen_pfn_t *gfns, size_t n)
{
	ssize_t len = (ssize_t)(n * sizeof(*gfns));

	return pread(x->gfns, gfns, (size_t)len, 0) == len ? 0 : -EIO;
}

static void *map_at(const struct xen_vm *x, void *at, const xen_pfn_t *gfns, size_t n, int flags)
{
	return xenforeignmemory_map2(fmem, x->domain, at, PROT_READ | PROT_WRITE, flags, n, gfns,
				     NULL);
}

static int fill(const struct xen_vm *x, const xen_pfn_t *gfns, size_t n)
{
	void *to = map_at(x, NULL, gfns, n, 0);

	if (!to)
		return -errno;
	memcpy(to, vm_channel(x->vm), x->channel_size);
	xenforeignmemory_unmap(fmem, to, n);
	return 0;
}

int region_map(struct xen_vm *x, bool fresh)
{
	size_t n = x->channel_size / PAGER_PAGE_SIZE;
	_cleanup_free_ xen_pfn_t *gfns = calloc(n, sizeof(*gfns));
	int r = gfns ? open_fmem() : -ENOMEM;

	r = r ? r : read_gfns(x, gfns, n);
	if (!r && fresh)
		r = fill(x, gfns, n);
	if (r)
		return r;
	if (!map_at(x, vm_channel(x->vm), gfns, n, MAP_FIXED)) {
		r = -errno;
		/* nothing may be there now */
		mmap(vm_channel(x->vm), x->channel_size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, x->channel, 0);
		return r;
	}
	x->mapped = true;
	return 0;
}

int region_unmap(struct xen_vm *x)
{
	void *at = vm_channel(x->vm), *copy;

	if (!x->mapped)
		return 0;
	x->mapped = false;
	copy = malloc(x->channel_size);
	if (copy)
		memcpy(copy, at, x->channel_size);
	if (mmap(at, x->channel_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, x->channel,
		 0) == MAP_FAILED) {
		free(copy);
		return -errno;
	}
	if (copy)
		memcpy(at, copy, x->channel_size);
	free(copy);
	return 0;
}
