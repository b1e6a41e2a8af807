// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory of a VM's channel: made, mapped, kept over a restart; what is at which place. */
#include "channel.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "core.h"
#include "journal.h"
#include "options.h"
#include "util.h"
#include "vm.h"

#define JOURNAL_SIZE	(sizeof(struct journal) + JOURNAL_QUEUE)
#define HOST_FEATURES	(VMFORK_FEATURE_FREE_SET | VMFORK_FEATURE_CHECKPOINT | \
			 VMFORK_FEATURE_GATE | VMFORK_FEATURE_MESSAGES | \
			 VMFORK_FEATURE_PARAMS | VMFORK_FEATURE_IDENTITY | \
			 VMFORK_FEATURE_FREE_HOOK | VMFORK_FEATURE_IO)

struct vmfork_channel *channel_head(const struct channel *ch)
{
	return (struct vmfork_channel *)ch->map;
}

/* The bitmaps cover every gfn that RAM may have: from the slots' ends. */
static void measure(struct channel *ch, const struct vm_config *config)
{
	struct pager_slot slots[PAGER_SLOTS_MAX];
	unsigned int n = core.backend->slots(config, slots);

	ch->gfns = 0;
	for (unsigned int i = 0; i < n; i++)
		if (slots[i].gfn + slots[i].npages > ch->gfns)
			ch->gfns = slots[i].gfn + slots[i].npages;
	ch->bitmap_bytes = ((ch->gfns + 7) / 8 + 4095) & ~(size_t)4095;
	/* a BAR is a power of two */
	ch->size = 1U << 20;
	while (ch->size < VMFORK_CHANNEL_BITMAPS + 2 * ch->bitmap_bytes)
		ch->size *= 2;
}

static int map_both(struct channel *ch)
{
	void *p;

	p = mmap(NULL, ch->size, PROT_READ | PROT_WRITE, MAP_SHARED, ch->fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	ch->map = p;
	p = mmap(NULL, JOURNAL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ch->journal_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	ch->j = p;
	return 0;
}

static int sealed_memfd(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int store_both(const struct channel *ch, uint64_t handle)
{
	char name[64];
	int r;

	snprintf(name, sizeof(name), "vm%" PRIu64 ".channel", handle);
	r = core_store_fd(name, ch->fd);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "vm%" PRIu64 ".journal", handle);
	return core_store_fd(name, ch->journal_fd);
}

int channel_make(struct channel *ch, const struct vm *vm)
{
	int r;

	*ch = (struct channel){ .fd = -1, .journal_fd = -1 };
	measure(ch, &vm->config);
	ch->fd = sealed_memfd("vmfork-channel", ch->size);
	ch->journal_fd = sealed_memfd("vmfork-journal", JOURNAL_SIZE);
	r = ch->fd < 0 ? ch->fd : ch->journal_fd < 0 ? ch->journal_fd : map_both(ch);
	if (r == 0)
		r = store_both(ch, vm->handle);
	if (r < 0) {
		channel_free(ch);
		return r;
	}
	ch->j->magic = JOURNAL_MAGIC;
	channel_constants(ch, vm->family, vm->handle);
	return 0;
}

int channel_take(struct channel *ch, const struct vm *vm)
{
	char name[64];
	struct stat st;
	int r = -ENOENT;

	*ch = (struct channel){ .fd = -1, .journal_fd = -1 };
	measure(ch, &vm->config);
	snprintf(name, sizeof(name), "vm%" PRIu64 ".channel", vm->handle);
	ch->fd = core_take_fd(name);
	snprintf(name, sizeof(name), "vm%" PRIu64 ".journal", vm->handle);
	ch->journal_fd = core_take_fd(name);
	if (ch->fd >= 0 && ch->journal_fd >= 0 && fstat(ch->fd, &st) == 0 &&
	    (size_t)st.st_size == ch->size && fstat(ch->journal_fd, &st) == 0 &&
	    (size_t)st.st_size == JOURNAL_SIZE)
		r = map_both(ch);
	if (r == 0 && ch->j->magic != JOURNAL_MAGIC)
		r = -EBADMSG;
	if (r < 0)
		channel_free(ch);
	return r;
}

void channel_constants(struct channel *ch, uint64_t family, uint64_t vm)
{
	struct vmfork_channel *h = channel_head(ch);

	h->magic = htole64(VMFORK_CHANNEL_MAGIC);
	h->version = htole32(VMFORK_CHANNEL_VERSION);
	h->clones_max = htole32(opt.clones_max);
	h->size = htole64(ch->size);
	h->bitmap_bytes = htole64(ch->bitmap_bytes);
	h->gfns = htole64(ch->gfns);
	h->host_features = htole64(HOST_FEATURES |
				   (cgroup_usable() ? VMFORK_FEATURE_LIMITS : 0));
	h->family = htole64(family);
	h->vm = htole64(vm);
}

void channel_free(struct channel *ch)
{
	if (ch->map)
		munmap(ch->map, ch->size);
	if (ch->j)
		munmap(ch->j, JOURNAL_SIZE);
	if (ch->fd >= 0)
		close(ch->fd);
	if (ch->journal_fd >= 0)
		close(ch->journal_fd);
	*ch = (struct channel){ .fd = -1, .journal_fd = -1 };
}

uint32_t channel_fork_state(const struct channel *ch)
{
	return le32toh(__atomic_load_n(&channel_head(ch)->fork.state, __ATOMIC_ACQUIRE));
}

bool channel_fork_take(struct channel *ch, struct vmfork_fork *ret_block)
{
	struct vmfork_fork *f = &channel_head(ch)->fork;
	uint32_t want = htole32(VMFORK_FORK_REQUESTED);

	if (!__atomic_compare_exchange_n(&f->state, &want, htole32(VMFORK_FORK_TAKEN), false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	memcpy(ret_block, f, sizeof(*ret_block));
	return true;
}

uint64_t channel_free_pages(const struct channel *ch)
{
	uint64_t n = le64toh(channel_head(ch)->fork.free_pages);

	return n <= ch->gfns ? n : 0;
}

void channel_fork_answer(struct channel *ch, const struct fork_answer *a)
{
	struct vmfork_fork *f = &channel_head(ch)->fork;
	uint8_t seed[sizeof(f->seed)];

	f->result = htole32((uint32_t)a->result);
	f->id = htole32(a->id);
	f->clones = htole32(a->clones);
	f->depth = htole32(a->depth);
	f->family = htole64(a->family);
	f->vm = htole64(a->vm);
	f->parent = htole64(a->parent);
	f->checkpoint = htole64(a->checkpoint);
	if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		memcpy(f->seed, seed, sizeof(seed));
	explicit_bzero(seed, sizeof(seed));
	f->realtime_ns = htole64(clock_ns(CLOCK_REALTIME));
	__atomic_store_n(&f->state, htole32(VMFORK_FORK_RELEASED), __ATOMIC_SEQ_CST);
}

struct vmfork_clone_block *channel_clone_block(const struct channel *ch)
{
	return (struct vmfork_clone_block *)(ch->map + VMFORK_CHANNEL_CLONE);
}

void channel_give_params(struct channel *ch, const uint8_t *bytes, uint32_t len)
{
	memcpy(ch->map + VMFORK_CHANNEL_PARAMS, bytes, len);
	channel_clone_block(ch)->params_len = htole32(len);
}

void channel_wipe_seed(struct channel *ch)
{
	struct vmfork_fork *f = &channel_head(ch)->fork;

	if (channel_fork_state(ch) == VMFORK_FORK_IDLE)
		explicit_bzero(f->seed, sizeof(f->seed));
}

uint8_t *channel_avoid(const struct channel *ch)
{
	return ch->map + VMFORK_CHANNEL_BITMAPS;
}

const uint8_t *channel_free_set(const struct channel *ch)
{
	return ch->map + VMFORK_CHANNEL_BITMAPS + ch->bitmap_bytes;
}
