// SPDX-License-Identifier: GPL-2.0
/* The channel to the host: attachment, rings, epoch; and how everything here waits. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/cpumask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include <asm/barrier.h>

#include "avoid.h"
#include "channel.h"
#include "forkpoint.h"
#include "gate.h"
#include "identity.h"
#include "told.h"

DEFINE_MUTEX(vmfork_fork_mutex);
DEFINE_RAW_SPINLOCK(vmfork_lock);
DECLARE_WAIT_QUEUE_HEAD(vmfork_wait);
struct workqueue_struct *vmfork_wq;

static DECLARE_DELAYED_WORK(receive_work, vmfork_receive);

/* All under vmfork_lock; @transport and @layout change under vmfork_fork_mutex too. */
static struct {
	struct vmfork_transport *transport;
	struct vmfork_layout layout;
	u64 epoch;
	u32 g2h_head;	/* ours: never read back from the region */
	u32 h2g_tail;	/* ours, too */
	bool dead;
} channel = { .epoch = 1 };

const struct vmfork_patience vmfork_patience_close = {
	TASK_UNINTERRUPTIBLE, 10 * HZ, HZ / 50
};

int vmfork_fork_lock(void)
{
	return wait_event_state(vmfork_wait, mutex_trylock(&vmfork_fork_mutex),
				(TASK_KILLABLE | TASK_FREEZABLE)) ? -EINTR : 0;
}

void vmfork_fork_unlock(void)
{
	mutex_unlock(&vmfork_fork_mutex);
	wake_up_all(&vmfork_wait);
}

u64 vmfork_epoch(void)
{
	return channel.epoch;
}

int vmfork_channel_status(void)
{
	if (!channel.transport)
		return -ENODEV;
	return channel.dead ? -EIO : 0;
}

int vmfork_channel_current(u64 epoch)
{
	if (!channel.transport)
		return -ENODEV;
	if (epoch != channel.epoch)
		return -ESTALE;
	return channel.dead ? -EIO : 0;
}

int vmfork_epoch_now(u64 *ret)
{
	int r;

	raw_spin_lock(&vmfork_lock);
	r = vmfork_channel_status();
	*ret = channel.epoch;
	raw_spin_unlock(&vmfork_lock);
	return r;
}

struct vmfork_channel *vmfork_channel_region(void)
{
	return channel.transport ? channel.transport->region : NULL;
}

const struct vmfork_layout *vmfork_channel_layout(void)
{
	return &channel.layout;
}

u8 *vmfork_channel_avoid(void)
{
	return channel.transport->region + VMFORK_CHANNEL_BITMAPS;
}

u8 *vmfork_channel_free_set(void)
{
	return vmfork_channel_avoid() + channel.layout.bitmap_bytes;
}

bool vmfork_channel_suspends(void)
{
	return channel.transport->ops->suspends;
}

u64 vmfork_channel_wall(void)
{
	u64 (*wall)(void) = channel.transport->ops->wall;

	return wall ? wall() : 0;
}

void vmfork_channel_bell(void)
{
	channel.transport->ops->ring(channel.transport);
}

void vmfork_channel_kill(const char *why)
{
	if (!channel.dead)
		pr_err("the host broke the channel's rules (%s): it is shut\n", why);
	channel.dead = true;
}

int vmfork_channel_put(u32 type, u64 cookie, const void *payload, u32 len)
{
	struct vmfork_msg head = {
		.type = cpu_to_le32(type),
		.len = cpu_to_le32(len),
		.cookie = cpu_to_le64(cookie),
	};
	struct vmfork_channel *region = vmfork_channel_region();
	u32 at = channel.g2h_head;
	u32 tail;
	u8 *ring;

	if (vmfork_channel_status())
		return vmfork_channel_status();
	/* room is used only after the host has let go of it */
	tail = le32_to_cpu(virt_load_acquire(&region->g2h.tail));
	if (!vmfork_ring_sane(at, tail)) {
		vmfork_channel_kill("bad index");
		return -EIO;
	}
	if (vmfork_ring_room(at, tail) < vmfork_ring_footprint(len))
		return -EAGAIN;
	ring = (u8 *)region + VMFORK_CHANNEL_G2H;
	vmfork_ring_write(ring, at, &head, sizeof(head));
	vmfork_ring_write(ring, at + sizeof(head), payload, len);
	channel.g2h_head = at + vmfork_ring_footprint(len);
	/* the message before its head */
	virt_store_release(&region->g2h.head, cpu_to_le32(channel.g2h_head));
	virt_mb();	/* the host stores its tail, then looks at our head once more */
	if (le32_to_cpu(READ_ONCE(region->g2h.tail)) == at)
		vmfork_channel_bell();
	return 0;
}

int vmfork_channel_take(struct vmfork_ring_msg *msg, void *payload)
{
	struct vmfork_channel *region = vmfork_channel_region();
	const u8 *ring;
	u32 head, from;
	int r;

	if (vmfork_channel_status())
		return vmfork_channel_status();
	ring = (u8 *)region + VMFORK_CHANNEL_H2G;
	virt_mb();	/* our last tail before their head */
	head = le32_to_cpu(virt_load_acquire(&region->h2g.head));
	r = vmfork_ring_peek(ring, head, channel.h2g_tail, msg);
	if (r == -EAGAIN)
		return r;
	if (r || !vmfork_layout_h2g_fits(msg->type, msg->len)) {
		vmfork_channel_kill("bad message");
		return -EIO;
	}
	vmfork_ring_read(ring, channel.h2g_tail + sizeof(struct vmfork_msg), payload, msg->len);
	from = channel.h2g_tail;
	channel.h2g_tail += vmfork_ring_footprint(msg->len);
	/* what was read before the room it leaves */
	virt_store_release(&region->h2g.tail, cpu_to_le32(channel.h2g_tail));
	if (vmfork_ring_relieved(head, from, channel.h2g_tail))
		vmfork_channel_bell();
	return 0;
}

void vmfork_channel_restart(void)
{
	channel.g2h_head = 0;
	channel.h2g_tail = 0;
	channel.dead = false;
	channel.epoch++;
}

void vmfork_channel_poll(void)
{
	mod_delayed_work(vmfork_wq, &receive_work, 0);
}

void vmfork_channel_poll_later(void)
{
	queue_delayed_work(vmfork_wq, &receive_work, HZ / 50);
}

void vmfork_channel_interrupt(void)
{
	vmfork_channel_poll();
}

int vmfork_wait_until(int (*check)(void *arg), void *arg, const struct vmfork_patience *p)
{
	unsigned long end = jiffies + p->timeout;
	DEFINE_WAIT(wait);
	int r;

	for (;;) {
		/* a fork over Xen freezes all tasks, those that wait for the host too */
		prepare_to_wait(&vmfork_wait, &wait, p->state | TASK_FREEZABLE);
		r = check(arg);
		if (r != -EAGAIN)
			break;
		r = -ERESTARTSYS;
		if (signal_pending_state(p->state, current))
			break;
		r = -ETIMEDOUT;
		if (p->timeout != MAX_SCHEDULE_TIMEOUT && time_after(jiffies, end))
			break;
		if (!schedule_timeout(p->slice))
			vmfork_channel_poll();
	}
	finish_wait(&vmfork_wait, &wait);
	return r;
}

struct send {
	u64 epoch;
	u32 type;
	const void *payload;
	u32 len;
};

static int try_send(void *arg)
{
	struct send *s = arg;
	int r;

	raw_spin_lock(&vmfork_lock);
	r = vmfork_channel_current(s->epoch);
	if (!r)
		r = vmfork_channel_put(s->type, 0, s->payload, s->len);
	raw_spin_unlock(&vmfork_lock);
	return r;
}

int vmfork_channel_send(u64 epoch, u32 type, const void *payload, u32 len,
			const struct vmfork_patience *p)
{
	struct send s = { epoch, type, payload, len };

	return vmfork_wait_until(try_send, &s, p);
}

static int say_hello(void)
{
	static const struct vmfork_patience p = { TASK_KILLABLE, HZ, HZ / 50 };
	struct vmfork_msg_hello hello = {
		.version = cpu_to_le32(VMFORK_CHANNEL_VERSION),
		.cpus = cpu_to_le32(num_online_cpus()),
		.features = cpu_to_le64(vmfork_features()),
		.hazards = cpu_to_le64(vmfork_avoid_hazards()),
	};

	strscpy(hello.release, init_utsname()->release, sizeof(hello.release));
	return vmfork_channel_send(channel.epoch, VMFORK_G2H_HELLO, &hello, sizeof(hello), &p);
}

static int read_constants(struct vmfork_transport *t, struct vmfork_layout *layout)
{
	struct vmfork_channel *copy;
	int r;

	if (t->size < VMFORK_CHANNEL_BITMAPS)
		return -ENODEV;
	copy = kmemdup(t->region, sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	r = vmfork_layout_parse(copy, t->size, layout);
	if (!r)
		vmfork_identity_attach(layout, &copy->fork);
	kfree(copy);
	return r;
}

static void use(struct vmfork_transport *t, const struct vmfork_layout *layout)
{
	struct vmfork_channel *region = t->region;

	raw_spin_lock(&vmfork_lock);
	channel.transport = t;
	channel.layout = *layout;
	channel.dead = false;
	channel.g2h_head = le32_to_cpu(READ_ONCE(region->g2h.head));
	channel.h2g_tail = le32_to_cpu(READ_ONCE(region->h2g.tail));
	raw_spin_unlock(&vmfork_lock);
}

static void unuse(void)
{
	raw_spin_lock(&vmfork_lock);
	channel.transport = NULL;
	memset(&channel.layout, 0, sizeof(channel.layout));
	channel.epoch++;
	raw_spin_unlock(&vmfork_lock);
	wake_up_all(&vmfork_wait);
}

static bool is_clone(void)
{
	struct vmfork_identity id;

	vmfork_identity_get(&id);
	return id.depth;
}

int vmfork_channel_attach(struct vmfork_transport *t)
{
	struct vmfork_layout layout = { };
	int r;

	mutex_lock(&vmfork_fork_mutex);
	r = -EBUSY;
	if (channel.transport)
		goto unlock;
	r = read_constants(t, &layout);
	if (r == -EPROTO)
		pr_err("%s: a channel with constants that cannot be right\n", t->ops->name);
	if (r)
		goto unlock;
	vmfork_forkpoint_attach(t->region);
	vmfork_told_read(t->region);
	use(t, &layout);
	r = say_hello();
	if (r) {
		unuse();
		goto unlock;
	}
	vmfork_avoid_attach(vmfork_channel_avoid(), layout.gfns, is_clone());
	pr_info("%s channel, tickets of up to %u clones\n", t->ops->name, layout.clones_max);
unlock:
	vmfork_fork_unlock();
	if (!r)
		vmfork_channel_poll();
	return r;
}

void vmfork_channel_detach(struct vmfork_transport *t)
{
	mutex_lock(&vmfork_fork_mutex);
	if (channel.transport == t) {
		vmfork_avoid_detach();
		unuse();
	}
	vmfork_fork_unlock();
	cancel_delayed_work_sync(&receive_work);
}

int vmfork_channel_init(void)
{
	vmfork_wq = alloc_workqueue("vmfork", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return vmfork_wq ? 0 : -ENOMEM;
}

void vmfork_channel_exit(void)
{
	cancel_delayed_work_sync(&receive_work);
	destroy_workqueue(vmfork_wq);
}
