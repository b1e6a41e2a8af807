// SPDX-License-Identifier: GPL-2.0-or-later
/* The domain's network device: its two ends in xenstore. */
#include "xenvm.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>
#include <xen/io/xenbus.h>

#include "log.h"
#include "util.h"

/**
 * DOC: The vif
 *
 * What libxl and a hotplug script would do otherwise: xenstore's nodes are written here, xen-netback
 * makes the link "vifDOMAIN.0" of them, down, and vmforkd renames it and puts it into the
 * family's bridge (vm_plug_link()). "hotplug-status" only says that nobody else will do
 * something: packets pass when the link is up, and vmforkd says when.
 *
 * The guest's end reads its MAC address whenever it connects, so a clone's is right before its
 * agent runs. Checksums are always complete: DHCP clients read packets raw.
 *
 * No scatter-gather: xen-netback maps the fragments of what a guest sends in its softirq, and if one is
 * in a page that is paged out, that call sleeps, which must not be in a softirq of dom0. A clone can
 * have such fragments, file pages that nobody has touched since the fork. Without scatter-gather
 * its kernel copies them into one buffer, and is the one who waits for them.
 */
#define WAIT_TRIES	1000
#define WAIT_USEC	10000

static int make_back(const struct device *d, const char *back, const char *front, uint32_t domain,
		     const char *mac)
{
	int r = device_make_dir(d, back, 0, domain);

	r = r ? r : device_put(d, back, "frontend", "%s", front);
	r = r ? r : device_put(d, back, "frontend-id", "%u", domain);
	r = r ? r : device_put(d, back, "online", "1");
	r = r ? r : device_put(d, back, "handle", "0");
	r = r ? r : device_put(d, back, "mac", "%s", mac);
	r = r ? r : device_put(d, back, "script", "none");
	r = r ? r : device_put(d, back, "hotplug-status", "connected");
	return r ? r : device_put(d, back, "state", "%d", XenbusStateInitialising);
}

static int make_front(const struct device *d, const char *back, const char *front, uint32_t domain,
		      const char *mac)
{
	int r = device_make_dir(d, front, domain, 0);

	r = r ? r : device_put(d, front, "backend", "%s", back);
	r = r ? r : device_put(d, front, "backend-id", "0");
	r = r ? r : device_put(d, front, "handle", "0");
	r = r ? r : device_put(d, front, "mac", "%s", mac);
	r = r ? r : device_put(d, front, "feature-no-csum-offload", "1");
	return r ? r : device_put(d, front, "state", "%d", XenbusStateInitialising);
}

/* xen-netback makes it in its own time. */
static int await_link(uint32_t domain)
{
	char name[32];

	vif_name(domain, name, sizeof(name));
	for (int i = 0; i < WAIT_TRIES; i++) {
		if (if_nametoindex(name))
			return 0;
		usleep(WAIT_USEC);
	}
	log_err("%s does not appear: is xen-netback loaded?", name);
	return -ENODEV;
}

int vif_make(const struct device *d, uint32_t domain, const uint8_t m[6])
{
	char front[64], back[64], mac[18];
	int r;

	snprintf(front, sizeof(front), "/local/domain/%u/device/vif/0", domain);
	snprintf(back, sizeof(back), "/local/domain/0/backend/vif/%u/0", domain);
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	r = make_front(d, back, front, domain, mac);
	r = r ? r : make_back(d, back, front, domain, mac);
	r = r ? r : await_link(domain);
	/* xen-netback has said 1, and the guest has not run yet */
	return r ? r : device_put(d, back, "feature-sg", "0");
}
