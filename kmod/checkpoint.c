// SPDX-License-Identifier: GPL-2.0
/* Checkpoints: references to an immutable instant of a machine. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "checkpoint.h"
#include "forkpoint.h"
#include "mailbox.h"
#include "name.h"
#include "request.h"

/* In a clone made of it, a checkpoint is the link to the parent: its mailbox says so. */
struct checkpoint {
	struct vmfork_mailbox box;
	u64 epoch;	/* of the machine that holds the reference */
	u64 handle;	/* 0: no reference */
};

/* read() and write() are for links alone */
static int check_link(struct checkpoint *cp)
{
	int r;

	raw_spin_lock(&vmfork_lock);
	r = vmfork_mailbox_check(&cp->box);
	if (!r && cp->box.role != VMFORK_MAILBOX_LINK)
		r = -EINVAL;
	raw_spin_unlock(&vmfork_lock);
	return r;
}

static ssize_t checkpoint_read(struct file *file, char __user *buf, size_t n, loff_t *pos)
{
	struct checkpoint *cp = file->private_data;
	int r = check_link(cp);

	return r ? r : vmfork_mailbox_read(&cp->box, buf, n, file->f_flags & O_NONBLOCK);
}

static ssize_t checkpoint_write(struct file *file, const char __user *buf, size_t n, loff_t *pos)
{
	struct checkpoint *cp = file->private_data;
	int r = check_link(cp);

	return r ? r : vmfork_mailbox_write(&cp->box, buf, n, file->f_flags & O_NONBLOCK);
}

static __poll_t checkpoint_poll(struct file *file, poll_table *wait)
{
	struct checkpoint *cp = file->private_data;

	poll_wait(file, &vmfork_wait, wait);
	return check_link(cp) ? EPOLLERR | EPOLLHUP : vmfork_mailbox_poll(&cp->box);
}

static int checkpoint_release(struct inode *inode, struct file *file)
{
	struct checkpoint *cp = file->private_data;
	struct vmfork_msg_ticket msg = { .checkpoint = cpu_to_le64(cp->handle) };

	vmfork_mailbox_destroy(&cp->box);
	if (cp->handle)
		vmfork_channel_send(cp->epoch, VMFORK_G2H_CLOSE_CHECKPOINT, &msg, sizeof(msg),
				    &vmfork_patience_close);
	kfree(cp);
	return 0;
}

static const struct file_operations checkpoint_fops = {
	.owner = THIS_MODULE,
	.read = checkpoint_read,
	.write = checkpoint_write,
	.poll = checkpoint_poll,
	.release = checkpoint_release,
	.llseek = noop_llseek,
};

int vmfork_checkpoint_handle(int fd, u64 *ret)
{
	struct file *file = fget(fd);
	struct checkpoint *cp;
	int r = -EINVAL;

	if (!file)
		return -EBADF;
	if (file->f_op != &checkpoint_fops)
		goto put;
	cp = file->private_data;
	raw_spin_lock(&vmfork_lock);
	r = vmfork_channel_current(cp->epoch);
	*ret = cp->handle;
	raw_spin_unlock(&vmfork_lock);
put:
	fput(file);
	return r;
}

/* A descriptor is reserved and a file made, for fd_install() when all has succeeded. */
static struct file *new_checkpoint(u64 epoch, int *ret_fd)
{
	struct checkpoint *cp;
	struct file *file;
	int fd, r;

	cp = kzalloc(sizeof(*cp), GFP_KERNEL_ACCOUNT);
	if (!cp)
		return ERR_PTR(-ENOMEM);
	cp->epoch = epoch;
	r = vmfork_mailbox_init(&cp->box, epoch, 1);
	if (r)
		goto free;
	fd = get_unused_fd_flags(O_CLOEXEC);
	r = fd;
	if (fd < 0)
		goto destroy;
	file = anon_inode_getfile("[vmfork-checkpoint]", &checkpoint_fops, cp,
				  O_RDWR | O_CLOEXEC);
	if (!IS_ERR(file)) {
		*ret_fd = fd;
		return file;
	}
	r = PTR_ERR(file);
	put_unused_fd(fd);
destroy:
	vmfork_mailbox_destroy(&cp->box);
free:
	kfree(cp);
	return ERR_PTR(r);
}

static void drop(struct file *file, int fd)
{
	put_unused_fd(fd);
	fput(file);
}

/* through the fork point, file and reserved descriptor in hand: clones have them, too */
static int pass(struct file *file, u32 flags, const char *name, struct vmfork_forkpoint *fp)
{
	struct checkpoint *cp = file->private_data;
	int r;

	fp->kind = VMFORK_FORK_CHECKPOINT;
	fp->epoch = cp->epoch;
	fp->name = name;
	fp->flags = flags;
	fp->box = &cp->box;
	r = vmfork_forkpoint_run(fp);
	if (!r && !fp->id)
		cp->handle = fp->checkpoint;
	return r;
}

long vmfork_checkpoint_make(struct vmfork_checkpoint __user *arg)
{
	struct vmfork_forkpoint fp = { };
	char name[VMFORK_NAME_MAX];
	struct vmfork_checkpoint c;
	struct file *file;
	u64 epoch;
	int fd, r;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.flags & ~VMFORK_CLONE_KNOWN || !vmfork_is_zero(c.reserved) ||
	    vmfork_name_take(c.name, name) < 0)
		return -EINVAL;
	if (copy_to_user(arg, &c, sizeof(c)))	/* now, not when it is too late to refuse */
		return -EFAULT;
	r = vmfork_epoch_now(&epoch);
	if (r)
		return r;
	file = new_checkpoint(epoch, &fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	r = pass(file, c.flags, name, &fp);
	if (r)
		goto drop;
	c.fd = fd;
	c.id = fp.id;
	c.clones = fp.clones;
	c.handle = fp.checkpoint;
	r = -EFAULT;
	if (copy_to_user(arg, &c, sizeof(c))) {
		vmfork_forkpoint_untold(&fp);
		goto drop;
	}
	fd_install(fd, file);
	return 0;

drop:
	drop(file, fd);
	return r;
}

static int find(struct checkpoint *cp, const char *name)
{
	struct vmfork_msg_name msg;
	struct vmfork_reply reply;
	int r;

	memcpy(msg.name, name, sizeof(msg.name));
	r = vmfork_request(cp->epoch, VMFORK_G2H_OPEN_CHECKPOINT, &msg, sizeof(msg),
			   &vmfork_patience_request, &reply);
	if (!r)
		cp->handle = reply.handle;
	return r;
}

long vmfork_checkpoint_open(struct vmfork_open_checkpoint __user *arg)
{
	struct vmfork_open_checkpoint c;
	char name[VMFORK_NAME_MAX];
	struct checkpoint *cp;
	struct file *file;
	u64 epoch;
	int fd, r;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.flags || !vmfork_is_zero(c.reserved) || vmfork_name_take(c.name, name) <= 0)
		return -EINVAL;
	r = vmfork_epoch_now(&epoch);
	if (r)
		return r;
	file = new_checkpoint(epoch, &fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	cp = file->private_data;
	r = find(cp, name);
	if (r)
		goto drop;
	c.fd = fd;
	c.handle = cp->handle;
	r = -EFAULT;
	if (copy_to_user(arg, &c, sizeof(c)))
		goto drop;
	fd_install(fd, file);
	return 0;

drop:
	drop(file, fd);
	return r;
}
