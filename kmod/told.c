// SPDX-License-Identifier: GPL-2.0
/* What the host told this machine at its beginning: its network, its parameters. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "channel.h"
#include "chardev.h"
#include "forkpoint.h"
#include "told.h"

/* vmfork_lock, or the fork point */
static struct vmfork_clone_block block;
static u8 params[VMFORK_PARAMS_MAX];

void vmfork_told_read(const struct vmfork_channel *region)
{
	const u8 *from = (const u8 *)region;

	memcpy(&block, from + VMFORK_CHANNEL_CLONE, sizeof(block));
	barrier();	/* from here on only the copy is looked at */
	memcpy(params, from + VMFORK_CHANNEL_PARAMS, vmfork_layout_params_len(&block));
}

static int channel_there(void)
{
	u64 epoch;

	return vmfork_epoch_now(&epoch) == -ENODEV ? -ENODEV : 0;
}

long vmfork_told_net(struct vmfork_net __user *arg)
{
	struct vmfork_channel_net copy;
	struct vmfork_net net;
	int r = channel_there();

	if (r)
		return r;
	raw_spin_lock(&vmfork_lock);
	copy = block.net;
	raw_spin_unlock(&vmfork_lock);
	r = vmfork_layout_net(&copy, &net);
	if (r)
		return r == -EPROTO ? -EIO : r;
	return copy_to_user(arg, &net, sizeof(net)) ? -EFAULT : 0;
}

static u32 copy_params(u8 *to)
{
	u32 len;

	raw_spin_lock(&vmfork_lock);
	len = vmfork_layout_params_len(&block);
	memcpy(to, params, len);
	raw_spin_unlock(&vmfork_lock);
	return len;
}

static int give_params(const u8 *copy, u32 len, struct vmfork_params *p)
{
	u32 room = p->len;

	p->len = len;
	if (!len)
		return -ENODATA;
	if (room < len)
		return -EMSGSIZE;
	return copy_to_user(u64_to_user_ptr(p->buf), copy, len) ? -EFAULT : 0;
}

long vmfork_told_params(struct vmfork_params __user *arg)
{
	struct vmfork_params p;
	u8 *copy;
	int r;

	if (copy_from_user(&p, arg, sizeof(p)))
		return -EFAULT;
	if (p.id || !vmfork_is_zero(p.reserved))
		return -EINVAL;
	r = channel_there();
	if (r)
		return r;
	if (!(vmfork_features() & VMFORK_FEATURE_PARAMS))
		return -EOPNOTSUPP;
	copy = kmalloc(VMFORK_PARAMS_MAX, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	r = give_params(copy, copy_params(copy), &p);
	kfree(copy);
	if (copy_to_user(arg, &p, sizeof(p)))
		return -EFAULT;
	return r;
}
