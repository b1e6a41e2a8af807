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

u32 vmfork_layout_params_len(const struct vmfork_clone_block *block)
{
	u32 len = le32_to_cpu(block->params_len);

	return len <= VMFORK_PARAMS_MAX ? len : 0;
}

static bool is_zeros(const void *p, size_t n)
{
	const u8 *bytes = p;

	while (n && !*bytes) {
		bytes++;
		n--;
	}
	return !n;
}

static bool name_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return !first && (c == '-' || c == '.');
}

/* of a host or a domain, with its NUL within @n bytes; or empty */
static bool is_name(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i]; i++)
		if (!name_char(s[i], i == 0 || s[i - 1] == '.'))
			return false;
	return i < n;
}

/* of a checked one, into zeros: nothing of what may follow its NUL */
static void copy_name(char *to, const char *from)
{
	while (*from)
		*to++ = *from++;
}

#define NET_FLAGS	(VMFORK_NET_ADDRESS | VMFORK_NET_USER)
#define MTU_MIN		68	/* IPv4's */
#define MTU_MAX		65535

static bool net_is_sane(const struct vmfork_channel_net *net)
{
	u32 mtu = le32_to_cpu(net->mtu);

	if (net->mac[0] & 1 || net->old_mac[0] & 1)	/* a group's */
		return false;
	if (mtu && (mtu < MTU_MIN || mtu > MTU_MAX))
		return false;
	if (le32_to_cpu(net->flags) & VMFORK_NET_ADDRESS &&
	    (!net->address || le32_to_cpu(net->prefix) > 32))
		return false;
	return is_name(net->hostname, sizeof(net->hostname)) &&
	       is_name(net->domain, sizeof(net->domain));
}

int vmfork_layout_net(const struct vmfork_channel_net *net, struct vmfork_net *ret)
{
	if (is_zeros(net, sizeof(*net)))
		return -ENODATA;
	if (!net_is_sane(net))
		return -EPROTO;
	memset(ret, 0, sizeof(*ret));
	ret->flags = le32_to_cpu(net->flags) & NET_FLAGS;
	ret->mtu = le32_to_cpu(net->mtu);
	memcpy(ret->mac, net->mac, sizeof(ret->mac));
	memcpy(ret->old_mac, net->old_mac, sizeof(ret->old_mac));
	ret->address = net->address;
	ret->gateway = net->gateway;
	ret->dns = net->dns;
	ret->prefix = le32_to_cpu(net->prefix);
	ret->index = le32_to_cpu(net->index);
	copy_name(ret->hostname, net->hostname);
	copy_name(ret->domain, net->domain);
	return 0;
}

u64 vmfork_layout_realtime(u64 answer, u64 wall)
{
	return answer && wall > answer && wall - answer <= VMFORK_LATE_NS ? wall : answer;
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
