// SPDX-License-Identifier: GPL-2.0
/* What the host says about the channel: constants, message sizes, results. */
#include "layout.h"
#include "ring.h"

#define PAGE_BYTES	4096
#define ERRNO_LAST	133	/* EHWPOISON: those above are the kernel's own */

static_assert(sizeof(struct vmfork_channel) <= PAGE_BYTES, "the first page");
static_assert(offsetof(struct vmfork_channel, fork) == 0x100, "as documented");
static_assert(offsetof(struct vmfork_channel, g2h) == 0x300, "as documented");
static_assert(offsetof(struct vmfork_channel, h2g) == 0x380, "as documented");
static_assert(sizeof(struct vmfork_clone_block) <= VMFORK_CHANNEL_PARAMS - VMFORK_CHANNEL_CLONE,
	      "before the parameters");
static_assert(VMFORK_CHANNEL_PARAMS + VMFORK_PARAMS_MAX <= VMFORK_CHANNEL_BITMAPS,
	      "before the bitmaps");

int vmfork_layout_parse(const struct vmfork_channel *c, u64 mapped, struct vmfork_layout *ret)
{
	u64 size = le64_to_cpu(c->size);
	u64 bytes = le64_to_cpu(c->bitmap_bytes);
	u64 gfns = le64_to_cpu(c->gfns);
	u32 clones_max = le32_to_cpu(c->clones_max);

	if (le64_to_cpu(c->magic) != VMFORK_CHANNEL_MAGIC)
		return -ENODEV;
	if (le32_to_cpu(c->version) != VMFORK_CHANNEL_VERSION)
		return -EPROTO;
	if (size > mapped || size < VMFORK_CHANNEL_BITMAPS)
		return -EPROTO;
	if (bytes % PAGE_BYTES || bytes > (size - VMFORK_CHANNEL_BITMAPS) / 2)
		return -EPROTO;
	if (gfns > bytes * 8)
		return -EPROTO;
	ret->bitmap_bytes = bytes;
	ret->gfns = gfns;
	ret->clones_max = clones_max < VMFORK_CLONES_MAX ? clones_max : VMFORK_CLONES_MAX;
	ret->host_features = le64_to_cpu(c->host_features);
	ret->family = le64_to_cpu(c->family);
	ret->vm = le64_to_cpu(c->vm);
	return 0;
}

bool vmfork_layout_h2g_fits(u32 type, u32 len)
{
	switch (type) {
	case VMFORK_H2G_REPLY:
		return len == sizeof(struct vmfork_msg_reply);
	case VMFORK_H2G_EXITED:
		return len == sizeof(struct vmfork_msg_exited);
	case VMFORK_H2G_DATA:
		return len > sizeof(struct vmfork_msg_data) && len <= VMFORK_RING_PAYLOAD_MAX;
	case VMFORK_H2G_CREDIT:
		return len == sizeof(struct vmfork_msg_credit);
	case VMFORK_H2G_FORK:
		return len == sizeof(struct vmfork_msg_fork);
	default:
		return true;
	}
}

void vmfork_layout_text(char to[VMFORK_WHY_MAX], const char from[VMFORK_WHY_MAX])
{
	unsigned int i;

	memset(to, 0, VMFORK_WHY_MAX);
	for (i = 0; i < VMFORK_WHY_MAX - 1 && from[i]; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
}

int vmfork_layout_result(u32 field)
{
	if (field == 0)
		return 0;
	return 0 - field <= ERRNO_LAST ? -(int)(0 - field) : -EIO;
}

enum vmfork_who vmfork_layout_who(const struct vmfork_fork *answer, u64 vm)
{
	u32 id = le32_to_cpu(answer->id);
	u32 clones = le32_to_cpu(answer->clones);
	bool same = le64_to_cpu(answer->vm) == vm;

	if (answer->result)
		return id == 0 && same ? VMFORK_WHO_PARENT : VMFORK_WHO_UNKNOWN;
	if (clones > VMFORK_CLONES_MAX || id > clones)
		return VMFORK_WHO_UNKNOWN;
	if (id == 0)
		return same ? VMFORK_WHO_PARENT : VMFORK_WHO_UNKNOWN;
	return same ? VMFORK_WHO_UNKNOWN : VMFORK_WHO_CLONE;
}
