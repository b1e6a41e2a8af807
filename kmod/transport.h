/* SPDX-License-Identifier: GPL-2.0 */
/* The seam between the channel and what carries it: ivshmem, or Xen's shared frames. */
#ifndef VMFORK_TRANSPORT_H
#define VMFORK_TRANSPORT_H

#include <linux/types.h>

struct vmfork_transport;

/**
 * struct vmfork_transport_ops - what a transport does for the channel.
 * @name:	for the log
 * @suspends:	a fork stops the machine by its suspend path (suspend.c)
 * @ring:	ring the host's doorbell; any context, also with interrupts off
 * @wall:	the hypervisor's wall clock in nanoseconds, or 0; any context. NULL: it has none
 */
struct vmfork_transport_ops {
	const char *name;
	bool suspends;
	void (*ring)(struct vmfork_transport *t);
	u64 (*wall)(void);
};

/**
 * struct vmfork_transport - a mapped region and its doorbell.
 * @region:	ordinary cached memory, shared with the host
 * @size:	bytes mapped
 *
 * The transport keeps both from vmfork_channel_attach() until
 * vmfork_channel_detach() has returned, and calls vmfork_channel_interrupt() when
 * the host rings.
 */
struct vmfork_transport {
	const struct vmfork_transport_ops *ops;
	void *region;
	size_t size;
};

/** vmfork_channel_attach() - use @t as the machine's channel.
 * Return: 0; -ENODEV not a vmfork region; -EPROTO; -EBUSY there is one already. */
int vmfork_channel_attach(struct vmfork_transport *t);

/** vmfork_channel_detach() - forget @t; what waits fails with ENODEV. May sleep. */
void vmfork_channel_detach(struct vmfork_transport *t);

/** vmfork_channel_interrupt() - the host rang; any context. */
void vmfork_channel_interrupt(void);

/* each transport's driver */
int vmfork_ivshmem_register(void);
void vmfork_ivshmem_unregister(void);

#if IS_ENABLED(CONFIG_XEN_XENBUS_FRONTEND)
int vmfork_xen_register(void);
void vmfork_xen_unregister(void);
#else
static inline int vmfork_xen_register(void)
{
	return 0;
}

static inline void vmfork_xen_unregister(void)
{
}
#endif

#endif /* VMFORK_TRANSPORT_H */
