// SPDX-License-Identifier: GPL-2.0-or-later
/* What this hypervisor can do for clones: tried on a domain that is made for that. */
#include "abilities.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xencall.h>
#include <xenctrl.h>
#include <xen/hvm/params.h>

#include "mark.h"

#define RING_GFN	0x10UL
#define MEMORY_KIB	256U
#define HAP_MIB		4U

static int make_domain(xc_interface *xc, uint32_t *domid)
{
	struct xen_domctl_createdomain cfg = {
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1, .max_evtchn_port = 1023, .max_grant_frames = 4,
		.max_maptrack_frames = 4, .grant_opts = XEN_DOMCTL_GRANT_version(2),
		.arch.emulation_flags = XEN_X86_EMU_LAPIC,
	};
	unsigned int mib = HAP_MIB;

	if (xc_domain_create(xc, domid, &cfg))
		return -errno;
	if (xc_domain_max_vcpus(xc, *domid, 1) ||
	    xc_shadow_control(xc, *domid, XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, &mib, 0) < 0 ||
	    xc_domain_setmaxmem(xc, *domid, MEMORY_KIB))
		return -errno;
	return 0;
}

static int enable(xc_interface *xc, uint32_t domid)
{
	xen_pfn_t ring = RING_GFN;
	uint32_t port;

	if (xc_domain_populate_physmap_exact(xc, domid, 1, 0, 0, &ring))
		return -ENOMEM;
	if (xc_hvm_param_set(xc, domid, HVM_PARAM_PAGING_RING_PFN, ring) ||
	    xc_mem_paging_enable(xc, domid, &port))
		return -errno;
	return 0;
}

static int can_mark(uint32_t domid)
{
	xencall_handle *call = xencall_open(NULL, 0);
	uint64_t gfn = 0, nr = 0;
	int r = call ? xen_mark(call, domid, &gfn, &nr) : -ENODEV;

	xencall_close(call);
	return r;
}

static void find_out(struct xen_abilities *f)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	uint32_t domid = 0;

	*f = (struct xen_abilities){ .paging = xc ? make_domain(xc, &domid) : -ENODEV };
	if (!f->paging)
		f->paging = enable(xc, domid);
	if (!f->paging)
		f->mark = can_mark(domid) == 0;
	if (domid)
		xc_domain_destroy(xc, domid);
	if (xc)
		xc_interface_close(xc);
}

const struct xen_abilities *xen_abilities(void)
{
	const char *slow = getenv("VMFORK_XEN_SLOW");
	static struct xen_abilities f;
	static bool known;

	if (known)
		return &f;
	find_out(&f);
	if (slow && !strcmp(slow, "1"))
		f.mark = false;
	known = f.paging != -ENOMEM;	/* the host's memory may be in use right now */
	return &f;
}

const char *xen_abilities_text(void)
{
	const struct xen_abilities *f = xen_abilities();

	if (f->paging == -ENOMEM)
		return "whether they can be forked is not known, as the host is out of memory";
	if (f->paging)
		return "they cannot be forked, as the hypervisor has no memory paging (CONFIG_MEM_PAGING)";
	if (f->mark)
		return "forked with the range operation for paged out memory";
	return "forked the slow way, as the hypervisor lacks vmfork's patches";
}
