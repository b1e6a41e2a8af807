// SPDX-License-Identifier: GPL-2.0-or-later
/* Checkpoints of the QEMU backend: their files, and what the pager is told. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vmfork_channel.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-event.h>

#include "fdpass.h"
#include "log.h"
#include "qemu.h"
#include "ram_slots.h"
#include "util.h"

static int memfd(const char *name, uint64_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int open_image(uint64_t size)
{
	int fd = openat(core_image_dir(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int make_files(struct qemu_checkpoint *c, const struct vm_config *config)
{
	int lifeline[2];

	c->image = open_image(config->memory);
	if (c->image < 0)
		return c->image;
	c->presence = memfd("vmfork-presence", c->npages);
	if (c->presence < 0)
		return c->presence;
	c->record = memfd("vmfork-record", pager_record_bytes(c->npages));
	if (c->record < 0)
		return c->record;
	c->raw = memfd("vmfork-descriptor", 0);
	if (c->raw < 0)
		return c->raw;
	if (pipe2(lifeline, O_CLOEXEC) < 0)
		return -errno;
	c->lifeline_read = lifeline[0];
	c->lifeline = lifeline[1];
	return 0;
}

struct qemu_checkpoint *image_alloc(const struct vm_config *config)
{
	struct qemu_checkpoint *c = malloc(sizeof(*c));

	if (c)
		*c = (struct qemu_checkpoint){
			.refs = 1, .image = -1, .presence = -1, .lifeline = -1,
			.lifeline_read = -1, .mem = -1, .pagemap = -1, .avoid = -1, .record = -1,
			.earlier = -1, .raw = -1, .stored = -1,
			.npages = config->memory / PAGER_PAGE_SIZE,
		};
	return c;
}

int image_new(const struct vm_config *config, struct qemu_checkpoint **ret)
{
	struct qemu_checkpoint *c = image_alloc(config);
	int r;

	if (!c)
		return -ENOMEM;
	r = make_files(c, config);
	if (r < 0) {
		image_put(c);
		return r;
	}
	*ret = c;
	return 0;
}

void image_put(struct qemu_checkpoint *c)
{
	int *fds[] = { &c->image, &c->presence, &c->lifeline, &c->lifeline_read, &c->mem,
		       &c->pagemap, &c->avoid, &c->record, &c->earlier, &c->raw, &c->stored };

	if (--c->refs)
		return;
	sd_event_source_disable_unref(c->idle);
	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++)
		fds_close(fds[i], 1);
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++)
		layer_put(c->disks[i]);
	free(c);
}

void image_forget(struct qemu_checkpoint *c)
{
	uint64_t handle = checkpoint_handle(c->cp);
	struct pager_req req = { .op = PAGER_IMAGE_DEL, .handle = handle };
	char pattern[64];

	core_pager(&req, NULL, 0, NULL, NULL);
	snprintf(pattern, sizeof(pattern), "cp%" PRIu64 ".*", handle);
	core_drop_fds(pattern);
	checkpoint_set_backend(c->cp, NULL);
	c->cp = NULL;
	c->idle = sd_event_source_disable_unref(c->idle);
	fds_close(&c->lifeline, 1);
	image_put(c);
}

static int store(uint64_t handle, const char *what, int fd)
{
	char name[64];

	if (fd < 0)
		return 0;
	snprintf(name, sizeof(name), "cp%" PRIu64 ".%s", handle, what);
	return core_store_fd(name, fd);
}

int image_store(struct qemu_checkpoint *c)
{
	uint64_t h = checkpoint_handle(c->cp);
	int r = store(h, "image", c->image);

	r = r ? r : store(h, "presence", c->presence);
	r = r ? r : store(h, "lifeline", c->lifeline);
	r = r ? r : store(h, "mem", c->mem);
	r = r ? r : store(h, "pagemap", c->pagemap);
	r = r ? r : store(h, "avoid", c->avoid);
	r = r ? r : store(h, "record", c->record);
	r = r ? r : store(h, "raw", c->raw);
	return r ? r : store(h, "stored", c->stored);
}

unsigned int config_slots(const struct vm_config *cfg, struct pager_slot *slots)
{
	return ram_slots(cfg->machine, cfg->memory, slots);
}

static void on_image_added(void *data, const struct pager_rep *rep)
{
	struct qemu_checkpoint *c = data;

	if (rep->result < 0 && c->cp) {
		log_err("checkpoint %" PRIu64 ": pager: %s", checkpoint_handle(c->cp),
			strerror(-rep->result));
		c->broken = rep->result;
	}
	image_put(c);
}

int image_announce(struct qemu_checkpoint *c)
{
	struct pager_req req = {
		.op = PAGER_IMAGE_ADD,
		.handle = checkpoint_handle(c->cp),
		.lower = c->lower,
		.base = c->base,
		.npages = c->npages,
		.source = PAGER_SOURCE_SNAPSHOT,
		.flags = PAGER_F_RECORD,
	};
	int fds[7] = { c->image, c->presence, c->mem, c->pagemap };
	unsigned int n = 4;
	int r;

	req.nslots = config_slots(checkpoint_config(c->cp), req.slots);
	if (c->avoid >= 0) {
		req.bitmap_bytes = bitmap_bytes(req.slots, req.nslots);
		fds[n++] = c->avoid;
	}
	fds[n++] = c->record;
	if (c->earlier >= 0) {
		req.flags |= PAGER_F_EARLIER;
		fds[n++] = c->earlier;
	}
	c->refs++;
	r = core_pager(&req, fds, n, on_image_added, c);
	fds_close(&c->earlier, 1);
	if (r < 0)
		image_put(c);
	return r;
}

static void on_clone_added(void *data, const struct pager_rep *rep)
{
	struct qemu_vm *q = data;

	if (q->vm && rep->result < 0)
		log_err("vm%" PRIu64 ": pager: %s", vm_handle(q->vm), strerror(-rep->result));
	if (q->vm)
		step_end(q, rep->result);
	qemu_vm_put(q);
}

int clone_announce(struct qemu_vm *q)
{
	struct pager_req req = {
		.op = PAGER_CLONE_ADD,
		.handle = vm_handle(q->vm),
		.image = q->image,
		.base = q->ram_base,
		.npages = vm_config(q->vm)->memory / PAGER_PAGE_SIZE,
		.bitmap_offset = VMFORK_CHANNEL_BITMAPS,
	};
	int fds[] = { q->uffd, q->channel };
	int r;

	req.nslots = config_slots(vm_config(q->vm), req.slots);
	req.bitmap_bytes = bitmap_bytes(req.slots, req.nslots);
	if (req.bitmap_offset + req.bitmap_bytes > q->channel_size)
		return -EINVAL;
	r = core_pager(&req, fds, ARRAY_SIZE(fds), on_clone_added, qemu_vm_get(q));
	if (r < 0) {
		qemu_vm_put(q);
		return r;
	}
	step_begin(q);
	return 0;
}
