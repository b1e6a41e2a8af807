// SPDX-License-Identifier: GPL-2.0
/* The channel over Xen: frames of the guest that the host maps, and an event channel. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#ifdef CONFIG_X86
#include <asm/x86_init.h>
#endif
#include <xen/events.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "channel.h"
#include "suspend.h"

/**
 * DOC: The device "vmfork" on xenbus
 *
 *   back end    size            bytes of the region
 *   front end   region          its frames, in order: "GFN+COUNT ..." in hex
 *               event-channel   the doorbell, both ways
 *
 *   front end Initialised   region and event-channel are written
 *   back end Connected      it has mapped the frames and written the constants
 *   front end Connected     the channel is in use
 *   front end Closing       it is not any more; back end Closed: frames unmapped
 *
 * The host maps the frames by their numbers, not by grants: of a clone it writes them
 * before the clone has run and could grant anything, and it has to be able to map all
 * of the machine anyway.
 *
 * After a resume that was not cancelled, in a clone above all, only the event channel is
 * new: the host has mapped the frames already, and the channel stays attached.
 */
#define CHUNK_ORDER	8		/* 1 MiB at once, if there is as much */
#define EXTENTS_MAX	3000		/* bytes; a value in xenstore has 4096 */
#define CLOSE_TIMEOUT	(5 * HZ)

struct xenfront {
	struct vmfork_transport transport;
	struct xenbus_device *dev;
	struct page **pages;
	unsigned int npages;
	int irq;
	bool attached;
	wait_queue_head_t state_changed;
};

static void xen_ring(struct vmfork_transport *t)
{
	struct xenfront *x = container_of(t, struct xenfront, transport);

	notify_remote_via_irq(x->irq);
}

/* What xen_init_time_common() has put there: it reads the domain's shared page. */
static u64 xen_wall(void)
{
	struct timespec64 now = { 0 };

#ifdef CONFIG_X86
	x86_platform.get_wallclock(&now);
#endif
	return now.tv_sec > 0 ? timespec64_to_ns(&now) : 0;
}

static const struct vmfork_transport_ops xen_ops = {
	.name = "Xen",
	.suspends = true,
	.ring = xen_ring,
	.wall = xen_wall,
};

static irqreturn_t xen_irq(int irq, void *data)
{
	vmfork_channel_interrupt();
	return IRQ_HANDLED;
}

static void free_region(struct xenfront *x)
{
	vunmap(x->transport.region);
	while (x->npages)
		__free_page(x->pages[--x->npages]);
	kvfree(x->pages);
}

/* Return: how many pages were added, 0: there is no memory */
static unsigned int add_chunk(struct xenfront *x, unsigned int wanted)
{
	unsigned int order = min_t(unsigned int, ilog2(wanted), CHUNK_ORDER);
	struct page *page = NULL;

	for (;; order--) {
		page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, order);
		if (page || !order)
			break;
	}
	if (!page)
		return 0;
	split_page(page, order);
	for (unsigned int i = 0; i < 1U << order; i++)
		x->pages[x->npages++] = page + i;
	return 1U << order;
}

static int alloc_region(struct xenfront *x, size_t size)
{
	unsigned int left = size >> PAGE_SHIFT;

	x->pages = kvcalloc(left, sizeof(*x->pages), GFP_KERNEL);
	if (!x->pages)
		return -ENOMEM;
	while (left) {
		unsigned int added = add_chunk(x, left);

		if (!added)
			return -ENOMEM;
		left -= added;
	}
	x->transport.region = vmap(x->pages, x->npages, VM_MAP, PAGE_KERNEL);
	x->transport.size = size;
	return x->transport.region ? 0 : -ENOMEM;
}

static char *region_extents(const struct xenfront *x)
{
	char *text = kmalloc(EXTENTS_MAX, GFP_KERNEL);
	unsigned int i = 0, n;
	size_t len = 0;

	if (!text)
		return NULL;
	while (i < x->npages && len < EXTENTS_MAX - 1) {
		unsigned long gfn = xen_page_to_gfn(x->pages[i]);

		for (n = 1; i + n < x->npages && xen_page_to_gfn(x->pages[i + n]) == gfn + n; n++)
			;
		len += scnprintf(text + len, EXTENTS_MAX - len, "%lx+%x ", gfn, n);
		i += n;
	}
	if (i == x->npages && len < EXTENTS_MAX - 1)
		return text;
	pr_err("memory is too fragmented for a channel\n");
	kfree(text);
	return NULL;
}

static void close_irq(struct xenfront *x)
{
	if (x->irq > 0)
		unbind_from_irqhandler(x->irq, x);
	x->irq = 0;
}

static int open_irq(struct xenfront *x, evtchn_port_t *port)
{
	int r = xenbus_alloc_evtchn(x->dev, port);

	if (r)
		return r;
	r = bind_evtchn_to_irqhandler(*port, xen_irq, 0, "vmfork", x);
	if (r < 0) {
		xenbus_free_evtchn(x->dev, *port);
		return r;
	}
	x->irq = r;
	return 0;
}

static int publish(struct xenfront *x)
{
	char *extents = region_extents(x);
	evtchn_port_t port;
	int r;

	if (!extents)
		return -ENOMEM;
	r = open_irq(x, &port);
	if (!r)
		r = xenbus_write(XBT_NIL, x->dev->nodename, "region", extents);
	if (!r)
		r = xenbus_printf(XBT_NIL, x->dev->nodename, "event-channel", "%u", port);
	kfree(extents);
	return r ? r : xenbus_switch_state(x->dev, XenbusStateInitialised);
}

static int xen_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	unsigned int size = xenbus_read_unsigned(dev->otherend, "size", 0);
	struct xenfront *x;
	int r;

	if (!size || !PAGE_ALIGNED(size))
		return -ENODEV;
	x = kzalloc(sizeof(*x), GFP_KERNEL);
	if (!x)
		return -ENOMEM;
	x->dev = dev;
	x->transport.ops = &xen_ops;
	init_waitqueue_head(&x->state_changed);
	r = alloc_region(x, size);
	dev_set_drvdata(&dev->dev, x);
	if (!r)
		r = publish(x);
	if (!r)
		return 0;
	close_irq(x);
	free_region(x);
	kfree(x);
	xenbus_dev_fatal(dev, r, "cannot offer a channel");
	return r;
}

static void connect(struct xenfront *x)
{
	int r = x->attached ? 0 : vmfork_channel_attach(&x->transport);

	if (r) {
		xenbus_dev_error(x->dev, r, "no channel");
		return;
	}
	x->attached = true;
	xenbus_switch_state(x->dev, XenbusStateConnected);
	vmfork_channel_poll();
}

static void disconnect(struct xenfront *x)
{
	if (x->attached)
		vmfork_channel_detach(&x->transport);
	x->attached = false;
}

static void xen_otherend_changed(struct xenbus_device *dev, enum xenbus_state state)
{
	struct xenfront *x = dev_get_drvdata(&dev->dev);

	wake_up_all(&x->state_changed);
	switch (state) {
	case XenbusStateConnected:
		if (dev->state == XenbusStateInitialised)
			connect(x);
		break;
	case XenbusStateClosing:
		disconnect(x);
		xenbus_frontend_closed(dev);
		break;
	default:
		break;
	}
}

static int xen_resume(struct xenbus_device *dev)
{
	struct xenfront *x = dev_get_drvdata(&dev->dev);

	close_irq(x);
	return publish(x);
}

static bool is_unmapped(struct xenfront *x)
{
	enum xenbus_state state = xenbus_read_driver_state(x->dev->otherend);

	return state == XenbusStateClosed || state == XenbusStateUnknown;
}

static void xen_remove(struct xenbus_device *dev)
{
	struct xenfront *x = dev_get_drvdata(&dev->dev);

	disconnect(x);
	xenbus_switch_state(dev, XenbusStateClosing);
	if (wait_event_timeout(x->state_changed, is_unmapped(x), CLOSE_TIMEOUT))
		free_region(x);
	else
		pr_warn("the host does not let go of the channel: its pages are lost\n");
	close_irq(x);
	xenbus_switch_state(dev, XenbusStateClosed);
	kfree(x);
}

static const struct xenbus_device_id xen_ids[] = {
	{ "vmfork" },
	{ "" }
};

static struct xenbus_driver xen_driver = {
	.name = "vmfork",
	.ids = xen_ids,
	.probe = xen_probe,
	.remove = xen_remove,
	.resume = xen_resume,
	.otherend_changed = xen_otherend_changed,
	.not_essential = true,
	.allow_rebind = true,
};

int vmfork_xen_register(void)
{
	int r;

	if (!xen_hvm_domain())
		return 0;
	vmfork_suspend_init();
	r = xenbus_register_frontend(&xen_driver);
	if (r)
		vmfork_suspend_exit();
	return r;
}

void vmfork_xen_unregister(void)
{
	if (!xen_hvm_domain())
		return;
	xenbus_unregister_driver(&xen_driver);
	vmfork_suspend_exit();
}

MODULE_ALIAS("xen:vmfork");
