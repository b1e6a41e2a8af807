// SPDX-License-Identifier: GPL-2.0-or-later
/* Checkpoints: immutable instants of machines, and for how long they are kept. */
#include "checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "events.h"
#include "fork.h"
#include "log.h"
#include "names.h"
#include "state.h"
#include "util.h"

struct checkpoint checkpoints[CHECKPOINTS_MAX];

struct checkpoint *checkpoint_find(uint64_t handle)
{
	for_each_checkpoint(cp)
		if (cp->handle == handle)
			return cp;
	return NULL;
}

struct checkpoint *checkpoint_named(const char *name)
{
	for_each_checkpoint(cp)
		if (cp->name[0] && !strcmp(cp->name, name))
			return cp;
	return NULL;
}

struct checkpoint *checkpoint_lookup(const char *s)
{
	struct checkpoint *cp = checkpoint_named(s);

	return cp ? cp : name_handle(s) ? checkpoint_find(name_handle(s)) : NULL;
}

struct checkpoint *checkpoint_alloc(uint64_t handle)
{
	for (struct checkpoint *cp = checkpoints; cp < checkpoints + CHECKPOINTS_MAX; cp++) {
		if (cp->used)
			continue;
		memset(cp, 0, sizeof(*cp));
		cp->used = true;
		cp->handle = handle ? handle : core_new_handle();
		cp->free_set = -1;
		return cp;
	}
	return NULL;
}

int checkpoint_new(struct vm *vm, const char *name, struct checkpoint **ret_cp)
{
	struct checkpoint *cp;

	if (name[0] && checkpoint_named(name))
		return -EEXIST;
	cp = checkpoint_alloc(0);
	if (!cp)
		return -ENOSPC;
	cp->family = vm->family;
	cp->vm = vm->handle;
	cp->lower = vm->checkpoint;
	cp->depth = vm->depth;
	snprintf(cp->name, sizeof(cp->name), "%s", name);
	snprintf(cp->vm_name, sizeof(cp->vm_name), "%s", vm->name);
	cp->config = vm->config;
	cp->limits = vm->limits;
	cp->net_seen = vm->net.seen;
	cp->hello = vm->channel.j->hello;
	cp->created = clock_ns(CLOCK_REALTIME);
	*ret_cp = cp;
	return 0;
}

int checkpoint_keep_free_set(struct checkpoint *cp, const struct vm *vm)
{
	size_t n = vm->channel.bitmap_bytes;
	const uint8_t *from = channel_free_set(&vm->channel);
	char name[64];
	int fd, r;

	fd = memfd_create("vmfork-free-set", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t off = 0; off < n;) {
		ssize_t w = write(fd, from + off, n - off);

		if (w <= 0) {
			close(fd);
			return -ENOMEM;
		}
		off += (size_t)w;
	}
	snprintf(name, sizeof(name), "cp%" PRIu64 ".free", cp->handle);
	r = core_store_fd(name, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	cp->free_set = fd;
	cp->free_set_bytes = n;
	return 0;
}

unsigned int checkpoint_clones(const struct checkpoint *cp)
{
	unsigned int n = 0;

	for_each_vm(vm)
		n += vm->checkpoint == cp->handle && vm_listed(vm);
	return n;
}

static bool referenced(const struct checkpoint *cp, const struct vm *vm)
{
	if (vm->checkpoint == cp->handle)
		return true;
	for (unsigned int i = 0; i < VM_REFS_MAX; i++)
		if (vm->refs[i].count && vm->refs[i].checkpoint == cp->handle)
			return true;
	return false;
}

bool checkpoint_used(const struct checkpoint *cp)
{
	if (cp->name[0] || fork_uses(cp->handle))
		return true;
	for_each_vm(vm)
		if (referenced(cp, vm))
			return true;
	for_each_checkpoint(higher)
		if (higher->lower == cp->handle)
			return true;
	return false;
}

void checkpoint_free(struct checkpoint *cp)
{
	char prefix[32];

	log_debug("checkpoint %" PRIu64 " (%s of %s): gone", cp->handle,
		  cp->name[0] ? cp->name : "unnamed", cp->vm_name);
	event_checkpoint("removed", cp);
	core.backend->checkpoint_destroy(cp);
	snprintf(prefix, sizeof(prefix), "cp%" PRIu64 ".*", cp->handle);
	core_drop_fds(prefix);
	if (cp->free_set >= 0)
		close(cp->free_set);
	memset(cp, 0, sizeof(*cp));
	state_changed();
}

static bool reap_one(void)
{
	for_each_checkpoint(cp) {
		if (checkpoint_used(cp))
			continue;
		checkpoint_free(cp);
		return true;
	}
	return false;
}

void checkpoints_reap(void)
{
	/* a lower one may go once the higher one has */
	while (reap_one())
		;
}
