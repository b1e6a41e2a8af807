// SPDX-License-Identifier: GPL-2.0
/* Parameters that a parent gives its clones. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "forkpoint.h"
#include "params.h"
#include "request.h"

int vmfork_params_take(struct vmfork_params *ret, const struct vmfork_params __user *arg)
{
	if (copy_from_user(ret, arg, sizeof(*ret)))
		return -EFAULT;
	if (ret->len > VMFORK_PARAMS_MAX || !vmfork_is_zero(ret->reserved))
		return -EINVAL;
	return vmfork_features() & VMFORK_FEATURE_PARAMS ? 0 : -EOPNOTSUPP;
}

int vmfork_params_send(u64 epoch, u64 handle, const struct vmfork_params *p)
{
	struct vmfork_msg_params *msg;
	struct vmfork_reply reply;
	int r = -EFAULT;

	static_assert(sizeof(*msg) + VMFORK_PARAMS_MAX <= VMFORK_RING_PAYLOAD_MAX);
	msg = kzalloc(sizeof(*msg) + p->len, GFP_KERNEL_ACCOUNT);
	if (!msg)
		return -ENOMEM;
	msg->ticket = cpu_to_le64(handle);
	msg->id = cpu_to_le32(p->id);
	if (!copy_from_user(msg + 1, u64_to_user_ptr(p->buf), p->len))
		r = vmfork_request(epoch, VMFORK_G2H_PARAMS, msg, sizeof(*msg) + p->len,
				   &vmfork_patience_request, &reply);
	kfree(msg);
	return r;
}
