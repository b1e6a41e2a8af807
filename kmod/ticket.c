// SPDX-License-Identifier: GPL-2.0
/* Tickets: the right to a number of clones, then their parent's end. */
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
#include "params.h"
#include "request.h"
#include "ticket.h"

/**
 * DOC: A ticket's states
 *
 *   GRANTED -> FORKING   CLONE or CREATE_CLONES begins; one wins, others get EBUSY
 *   FORKING -> GRANTED   it failed: nothing was forked
 *   FORKING -> FORKED    clones exist
 *
 * LINK and FOREIGN are not stored: the mailbox's role and epoch tell them.
 */
enum state { GRANTED, FORKING, FORKED };

#define TICKET_FLAGS	(VMFORK_TICKET_EXACT | VMFORK_TICKET_NO_NETWORK)
#define CPU_WEIGHT_MAX	10000	/* cgroup v2's */

struct ticket {
	struct vmfork_mailbox box;
	enum state state;	/* vmfork_lock */
	u32 granted;
	u64 handle;		/* its own, whatever the mailbox is now */
	u64 epoch;		/* of the machine that was granted it */
	u64 checkpoint;
};

/* is it GRANTED? */
static int usable(const struct ticket *t)
{
	int r = vmfork_mailbox_check(&t->box);

	if (!r && t->box.role == VMFORK_MAILBOX_LINK)
		r = -ESTALE;
	if (!r && (t->state != GRANTED || !t->handle))
		r = -EBUSY;
	return r;
}

/* GRANTED -> FORKING */
static int begin(struct ticket *t)
{
	int r;

	raw_spin_lock(&vmfork_lock);
	r = usable(t);
	if (!r)
		t->state = FORKING;
	raw_spin_unlock(&vmfork_lock);
	return r;
}

/* FORKING -> GRANTED or FORKED */
static void end(struct ticket *t, int result, u64 checkpoint)
{
	raw_spin_lock(&vmfork_lock);
	t->state = result ? GRANTED : FORKED;
	t->checkpoint = result ? 0 : checkpoint;
	raw_spin_unlock(&vmfork_lock);
}

static long ticket_clone(struct ticket *t, struct vmfork_clone __user *arg)
{
	struct vmfork_forkpoint fp = {
		.kind = VMFORK_FORK_TICKET,
		.epoch = t->epoch,
		.ticket = t->handle,
		.box = &t->box,
	};
	struct vmfork_clone c;
	int r;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.flags & ~VMFORK_CLONE_KNOWN || !vmfork_is_zero(c.reserved))
		return -EINVAL;
	if (copy_to_user(arg, &c, sizeof(c)))	/* now, not when it is too late to refuse */
		return -EFAULT;
	fp.flags = c.flags;
	r = begin(t);
	if (r)
		return r;
	r = vmfork_forkpoint_run(&fp);
	end(t, r, fp.checkpoint);
	if (r)
		return r;
	c.id = fp.id;
	c.clones = fp.clones;
	if (!copy_to_user(arg, &c, sizeof(c)))
		return 0;
	vmfork_forkpoint_untold(&fp);
	return -EFAULT;
}

static void send_close(struct ticket *t)
{
	struct vmfork_msg_ticket msg = { .ticket = cpu_to_le64(t->handle) };

	if (t->handle)
		vmfork_channel_send(t->epoch, VMFORK_G2H_CLOSE_TICKET, &msg, sizeof(msg),
				    &vmfork_patience_close);
	t->handle = 0;
}

/* The mailbox has its peers before the request: their exits may overtake the reply. */
static int create(struct ticket *t, u64 checkpoint)
{
	struct vmfork_msg_ticket msg = {
		.ticket = cpu_to_le64(t->handle),
		.checkpoint = cpu_to_le64(checkpoint),
		.clones = cpu_to_le32(t->granted),
	};
	struct vmfork_reply reply;
	int r;

	raw_spin_lock(&vmfork_lock);
	vmfork_mailbox_begin(&t->box, t->granted);
	raw_spin_unlock(&vmfork_lock);
	r = vmfork_request(t->epoch, VMFORK_G2H_CREATE_CLONES, &msg, sizeof(msg),
			   &vmfork_patience_clones, &reply);
	if (r) {
		raw_spin_lock(&vmfork_lock);
		if (!vmfork_channel_current(t->epoch))
			vmfork_mailbox_undo(&t->box);
		raw_spin_unlock(&vmfork_lock);
	}
	/* clones may still come of it, and nobody would know them */
	if (r == -ETIMEDOUT || r == -ERESTARTSYS)
		send_close(t);
	return r;
}

static long ticket_create_clones(struct ticket *t, struct vmfork_create_clones __user *arg)
{
	struct vmfork_create_clones c;
	u64 checkpoint;
	int r;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.flags || !vmfork_is_zero(c.reserved))
		return -EINVAL;
	r = vmfork_checkpoint_handle(c.checkpoint_fd, &checkpoint);
	if (r)
		return r;
	r = begin(t);
	if (r)
		return r;
	r = create(t, checkpoint);
	end(t, r, checkpoint);
	return r;
}

static long ticket_wait(struct ticket *t, struct vmfork_wait __user *arg)
{
	struct vmfork_wait w;
	int r;

	if (copy_from_user(&w, arg, sizeof(w)))
		return -EFAULT;
	if (w.flags & ~(VMFORK_WAIT_NOHANG | VMFORK_WAIT_NOREAP) || !vmfork_is_zero(w.reserved))
		return -EINVAL;
	r = vmfork_mailbox_wait(&t->box, w.id, w.flags, &w.info);
	if (r)
		return r;
	if (!copy_to_user(arg, &w, sizeof(w)))
		return 0;
	if (!(w.flags & VMFORK_WAIT_NOREAP))
		vmfork_mailbox_unwait(&t->box, w.info.id);
	return -EFAULT;
}

/* Return: 1 there is something to kill, 0 nothing to do, or an errno */
static int killable(const struct ticket *t, u32 id)
{
	const struct vmfork_mailbox *box = &t->box;
	const struct vmfork_peer *p;
	int r = vmfork_mailbox_check(box);

	if (r)
		return r;
	if (box->role == VMFORK_MAILBOX_LINK)
		return -ESTALE;
	if (id == 0)
		return box->live != 0;
	if (id > box->count)
		return -ECHILD;
	p = &box->peers[id - 1];
	if (p->live)
		return 1;
	return list_empty(&p->exit.node) ? -ECHILD : 0;	/* as a zombie may be killed */
}

static long ticket_kill(struct ticket *t, const struct vmfork_kill __user *arg)
{
	struct vmfork_msg_ticket msg = { .ticket = cpu_to_le64(t->handle) };
	struct vmfork_reply reply;
	struct vmfork_kill k;
	int r;

	if (copy_from_user(&k, arg, sizeof(k)))
		return -EFAULT;
	if (k.flags || !vmfork_is_zero(k.reserved))
		return -EINVAL;
	raw_spin_lock(&vmfork_lock);
	r = killable(t, k.id);
	raw_spin_unlock(&vmfork_lock);
	if (r <= 0)
		return r;
	msg.id = cpu_to_le32(k.id);
	return vmfork_request(t->epoch, VMFORK_G2H_KILL, &msg, sizeof(msg),
			      &vmfork_patience_request, &reply);
}

static u32 shown_state(const struct ticket *t)
{
	if (t->box.epoch != vmfork_epoch())
		return VMFORK_TICKET_FOREIGN;
	if (t->box.role == VMFORK_MAILBOX_LINK)
		return VMFORK_TICKET_LINK;
	return t->state == FORKED ? VMFORK_TICKET_FORKED : VMFORK_TICKET_GRANTED;
}

static long ticket_info(struct ticket *t, struct vmfork_ticket_info __user *arg)
{
	struct vmfork_ticket_info info = { };
	int r;

	raw_spin_lock(&vmfork_lock);
	r = vmfork_channel_status();
	info.state = shown_state(t);
	info.granted = t->granted;
	info.handle = t->handle;
	info.checkpoint = t->checkpoint;
	if (info.state == VMFORK_TICKET_FORKED) {
		info.live = t->box.live;
		info.unreported = t->box.unreported;
	}
	raw_spin_unlock(&vmfork_lock);
	if (r)
		return r;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long ticket_set_params(struct ticket *t, const struct vmfork_params __user *arg)
{
	struct vmfork_params p;
	int r = vmfork_params_take(&p, arg);

	if (r)
		return r;
	raw_spin_lock(&vmfork_lock);
	r = usable(t);
	raw_spin_unlock(&vmfork_lock);
	if (!r && p.id > t->granted)
		r = -EINVAL;
	return r ? r : vmfork_params_send(t->epoch, t->handle, &p);
}

static long ticket_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ticket *t = file->private_data;

	switch (cmd) {
	case VMFORK_TICKET_CLONE:
		return ticket_clone(t, (void __user *)arg);
	case VMFORK_TICKET_CREATE_CLONES:
		return ticket_create_clones(t, (void __user *)arg);
	case VMFORK_TICKET_WAIT:
		return ticket_wait(t, (void __user *)arg);
	case VMFORK_TICKET_KILL:
		return ticket_kill(t, (void __user *)arg);
	case VMFORK_TICKET_INFO:
		return ticket_info(t, (void __user *)arg);
	case VMFORK_TICKET_SET_PARAMS:
		return ticket_set_params(t, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static ssize_t ticket_read(struct file *file, char __user *buf, size_t n, loff_t *pos)
{
	struct ticket *t = file->private_data;

	return vmfork_mailbox_read(&t->box, buf, n, file->f_flags & O_NONBLOCK);
}

static ssize_t ticket_write(struct file *file, const char __user *buf, size_t n, loff_t *pos)
{
	struct ticket *t = file->private_data;

	return vmfork_mailbox_write(&t->box, buf, n, file->f_flags & O_NONBLOCK);
}

static __poll_t ticket_poll(struct file *file, poll_table *wait)
{
	struct ticket *t = file->private_data;

	poll_wait(file, &vmfork_wait, wait);
	return vmfork_mailbox_poll(&t->box);
}

/* what is left of the clones ends; in a clone the epoch has passed and nothing does */
static int ticket_release(struct inode *inode, struct file *file)
{
	struct ticket *t = file->private_data;

	vmfork_mailbox_destroy(&t->box);
	send_close(t);
	kfree(t);
	return 0;
}

static const struct file_operations ticket_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = ticket_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = ticket_read,
	.write = ticket_write,
	.poll = ticket_poll,
	.release = ticket_release,
	.llseek = noop_llseek,
};

static struct file *new_ticket(u64 epoch, u32 clones)
{
	struct ticket *t;
	struct file *file;
	int r;

	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->epoch = epoch;
	r = vmfork_mailbox_init(&t->box, epoch, clones);
	if (r)
		goto free;
	file = anon_inode_getfile("[vmfork-ticket]", &ticket_fops, t, O_RDWR | O_CLOEXEC);
	if (!IS_ERR(file))
		return file;
	r = PTR_ERR(file);
	vmfork_mailbox_destroy(&t->box);
free:
	kfree(t);
	return ERR_PTR(r);
}

static int ask(struct ticket *t, struct vmfork_request_ticket *rt)
{
	struct vmfork_msg_grant msg = {
		.clones = cpu_to_le32(rt->clones),
		.flags = cpu_to_le32(rt->flags),
		.lifetime_s = cpu_to_le32(rt->lifetime_s),
		.memory_mib = cpu_to_le32(rt->memory_mib),
		.cpu_weight = cpu_to_le32(rt->cpu_weight),
	};
	struct vmfork_reply reply;
	int r;

	r = vmfork_request(t->epoch, VMFORK_G2H_TICKET, &msg, sizeof(msg),
			   &vmfork_patience_request, &reply);
	if (r)
		return r;
	raw_spin_lock(&vmfork_lock);
	t->handle = reply.handle;
	t->granted = reply.granted;
	t->box.handle = reply.handle;
	raw_spin_unlock(&vmfork_lock);
	if (reply.granted < 1 || reply.granted > rt->clones || !reply.handle)
		return -EIO;
	rt->clones = reply.granted;
	return 0;
}

long vmfork_ticket_request(struct vmfork_request_ticket __user *arg)
{
	struct vmfork_request_ticket rt;
	struct file *file;
	u64 epoch;
	int r;

	if (copy_from_user(&rt, arg, sizeof(rt)))
		return -EFAULT;
	if (rt.flags & ~TICKET_FLAGS || !vmfork_is_zero(rt.reserved) || !rt.clones ||
	    rt.cpu_weight > CPU_WEIGHT_MAX)
		return -EINVAL;
	r = vmfork_epoch_now(&epoch);
	if (r)
		return r;
	if (rt.clones > READ_ONCE(vmfork_channel_layout()->clones_max))
		return -EINVAL;
	if ((rt.memory_mib || rt.cpu_weight) &&
	    !(vmfork_features() & VMFORK_FEATURE_LIMITS))
		return -EOPNOTSUPP;
	file = new_ticket(epoch, rt.clones);
	if (IS_ERR(file))
		return PTR_ERR(file);
	r = ask(file->private_data, &rt);
	if (r)
		goto put;
	rt.fd = get_unused_fd_flags(O_CLOEXEC);
	r = rt.fd;
	if (r < 0)
		goto put;
	if (!copy_to_user(arg, &rt, sizeof(rt))) {
		fd_install(rt.fd, file);
		return 0;
	}
	put_unused_fd(rt.fd);
	r = -EFAULT;
put:
	fput(file);
	return r;
}
