// SPDX-License-Identifier: GPL-2.0-or-later
/* The network of machines: shut until a clone's identity is complete. */
#include "network.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"
#include "core.h"
#include "log.h"
#include "network_family.h"
#include "network_names.h"
#include "options.h"
#include "state.h"
#include "vm.h"

/* what QEMU's user-mode network gives to every machine */
#define USER_ADDRESS	0x0a00020fU
#define USER_GATEWAY	0x0a000202U
#define USER_DNS	0x0a000203U
#define USER_PREFIX	24
static const uint8_t user_mac[NET_MAC_LEN] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static bool is_bridge(const struct vm_config *c)
{
	return !strcmp(c->net, "bridge");
}

static bool is_user(const struct vm_config *c)
{
	return !strcmp(c->net, "user");
}

static void tap_name(const struct vm *vm, char name[NET_NAME_MAX])
{
	snprintf(name, NET_NAME_MAX, "vft%u.%u", vm->net.slot, vm->net.index);
}

int network_check(const struct vm_config *config, char *why, size_t len)
{
	bool taps = !core.backend->own_links;
	int r = is_bridge(config) ? iface_may(taps) : 0;

	if (r < 0)
		snprintf(why, len, "net 'bridge' needs CAP_NET_ADMIN%s (%s): run vmforkd as root, "
			 "or take net '%s'", taps ? " and /dev/net/tun" : "", strerror(-r),
			 taps ? "user" : "none");
	return r;
}

static bool index_used(uint64_t family, unsigned int index)
{
	for_each_vm(vm)
		if (vm->family == family && vm->net.used && vm->net.index == index)
			return true;
	return false;
}

/* The root VM's place stays free when it has ended: clones may still think of it. */
static int new_index(const struct vm *vm, unsigned int *ret)
{
	if (!vm->ticket) {
		*ret = 0;
		return 0;
	}
	for (unsigned int i = 1; i <= NET_INDEX_MAX; i++) {
		if (!index_used(vm->family, i)) {
			*ret = i;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

static void tell(struct vm *vm, const struct vmfork_channel_net *net)
{
	struct vmfork_clone_block *b =
		(struct vmfork_clone_block *)(vm->channel.map + VMFORK_CHANNEL_CLONE);

	memcpy(&b->net, net, sizeof(*net));
}

static void tell_user(struct vm *vm)
{
	struct vmfork_channel_net n = {
		.flags = htole32(VMFORK_NET_USER | VMFORK_NET_ADDRESS),
		.address = htonl(USER_ADDRESS), .gateway = htonl(USER_GATEWAY),
		.dns = htonl(USER_DNS), .prefix = htole32(USER_PREFIX),
	};

	memcpy(n.mac, user_mac, sizeof(n.mac));
	memcpy(n.old_mac, user_mac, sizeof(n.old_mac));
	net_label(vm->name, n.hostname, sizeof(n.hostname));
	tell(vm, &n);
}

static void tell_bridge(struct vm *vm)
{
	const struct network_family *f = network_family_find(vm->family);
	struct vmfork_channel_net n = {
		.flags = htole32(VMFORK_NET_ADDRESS),
		.address = htonl(net_address(f->subnet, vm->net.index)),
		.gateway = htonl(net_gateway(f->subnet)),
		.dns = network_names_serve() ? htonl(net_gateway(f->subnet)) : 0,
		.prefix = htole32(NET_SUBNET_PREFIX),
		.index = htole32(vm->net.index),
		.domain = NETWORK_DOMAIN,
	};

	net_mac(vm->family, vm->net.index, n.mac);
	net_mac(vm->family, vm->net.seen, n.old_mac);
	net_label(vm->name, n.hostname, sizeof(n.hostname));
	tell(vm, &n);
}

static void tell_all(struct vm *vm)
{
	if (is_user(&vm->config))
		tell_user(vm);
	else if (vm->net.used)
		tell_bridge(vm);
}

static int take_place(struct vm *vm)
{
	struct network_family *f;
	unsigned int index = 0;
	int r = new_index(vm, &index);

	r = r ? r : network_family_get(vm->family, &f);
	if (r < 0) {
		log_err("%s: no network: %s", vm->name, strerror(-r));
		return r;
	}
	vm->net = (struct vm_net){ .used = true, .slot = f->slot, .index = index, .seen = index };
	return 0;
}

int network_attach(struct vm *vm)
{
	int r = is_bridge(&vm->config) ? take_place(vm) : 0;

	if (r < 0)
		return r;
	vm->net.open = !vm->ticket;
	if (!vm->ticket)
		tell_all(vm);
	network_names_changed();
	return 0;
}

void network_detach(struct vm *vm)
{
	struct network_family *f = vm->net.used ? network_family_find(vm->family) : NULL;

	if (!vm->net.used)
		return;
	vm->net.used = false;
	network_names_changed();
	for_each_vm(other)
		if (other->family == vm->family && other->net.used)
			return;
	if (f)
		network_family_put(f);
}

int vm_open_tap(struct vm *vm, uint8_t mac[6])
{
	struct network_family *f = vm->net.used ? network_family_find(vm->family) : NULL;
	char name[NET_NAME_MAX];
	int fd, r;

	if (!f)
		return -ENODEV;
	tap_name(vm, name);
	net_mac(vm->family, vm->net.index, mac);
	fd = iface_add_tap(name, f->bridge);
	r = fd >= 0 && vm->net.open ? iface_set_up(name, true) : 0;
	if (fd < 0 || r == 0)
		return fd;
	close(fd);
	return r;
}

int vm_mac(const struct vm *vm, uint8_t mac[6])
{
	if (!vm->net.used)
		return -ENODEV;
	net_mac(vm->family, vm->net.index, mac);
	return 0;
}

int vm_plug_link(struct vm *vm, const char *link)
{
	struct network_family *f = vm->net.used ? network_family_find(vm->family) : NULL;
	char name[NET_NAME_MAX];
	int r;

	if (!f)
		return -ENODEV;
	tap_name(vm, name);
	r = iface_plug(link, name, f->bridge);
	return r == 0 && vm->net.open ? iface_set_up(name, true) : r;
}

void network_become(struct vm *vm, const struct checkpoint *cp)
{
	vm->net.seen = cp->net_seen;
	tell_all(vm);
	network_names_changed();
}

static int set_tap(struct vm *vm, bool up)
{
	char name[NET_NAME_MAX];

	tap_name(vm, name);
	return iface_set_up(name, up);
}

int network_shut(struct vm *vm)
{
	vm->net.open = false;
	if (is_user(&vm->config))
		return core.backend->set_link(vm, false, NULL);
	return vm->net.used ? set_tap(vm, false) : 0;
}

static void opened(struct vm *vm)
{
	vm->net.open = true;
	vm->net.unheard = false;
	state_changed();
}

void network_open(struct vm *vm, network_opened_fn done)
{
	int r = 0;

	vm->net.seen = vm->net.index;
	if (vm->limits.no_network) {
		state_changed();
		done(vm, 0);
		return;
	}
	opened(vm);
	if (is_user(&vm->config)) {
		r = core.backend->set_link(vm, true, done);
		if (r < 0)
			done(vm, r);
		return;
	}
	if (vm->net.used)
		r = set_tap(vm, true);
	done(vm, r);
}

void network_adopt(struct vm *vm, bool identified)
{
	if (identified)
		vm->net.seen = vm->net.index;
	if (is_user(&vm->config))
		vm->net.open = !vm->limits.no_network;
}

void network_run_unheard(struct vm *vm)
{
	int r = 0;

	if (vm->limits.no_network)
		return;
	if (is_user(&vm->config)) {
		opened(vm);
		r = core.backend->set_link(vm, true, NULL);
	} else if (vm->net.used && opt.net_without_agent) {
		opened(vm);
		r = set_tap(vm, true);
	} else if (vm->net.used) {
		vm->net.unheard = true;
		log_warn("%s: no agent in the guest: its network stays shut, as it has its "
			 "parent's addresses (see --net-without-agent)", vm->name);
	}
	if (r < 0)
		log_err("%s: its network stays shut: %s", vm->name, strerror(-r));
}

json_t *network_to_json(const struct vm *vm)
{
	if (!vm->net.used)
		return NULL;
	return json_pack("{s:i, s:i, s:i, s:b, s:b}", "slot", (int)vm->net.slot,
			 "index", (int)vm->net.index, "seen", (int)vm->net.seen,
			 "open", vm->net.open, "unheard", vm->net.unheard);
}

void network_from_json(struct vm *vm, const json_t *o)
{
	json_int_t slot, index, seen;
	char tap[NET_NAME_MAX];
	int open, unheard, up;

	if (json_unpack((json_t *)o, "{s:I, s:I, s:I, s:b, s:b}", "slot", &slot, "index", &index,
			"seen", &seen, "open", &open, "unheard", &unheard) < 0)
		return;
	if (index < 0 || index > NET_INDEX_MAX || seen < 0 || seen > NET_INDEX_MAX || slot < 0 ||
	    !network_family_adopt(vm->family, (unsigned int)slot)) {
		log_err("%s: its network of the state file makes no sense", vm->name);
		return;
	}
	vm->net = (struct vm_net){ true, (unsigned int)slot, (unsigned int)index,
		(unsigned int)seen, open, unheard };
	tap_name(vm, tap);
	up = iface_is_up(tap);	/* the file may be older than what was done last */
	if (up >= 0)
		vm->net.open = up;
}

/* What people want to know: the addresses, and whether anything passes. */
json_t *network_describe(const struct vm *vm)
{
	char address[NET_ADDRESS_STRLEN], mac[NET_MAC_STRLEN];
	const struct network_family *f = network_family_find(vm->family);
	uint8_t m[NET_MAC_LEN];

	if (is_user(&vm->config))
		return json_pack("{s:s, s:s}", "mode", vm->config.net, "link",
				 vm->net.open ? "up" : "shut");
	if (!vm->net.used || !f)
		return json_pack("{s:s}", "mode", vm->config.net);
	net_mac(vm->family, vm->net.index, m);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "mode", vm->config.net, "bridge", f->bridge, "address",
			 net_address_str(net_address(f->subnet, vm->net.index), address),
			 "mac", net_mac_str(m, mac), "index", (int)vm->net.index, "link",
			 vm->net.open ? "up" : vm->net.unheard ? "shut: no agent" : "shut");
}
