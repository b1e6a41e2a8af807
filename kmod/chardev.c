// SPDX-License-Identifier: GPL-2.0
/* /dev/vmfork. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "agent.h"
#include "channel.h"
#include "chardev.h"
#include "checkpoint.h"
#include "forkpoint.h"
#include "freeset.h"
#include "generation.h"
#include "identity.h"
#include "lineage.h"
#include "secret.h"
#include "ticket.h"
#include "told.h"

/* one open of the device: which identity it was last told, what it keeps secret */
struct session {
	u64 serial;
	struct vmfork_secrets secrets;
};

static long get_api(struct vmfork_api __user *arg)
{
	struct vmfork_api api = {
		.version = VMFORK_API_VERSION,
		.clones_max = READ_ONCE(vmfork_channel_layout()->clones_max),
		.features = vmfork_features(),
		.hazards = vmfork_freeset_hazards(),
	};

	return copy_to_user(arg, &api, sizeof(api)) ? -EFAULT : 0;
}

static long get_id(struct vmfork_identity __user *arg)
{
	struct vmfork_identity id;
	u64 epoch;
	int r;

	r = vmfork_epoch_now(&epoch);
	if (r == -ENODEV)
		return r;
	vmfork_identity_get(&id);
	return copy_to_user(arg, &id, sizeof(id)) ? -EFAULT : 0;
}

/* EXIT is on its way: this ends with the machine, or with its caller */
static int until_the_end(void *arg)
{
	u64 *epoch = arg;
	int r;

	raw_spin_lock(&vmfork_lock);
	r = vmfork_channel_current(*epoch);
	raw_spin_unlock(&vmfork_lock);
	return r ? r : -EAGAIN;
}

static long end_clone(const struct vmfork_exit __user *arg)
{
	static const struct vmfork_patience p = { TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT, HZ };
	struct vmfork_identity id;
	struct vmfork_msg_exit msg = { };
	struct vmfork_exit e;
	u64 epoch;
	int r;

	if (copy_from_user(&e, arg, sizeof(e)))
		return -EFAULT;
	if (e.status < 0 || e.status > 255 || e.flags || !vmfork_is_zero(e.reserved))
		return -EINVAL;
	r = vmfork_epoch_now(&epoch);
	if (r)
		return r;
	vmfork_identity_get(&id);
	if (!id.depth)
		return -EPERM;
	msg.status = cpu_to_le32(e.status);
	r = vmfork_channel_send(epoch, VMFORK_G2H_EXIT, &msg, sizeof(msg), &p);
	return r ? r : vmfork_wait_until(until_the_end, &epoch, &p);
}

static long chardev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct session *s = file->private_data;

	switch (cmd) {
	case VMFORK_GET_API:
		return get_api((void __user *)arg);
	case VMFORK_GET_ID:
		return get_id((void __user *)arg);
	case VMFORK_REQUEST_TICKET:
		return vmfork_ticket_request((void __user *)arg);
	case VMFORK_CHECKPOINT:
		return vmfork_checkpoint_make((void __user *)arg);
	case VMFORK_OPEN_CHECKPOINT:
		return vmfork_checkpoint_open((void __user *)arg);
	case VMFORK_EXIT:
		return end_clone((void __user *)arg);
	case VMFORK_GET_PARAMS:
		return vmfork_told_params((void __user *)arg);
	case VMFORK_GET_NET:
		return vmfork_told_net((void __user *)arg);
	case VMFORK_SECRET:
		return vmfork_secrets_set(&s->secrets, (void __user *)arg);
	case VMFORK_AGENT:
		return vmfork_agent_register(file, (void __user *)arg);
	case VMFORK_AGENT_REPORT:
		return vmfork_agent_report(file, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int changed(void *arg)
{
	const struct session *s = arg;

	return READ_ONCE(s->serial) == vmfork_identity_serial() ? -EAGAIN : 0;
}

static ssize_t chardev_read(struct file *file, char __user *buf, size_t n, loff_t *pos)
{
	static const struct vmfork_patience p = { TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, HZ };
	struct session *s = file->private_data;
	struct vmfork_identity id;
	u64 serial;
	int r;

	if (n < sizeof(id))
		return -EINVAL;
	r = file->f_flags & O_NONBLOCK ? changed(s) : vmfork_wait_until(changed, s, &p);
	if (r)
		return r;
	serial = vmfork_identity_get(&id);
	if (copy_to_user(buf, &id, sizeof(id)))
		return -EFAULT;
	WRITE_ONCE(s->serial, serial);
	return sizeof(id);
}

static __poll_t chardev_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &vmfork_wait, wait);
	return changed(file->private_data) ? 0 : EPOLLIN | EPOLLRDNORM;
}

static int chardev_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vmfork_generation_mmap(vma);
}

static int chardev_open(struct inode *inode, struct file *file)
{
	struct session *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return -ENOMEM;
	vmfork_secrets_init(&s->secrets);
	s->serial = vmfork_identity_serial();
	file->private_data = s;
	return 0;
}

static int chardev_flush(struct file *file, fl_owner_t owner)
{
	vmfork_agent_flush(file);
	return 0;
}

static int chardev_release(struct inode *inode, struct file *file)
{
	struct session *s = file->private_data;

	vmfork_agent_release(file);
	vmfork_secrets_release(&s->secrets);
	kfree(s);
	return 0;
}

static const struct file_operations chardev_fops = {
	.owner = THIS_MODULE,
	.open = chardev_open,
	.flush = chardev_flush,
	.release = chardev_release,
	.unlocked_ioctl = chardev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = chardev_read,
	.poll = chardev_poll,
	.mmap = chardev_mmap,
	.llseek = noop_llseek,
};

static struct miscdevice chardev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmfork",
	.fops = &chardev_fops,
	.groups = vmfork_sysfs_groups,
	.mode = 0660,
};

void vmfork_chardev_announce(void)
{
	vmfork_lineage_announce(chardev.this_device);
}

int vmfork_chardev_init(void)
{
	return misc_register(&chardev);
}

void vmfork_chardev_exit(void)
{
	misc_deregister(&chardev);
}
