// SPDX-License-Identifier: GPL-2.0-or-later
/* The bridge of a family: made for its first machine, gone with its last. */
#include "network_family.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filter.h"
#include "log.h"
#include "network_names.h"
#include "options.h"
#include "util.h"

struct network_family network_families[NETWORK_FAMILIES_MAX];

static void alias_of_ours(char *buf, size_t len)
{
	snprintf(buf, len, "vmfork:%.240s", opt.runtime_dir);
}

/* Which link's forwarding we turned on outlives us in a file: the keeper may be killed. */
static void uplink_path(char *buf, size_t len)
{
	snprintf(buf, len, "%s/uplink", opt.runtime_dir);
}

static int remember_uplink(const char *name)
{
	char path[OPT_PATH_MAX + 16];
	_cleanup_close_ int fd = -1;

	uplink_path(path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		return -errno;
	return 0;
}

static void uplink_off(void)
{
	char path[OPT_PATH_MAX + 16], name[NET_NAME_MAX] = "";
	_cleanup_close_ int fd = -1;
	ssize_t n;

	uplink_path(path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	if (n <= 0)
		return;
	iface_set_forwarding(name, false);
	filter_del_uplink(name);
	unlink(path);
}

/* Rules before forwarding. Nothing is lost but the way outwards if this fails. */
static void uplink_on(void)
{
	char name[NET_NAME_MAX];
	int r = iface_uplink(name);

	if (r < 0) {
		log_warn("network: no default route: families reach nothing outside this host");
		return;
	}
	if (iface_forwarding(name) == 1)
		return;
	uplink_off();	/* of an earlier default route */
	r = remember_uplink(name);
	r = r ? r : filter_add_uplink(name);
	r = r ? r : iface_set_forwarding(name, true);
	if (r < 0) {
		log_warn("network: %s: forwarding stays off: %s", name, strerror(-r));
		uplink_off();
	} else {
		log_info("network: %s: forwarding turned on, for families only", name);
	}
}

struct network_family *network_family_find(uint64_t family)
{
	for_each_network_family(f)
		if (f->family == family)
			return f;
	return NULL;
}

static bool slot_used(unsigned int slot)
{
	for_each_network_family(f)
		if (f->slot == slot)
			return true;
	return false;
}

static unsigned int count(void)
{
	unsigned int n = 0;

	for_each_network_family(f)
		n++;
	return n;
}

static struct network_family *fill(uint64_t family, unsigned int slot)
{
	for (unsigned int i = 0; i < NETWORK_FAMILIES_MAX; i++) {
		struct network_family *f = &network_families[i];

		if (f->family)
			continue;
		f->family = family;
		f->slot = slot;
		f->subnet = net_subnet(&opt.net_pool, slot);
		snprintf(f->bridge, sizeof(f->bridge), "vfb%u", slot);
		snprintf(f->taps, sizeof(f->taps), "vft%u.", slot);
		return f;
	}
	return NULL;
}

static int make_bridge(const struct network_family *f)
{
	struct filter_family rules = {
		.name = f->bridge, .taps = f->taps, .family = f->family, .subnet = f->subnet,
		.isolated = opt.net_isolated,
	};
	char alias[OPT_PATH_MAX + 16];
	uint8_t mac[NET_MAC_LEN];
	int r = iface_taken(f->subnet, NET_SUBNET_PREFIX);

	if (r)
		return r < 0 ? r : -EADDRINUSE;
	alias_of_ours(alias, sizeof(alias));
	net_bridge_mac(f->family, mac);
	r = iface_add_bridge(f->bridge, alias, mac, net_gateway(f->subnet), NET_SUBNET_PREFIX);
	if (r < 0)
		return r;
	filter_del(f->bridge);
	r = filter_add(&rules);
	if (r < 0)
		iface_del(f->bridge);
	return r;
}

/* The first subnet that the host does not use: others may be another vmforkd's. */
static int make(uint64_t family, struct network_family **ret)
{
	unsigned int slots = net_pool_subnets(&opt.net_pool);
	int r = -EADDRNOTAVAIL;

	for (unsigned int slot = 0; slot < slots; slot++) {
		struct network_family *f = slot_used(slot) ? NULL : fill(family, slot);

		if (!f)
			continue;
		r = make_bridge(f);
		if (r == 0) {
			*ret = f;
			return 0;
		}
		f->family = 0;
		if (r != -EADDRINUSE && r != -EEXIST)
			return r;
	}
	log_err("network: every subnet of the pool is in use: see --net-pool");
	return r == -EADDRINUSE || r == -EEXIST ? -EADDRNOTAVAIL : r;
}

int network_family_get(uint64_t family, struct network_family **ret)
{
	char subnet[NET_ADDRESS_STRLEN];
	int r;

	*ret = network_family_find(family);
	if (*ret)
		return 0;
	r = make(family, ret);
	if (r < 0)
		return r;
	uplink_on();
	log_info("network: family %" PRIu64 ": %s, %s/%d", family, (*ret)->bridge,
		 net_address_str((*ret)->subnet, subnet), NET_SUBNET_PREFIX);
	network_names_start(*ret);
	return 0;
}

struct network_family *network_family_adopt(uint64_t family, unsigned int slot)
{
	struct network_family *f = network_family_find(family);

	if (f)
		return f->slot == slot ? f : NULL;
	if (slot >= net_pool_subnets(&opt.net_pool) || slot_used(slot))
		return NULL;
	return fill(family, slot);
}

static void remove_bridge(const char *bridge)
{
	filter_del(bridge);
	iface_del(bridge);
}

void network_family_put(struct network_family *f)
{
	network_names_stop(f);
	remove_bridge(f->bridge);
	f->family = 0;
	if (count() == 0)
		uplink_off();
}

static void remove_stale(const char *bridge)
{
	for_each_network_family(f)
		if (!strcmp(f->bridge, bridge))
			return;
	log_warn("network: %s is left from before: removed", bridge);
	remove_bridge(bridge);
}

void network_families_settle(void)
{
	char alias[OPT_PATH_MAX + 16];

	alias_of_ours(alias, sizeof(alias));
	iface_each_alias(alias, remove_stale);
	for_each_network_family(f)
		network_names_start(f);
	network_names_changed();
	if (count() == 0)
		uplink_off();
}
