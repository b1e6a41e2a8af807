// SPDX-License-Identifier: GPL-2.0-or-later
/* Names and addresses for a family's machines: a dnsmasq on each bridge. */
#include "network_names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "core.h"
#include "keeper_client.h"
#include "log.h"
#include "options.h"
#include "runtime.h"
#include "util.h"
#include "vm.h"

#define PROGRAM		"/usr/sbin/dnsmasq"
#define ITS_USER	"dnsmasq"	/* Debian's package makes it */
#define AGAIN_USEC	1000000
#define LEASE		"1h"

static sd_event_source *writer;
static sd_event_source *again;

bool network_names_serve(void)
{
	return access(PROGRAM, X_OK) == 0;
}

static void dir_of(const struct network_family *f, char *buf, size_t len, const char *more)
{
	snprintf(buf, len, "%.200s/net/%s%s", opt.runtime_dir, f->bridge, more);
}

static void service_name(const struct network_family *f, char *buf, size_t len)
{
	snprintf(buf, len, "net%u.dnsmasq", f->slot);
}

/* Whole or not at all: dnsmasq may look at any time. Names with a dot it does not see. */
static int write_file(const char *dir, const char *name, const char *text)
{
	char new[OPT_PATH_MAX + 64], path[OPT_PATH_MAX + 64];
	_cleanup_close_ int fd = -1;
	size_t len = strlen(text);

	snprintf(new, sizeof(new), "%s/.%s", dir, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		return -EIO;
	return rename(new, path) < 0 ? -errno : 0;
}

/* A stand-by is nobody yet. */
static bool has_name(const struct vm *vm, uint64_t family)
{
	return vm->family == family && vm->net.used && vm->state != VM_DEAD &&
		(vm->clone || !vm->ticket);
}

static bool label_taken(uint64_t family, const char *label)
{
	char its[VM_NAME_MAX];

	for_each_vm(vm) {
		net_label(vm->name, its, sizeof(its));
		if (has_name(vm, family) && !strcmp(its, label))
			return true;
	}
	return false;
}

/* Tickets' handles grow: the newest fork has the highest. */
static bool newest_of_id(const struct vm *vm)
{
	if (!vm->clone)
		return false;
	for_each_vm(other)
		if (has_name(other, vm->family) && other->clone && other->id == vm->id &&
		    other->ticket > vm->ticket)
			return false;
	return true;
}

static void write_names(FILE *out, const struct network_family *f, const struct vm *vm)
{
	char address[NET_ADDRESS_STRLEN], label[VM_NAME_MAX], alias[16];

	net_label(vm->name, label, sizeof(label));
	fprintf(out, "%s %s %s." NETWORK_DOMAIN,
		net_address_str(net_address(f->subnet, vm->net.index), address), label, label);
	if (strcmp(vm->name, label))
		fprintf(out, " %s", vm->name);
	snprintf(alias, sizeof(alias), "clone%u", vm->id);
	if (newest_of_id(vm) && !label_taken(vm->family, alias))
		fprintf(out, " %s %s." NETWORK_DOMAIN, alias, alias);
	fputc('\n', out);
}

static void write_hosts(const struct network_family *f)
{
	_cleanup_free_ char *text = NULL;
	char dir[OPT_PATH_MAX + 32];
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r = -ENOMEM;

	if (out) {
		for_each_vm(vm)
			if (has_name(vm, f->family))
				write_names(out, f, vm);
		dir_of(f, dir, sizeof(dir), "/hosts");
		r = fclose(out) == 0 ? write_file(dir, "names", text) : -ENOMEM;
	}
	if (r < 0)
		log_warn("network: %s: names are not written: %s", f->bridge, strerror(-r));
}

static int on_changed(sd_event_source *s, void *data)
{
	for_each_network_family(f)
		write_hosts(f);
	return 0;
}

void network_names_changed(void)
{
	if (!writer && sd_event_add_defer(core.loop, &writer, on_changed, NULL) < 0)
		return;
	sd_event_source_set_priority(writer, SD_EVENT_PRIORITY_IDLE);
	sd_event_source_set_enabled(writer, SD_EVENT_ONESHOT);
}

static int write_dhcp(const struct network_family *f, const char *dir)
{
	char m[NET_MAC_STRLEN], a[NET_ADDRESS_STRLEN];
	_cleanup_free_ char *text = NULL;
	uint8_t mac[NET_MAC_LEN];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (unsigned int i = 0; out && i <= NET_INDEX_MAX; i++) {
		net_mac(f->family, i, mac);
		fprintf(out, "%s,%s\n", net_mac_str(mac, m),
			net_address_str(net_address(f->subnet, i), a));
	}
	return out && fclose(out) == 0 ? write_file(dir, "dhcp", text) : -ENOMEM;
}

static int make_files(const struct network_family *f)
{
	char dir[OPT_PATH_MAX + 32];

	snprintf(dir, sizeof(dir), "%.200s/net", opt.runtime_dir);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	dir_of(f, dir, sizeof(dir), "");
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	dir_of(f, dir, sizeof(dir), "/hosts");
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	write_hosts(f);
	dir_of(f, dir, sizeof(dir), "");
	return write_dhcp(f, dir);
}

/* Its own user, or the pager's; never root, and never QEMU's. */
static const struct passwd *its_user(void)
{
	const struct passwd *pw = getpwnam(ITS_USER);

	return pw && pw->pw_uid ? pw : getpwnam(opt.pager_user);
}

static int run(const struct network_family *f)
{
	char name[32], interface[48], hosts[OPT_PATH_MAX + 64], dhcp[OPT_PATH_MAX + 64];
	char range[64], subnet[NET_ADDRESS_STRLEN], mask[NET_ADDRESS_STRLEN];
	char dir[OPT_PATH_MAX + 32];
	const char *argv[] = { PROGRAM, "--keep-in-foreground", "--conf-file=/dev/null",
		"--pid-file", "--user=", "--group=", "--log-facility=-", "--quiet-dhcp",
		"--no-hosts", "--domain-needed", "--bogus-priv", "--bind-interfaces",
		"--except-interface=lo", "--domain=" NETWORK_DOMAIN,
		"--local=/" NETWORK_DOMAIN "/", "--leasefile-ro", "--dhcp-authoritative",
		"--dhcp-ignore=tag:!known", "--no-ping", interface, hosts, dhcp, range, NULL };
	const struct passwd *pw = its_user();

	if (!pw)
		return -ENOENT;
	dir_of(f, dir, sizeof(dir), "");
	service_name(f, name, sizeof(name));
	snprintf(interface, sizeof(interface), "--interface=%s", f->bridge);
	snprintf(hosts, sizeof(hosts), "--hostsdir=%s/hosts", dir);
	snprintf(dhcp, sizeof(dhcp), "--dhcp-hostsfile=%s/dhcp", dir);
	snprintf(range, sizeof(range), "--dhcp-range=%s,static,%s," LEASE,
		 net_address_str(f->subnet, subnet),
		 net_address_str(net_netmask(NET_SUBNET_PREFIX), mask));
	return keeper_spawn_service(name, (char *const *)argv, pw->pw_uid, pw->pw_gid);
}

void network_names_start(const struct network_family *f)
{
	char name[32];
	int r;

	service_name(f, name, sizeof(name));
	if (keeper_has_child(name))
		return;
	r = network_names_serve() ? make_files(f) : -ENOENT;
	r = r ? r : run(f);
	if (r < 0)
		log_warn("network: %s: neither names nor DHCP: dnsmasq: %s%s", f->bridge,
			 strerror(-r), r == -ENOENT ? " (Debian: apt install dnsmasq-base)" : "");
}

void network_names_stop(const struct network_family *f)
{
	char text[OPT_PATH_MAX + 32];

	service_name(f, text, sizeof(text));
	keeper_kill_children(text);
	dir_of(f, text, sizeof(text), "");
	runtime_remove_dir(text);
	snprintf(text, sizeof(text), "%.200s/net", opt.runtime_dir);
	rmdir(text);	/* with the last one */
}

bool network_service_wanted(const char *name)
{
	char its[32];

	for_each_network_family(f) {
		service_name(f, its, sizeof(its));
		if (!strcmp(name, its))
			return !core.stopping;
	}
	return false;
}

static int start_again(sd_event_source *s, uint64_t usec, void *data)
{
	again = sd_event_source_disable_unref(again);
	for_each_network_family(f)
		network_names_start(f);
	return 0;
}

void network_service_ended(const char *name)
{
	if (!network_service_wanted(name))
		return;
	log_warn("network: %s ended: started again", name);
	if (!again)
		sd_event_add_time_relative(core.loop, &again, CLOCK_MONOTONIC, AGAIN_USEC, 0,
					   start_again, NULL);
}
