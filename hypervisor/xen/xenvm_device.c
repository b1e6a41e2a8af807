// SPDX-License-Identifier: GPL-2.0-or-later
/* The back end of the guest's "vmfork" device in xenstore: kmod/transport_xen.c has the rules. */
#include "xenvm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#include "extents.h"
#include "log.h"
#include "pvh_ram.h"
#include "util.h"

int device_open(struct device *d)
{
	d->port = -1;
	d->xs = xs_open(0);
	d->evtchn = xenevtchn_open(NULL, 0);
	if (!d->xs || !d->evtchn)
		return -EIO;
	return xs_watch(d->xs, "@releaseDomain", "gone") ? 0 : -EIO;
}

int device_put(const struct device *d, const char *dir, const char *key, const char *fmt, ...)
{
	char path[128], value[128];
	va_list ap;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return xs_write(d->xs, XBT_NULL, path, value, (unsigned int)strlen(value)) ? 0 : -EIO;
}

static char *get(const struct device *d, const char *dir, const char *key)
{
	unsigned int len;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return xs_read(d->xs, XBT_NULL, path, &len);
}

/* A directory that @owner may write and @reader read. */
int device_make_dir(const struct device *d, const char *dir, unsigned int owner,
		    unsigned int reader)
{
	struct xs_permissions perms[] = {
		{ .id = owner, .perms = XS_PERM_NONE }, { .id = reader, .perms = XS_PERM_READ },
	};

	xs_mkdir(d->xs, XBT_NULL, dir);
	return xs_set_permissions(d->xs, XBT_NULL, dir, perms, ARRAY_SIZE(perms)) ? 0 : -EIO;
}

int device_make(struct device *d, uint32_t domain, uint64_t size)
{
	char path[128];
	int r;

	snprintf(d->front, sizeof(d->front), "/local/domain/%u/device/vmfork/0", domain);
	snprintf(d->back, sizeof(d->back), "/local/domain/0/backend/vmfork/%u/0", domain);
	r = device_make_dir(d, d->back, 0, domain);
	r = r ? r : device_make_dir(d, d->front, domain, 0);
	r = r ? r : device_put(d, d->back, "frontend", "%s", d->front);
	r = r ? r : device_put(d, d->back, "frontend-id", "%u", domain);
	r = r ? r : device_put(d, d->back, "online", "1");
	r = r ? r : device_put(d, d->back, "size", "%llu", (unsigned long long)size);
	r = r ? r : device_put(d, d->back, "state", "%d", XenbusStateInitWait);
	r = r ? r : device_put(d, d->front, "backend", "%s", d->back);
	r = r ? r : device_put(d, d->front, "backend-id", "0");
	r = r ? r : device_put(d, d->front, "state", "%d", XenbusStateInitialising);
	snprintf(path, sizeof(path), "%s/state", d->front);
	if (!r && !xs_watch(d->xs, path, "state"))
		r = -EIO;
	return r;
}

void device_remove(uint32_t domain)
{
	static const char *const kinds[] = { "vmfork", "vif", "qdisk" };
	struct xs_handle *xs = xs_open(0);
	char dir[64];

	for (unsigned int i = 0; xs && i < ARRAY_SIZE(kinds); i++) {
		snprintf(dir, sizeof(dir), "/local/domain/0/backend/%s/%u", kinds[i], domain);
		xs_rm(xs, XBT_NULL, dir);
	}
	xs_close(xs);
}

void device_set_state(struct device *d, int state)
{
	if (device_put(d, d->back, "state", "%d", state))
		log_err("xenstore: cannot write %s/state", d->back);
}

int device_state(const struct device *d)
{
	_cleanup_free_ char *s = get(d, d->front, "state");

	return s ? atoi(s) : XenbusStateUnknown;
}

void device_unbind(struct device *d)
{
	if (d->port >= 0)
		xenevtchn_unbind(d->evtchn, (evtchn_port_t)d->port);
	d->port = -1;
}

static int bind_bell(struct device *d, uint32_t domain)
{
	_cleanup_free_ char *port = get(d, d->front, "event-channel");

	device_unbind(d);
	if (!port)
		return -ENOENT;
	d->port = xenevtchn_bind_interdomain(d->evtchn, domain, (evtchn_port_t)strtoul(port, NULL, 10));
	return d->port < 0 ? -errno : 0;
}

int device_connect(struct device *d, uint32_t domain, uint64_t npages, uint64_t limit,
		   uint64_t **ret_gfns)
{
	_cleanup_free_ char *text = get(d, d->front, "region");
	_cleanup_free_ uint64_t *gfns = calloc(npages, sizeof(*gfns));
	int r;

	if (!text || !gfns)
		return text ? -ENOMEM : -ENOENT;
	r = extents_parse(text, gfns, npages, limit);
	for (uint64_t i = 0; !r && i < npages; i++)
		r = pvh_has_ram(gfns[i]) ? 0 : -EBADMSG;
	r = r ? r : bind_bell(d, domain);
	if (r)
		return r;
	*ret_gfns = gfns;
	gfns = NULL;
	return 0;
}
