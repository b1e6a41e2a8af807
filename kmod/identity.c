// SPDX-License-Identifier: GPL-2.0
/* Who this machine is: handles, generation, random numbers, time of day. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "channel.h"
#include "generation.h"
#include "identity.h"
#include "lineage.h"

static struct vmfork_identity identity;	/* vmfork_lock, or the fork point */
static u64 serial;			/* bumped when this machine becomes a clone */
static struct file *urandom;		/* vmfork_fork_mutex */

/* The block is zeros until the first fork point; then it holds what
 * vmfork_identity_record() left. */
void vmfork_identity_attach(const struct vmfork_layout *layout, const struct vmfork_fork *fork)
{
	struct vmfork_identity id = { };

	id.family = layout->family;
	id.vm = layout->vm;
	if (fork->vm && le32_to_cpu(fork->state) == VMFORK_FORK_IDLE) {
		id.id = le32_to_cpu(fork->id);
		id.depth = le32_to_cpu(fork->depth);
		id.clones = le32_to_cpu(fork->clones);
		id.family = le64_to_cpu(fork->family);
		id.vm = le64_to_cpu(fork->vm);
		id.parent = le64_to_cpu(fork->parent);
		id.checkpoint = le64_to_cpu(fork->checkpoint);
	}
	raw_spin_lock(&vmfork_lock);
	id.generation = max_t(u64, identity.generation, id.depth);
	identity = id;
	vmfork_lineage_attach(&identity);
	vmfork_generation_update(&identity);
	raw_spin_unlock(&vmfork_lock);
}

u64 vmfork_identity_get(struct vmfork_identity *ret)
{
	u64 s;

	raw_spin_lock(&vmfork_lock);
	*ret = identity;
	s = serial;
	raw_spin_unlock(&vmfork_lock);
	return s;
}

/* in the fork point */
u64 vmfork_identity_vm(void)
{
	return identity.vm;
}

u64 vmfork_identity_serial(void)
{
	return READ_ONCE(serial);
}

int vmfork_identity_prepare(void)
{
	struct file *f;

	if (urandom)
		return 0;
	f = filp_open("/dev/urandom", O_RDWR, 0);
	if (IS_ERR(f))
		return PTR_ERR(f);
	if (!f->f_op->unlocked_ioctl) {
		filp_close(f, NULL);
		return -ENODEV;
	}
	urandom = f;
	return 0;
}

/* A pool that is not ready yet cannot be reseeded: a clone's would be its parent's. */
int vmfork_identity_await_random(void)
{
	return rng_is_initialized() ? 0 : wait_for_random_bytes();
}

/* add_device_randomness() alone is used at the next reseed, which may be minutes off */
void vmfork_identity_reseed(const u8 *seed, size_t len)
{
	long r;

	add_device_randomness(seed, len);
	r = urandom->f_op->unlocked_ioctl(urandom, RNDRESEEDCRNG, 0);
	if (r)
		pr_warn("cannot reseed the random number generator: %ld\n", r);
}

void vmfork_identity_passed(void)
{
	identity.generation++;
	vmfork_generation_update(&identity);
}

void vmfork_identity_become(const struct vmfork_fork *fork)
{
	vmfork_lineage_push(&identity);
	identity.id = le32_to_cpu(fork->id);
	identity.depth = le32_to_cpu(fork->depth);
	identity.family = le64_to_cpu(fork->family);
	identity.vm = le64_to_cpu(fork->vm);
	identity.parent = le64_to_cpu(fork->parent);
	identity.checkpoint = le64_to_cpu(fork->checkpoint);
	identity.clones = le32_to_cpu(fork->clones);
	identity.generation++;
	serial++;
	vmfork_generation_update(&identity);
}

void vmfork_identity_record(struct vmfork_fork *fork)
{
	fork->id = cpu_to_le32(identity.id);
	fork->depth = cpu_to_le32(identity.depth);
	fork->clones = cpu_to_le32(identity.clones);
	fork->family = cpu_to_le64(identity.family);
	fork->vm = cpu_to_le64(identity.vm);
	fork->parent = cpu_to_le64(identity.parent);
	fork->checkpoint = cpu_to_le64(identity.checkpoint);
}

void vmfork_identity_set_clock(u64 realtime_ns, ktime_t then)
{
	struct timespec64 now;
	int r;

	if (!realtime_ns)
		return;
	now = ns_to_timespec64(realtime_ns + ktime_to_ns(ktime_sub(ktime_get(), then)));
	r = do_settimeofday64(&now);
	if (r)
		pr_warn("cannot set the clock: %d\n", r);
}

/* A missing /dev is no error yet: the first fork tries again. */
int vmfork_identity_init(void)
{
	int r = vmfork_generation_init();

	if (!r)
		vmfork_identity_prepare();
	return r;
}

void vmfork_identity_exit(void)
{
	if (urandom)
		filp_close(urandom, NULL);
	urandom = NULL;
	vmfork_generation_exit();
}
