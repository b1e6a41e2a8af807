// SPDX-License-Identifier: GPL-2.0-or-later
/* Checkpoints of the Xen backend: their files, and what the pager is told. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vmfork_channel.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fdpass.h"
#include "log.h"
#include "pvh_ram.h"
#include "util.h"
#include "xen.h"

static int sized(int fd, uint64_t size)
{
	if (fd >= 0 && ftruncate(fd, (off_t)size) < 0) {
		close(fd);
		return -errno;
	}
	return fd < 0 ? -errno : fd;
}

void xen_image_put(struct xen_checkpoint *c)
{
	int *fds[] = { &c->image, &c->presence, &c->descriptor, &c->gfns, &c->record,
		       &c->earlier };

	if (--c->refs)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++)
		fds_close(fds[i], 1);
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++)
		layer_put(c->disks[i]);
	free(c);
}

struct xen_checkpoint *xen_checkpoint_alloc(const struct vm_config *config)
{
	struct xen_checkpoint *c = malloc(sizeof(*c));

	if (c)
		*c = (struct xen_checkpoint){
			.refs = 1, .npages = pvh_pages(config->memory), .image = -1,
			.presence = -1, .descriptor = -1, .gfns = -1, .record = -1, .earlier = -1,
		};
	return c;
}

int xen_image_new(const struct vm_config *config, struct xen_checkpoint **ret)
{
	struct xen_checkpoint *c = xen_checkpoint_alloc(config);
	int r;

	if (!c)
		return -ENOMEM;
	c->image = sized(openat(core_image_dir(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
			 c->npages * PAGER_PAGE_SIZE);
	c->presence = sized(memfd_create("vmfork-presence", MFD_CLOEXEC), c->npages);
	c->descriptor = sized(memfd_create("vmfork-descriptor", MFD_CLOEXEC), 0);
	c->record = sized(memfd_create("vmfork-record", MFD_CLOEXEC),
			  pager_record_bytes(c->npages));
	r = c->image < 0 ? c->image : c->presence < 0 ? c->presence : c->descriptor < 0 ?
		c->descriptor : c->record;
	if (r < 0) {
		xen_image_put(c);
		return r;
	}
	*ret = c;
	return 0;
}

void xen_image_forget(struct xen_checkpoint *c)
{
	struct pager_req req = { .op = PAGER_IMAGE_DEL, .handle = checkpoint_handle(c->cp) };
	char pattern[64];

	core_pager(&req, NULL, 0, NULL, NULL);
	snprintf(pattern, sizeof(pattern), "cp%" PRIu64 ".*", req.handle);
	core_drop_fds(pattern);
	checkpoint_set_backend(c->cp, NULL);
	c->cp = NULL;
	xen_image_put(c);
}

unsigned int xen_slots(const struct vm_config *cfg, struct pager_slot *slots)
{
	return pvh_slots(cfg->memory, slots);
}

static uint64_t bitmap_bytes(uint64_t npages)
{
	return ((npages + 7) / 8 + 4095) & ~4095ULL;
}

static void punch(const struct xen_checkpoint *c, uint64_t from, uint64_t to)
{
	fallocate(c->image, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)(from * PAGER_PAGE_SIZE), (off_t)((to - from) * PAGER_PAGE_SIZE));
}

static uint64_t leave_out(struct xen_checkpoint *c, uint8_t *presence, const uint8_t *bits)
{
	uint64_t count = 0, from = 0;

	for (uint64_t i = 0; i <= c->npages; i++) {
		bool out = i < c->npages && presence[i] != PAGE_ABSENT && bits[i / 8] >> i % 8 & 1;

		if (out) {
			presence[i] = PAGE_ZERO;
			count++;
			continue;
		}
		if (i > from)
			punch(c, from, i);
		from = i + 1;
	}
	return count;
}

/* The copy began before the guest knew what would be free. */
int xen_image_leave_free(struct xen_checkpoint *c, const struct xen_vm *x)
{
	const struct vmfork_channel *region = vm_channel(x->vm);
	const uint8_t *bits = (const uint8_t *)region + VMFORK_CHANNEL_BITMAPS +
		bitmap_bytes(c->npages);
	uint8_t *presence;

	if (!x->mapped || !le64toh(region->fork.free_pages))
		return 0;
	presence = mmap(NULL, c->npages, PROT_READ | PROT_WRITE, MAP_SHARED, c->presence, 0);
	if (presence == MAP_FAILED)
		return -errno;
	c->freed = leave_out(c, presence, bits);
	munmap(presence, c->npages);
	return 0;
}

static void on_image_added(void *data, const struct pager_rep *rep)
{
	struct xen_checkpoint *c = data;

	if (rep->result < 0 && c->cp) {
		log_err("checkpoint %" PRIu64 ": pager: %s", checkpoint_handle(c->cp),
			strerror(-rep->result));
		c->broken = rep->result;
	}
	xen_image_put(c);
}

int xen_image_announce(struct xen_checkpoint *c)
{
	struct pager_req req = {
		.op = PAGER_IMAGE_ADD,
		.handle = checkpoint_handle(c->cp),
		.npages = c->npages,
		.source = PAGER_SOURCE_FILE,
		.flags = PAGER_F_RECORD | (c->earlier >= 0 ? PAGER_F_EARLIER : 0),
	};
	int fds[] = { c->image, c->presence, c->record, c->earlier };
	int r;

	req.nslots = xen_slots(checkpoint_config(c->cp), req.slots);
	c->refs++;
	r = core_pager(&req, fds, c->earlier < 0 ? 3 : 4, on_image_added, c);
	fds_close(&c->earlier, 1);
	if (r < 0)
		xen_image_put(c);
	return r;
}

static void on_clone_added(void *data, const struct pager_rep *rep)
{
	struct xen_vm *x = data;

	if (x->vm)
		xen_clone_added(x, rep->result);
	xen_put(x);
}

int xen_clone_announce(struct xen_vm *x, const struct xenvm_rep *rep, int evtchn)
{
	struct pager_req req = {
		.op = PAGER_CLONE_ADD,
		.handle = vm_handle(x->vm),
		.image = x->image,
		.npages = pvh_pages(vm_config(x->vm)->memory),
		.bitmap_offset = VMFORK_CHANNEL_BITMAPS,
		.xen = { .domain = rep->domain, .port = rep->port, .ring = rep->ring },
	};
	int fds[] = { evtchn, x->channel };
	int r;

	req.nslots = xen_slots(vm_config(x->vm), req.slots);
	req.bitmap_bytes = bitmap_bytes(req.npages);
	x->refs++;
	r = core_pager(&req, fds, ARRAY_SIZE(fds), on_clone_added, x);
	if (r < 0)
		xen_put(x);
	else
		x->paged = true;
	return r;
}
