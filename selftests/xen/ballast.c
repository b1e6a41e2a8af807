// SPDX-License-Identifier: GPL-2.0-or-later
/* Takes Xen's free memory away until it is told to end: vmfork-xen-ballast LEAVE-MIB. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <xenctrl.h>

/*
 * A domain that never runs has it: in pieces of 2 MiB, then of 4 KiB, which leaves what is
 * asked for to the page. "ready" on stdout says that it is done; SIGTERM and the end of
 * whoever started it give all back.
 */
#define PAGE_KIB	4U
#define BIG_ORDER	9U

static int make_domain(xc_interface *xc, uint32_t *domid)
{
	struct xen_domctl_createdomain cfg = {
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1, .max_evtchn_port = 1023, .max_grant_frames = 4,
		.max_maptrack_frames = 4, .grant_opts = XEN_DOMCTL_GRANT_version(2),
		.arch.emulation_flags = XEN_X86_EMU_LAPIC,
	};
	unsigned int mib = 16;

	if (xc_domain_create(xc, domid, &cfg) || xc_domain_max_vcpus(xc, *domid, 1) ||
	    xc_shadow_control(xc, *domid, XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, &mib, 0) < 0 ||
	    xc_domain_setmaxmem(xc, *domid, UINT32_MAX))
		return -errno;
	return 0;
}

static uint64_t free_pages(xc_interface *xc)
{
	xc_physinfo_t info;

	return xc_physinfo(xc, &info) ? 0 : info.free_pages;
}

static void take(xc_interface *xc, uint32_t domid, uint64_t leave)
{
	unsigned int order = BIG_ORDER;
	xen_pfn_t gfn = 0;

	while (free_pages(xc) > leave) {
		xen_pfn_t at = gfn;

		if (order && (free_pages(xc) - leave < 1U << order ||
			      xc_domain_populate_physmap_exact(xc, domid, 1, order, 0, &at))) {
			order = 0;
			continue;
		}
		if (!order && xc_domain_populate_physmap_exact(xc, domid, 1, 0, 0, &at))
			return;		/* somebody else was quicker */
		gfn += 1U << order;
	}
}

static void wait_for_end(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	puts("ready");
	fflush(stdout);
	sigwait(&set, &sig);
}

int main(int argc, char **argv)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	uint32_t domid = 0;
	int r;

	if (!xc || argc != 2) {
		fprintf(stderr, "usage: vmfork-xen-ballast LEAVE-MIB, in Xen's control domain\n");
		return 2;
	}
	r = make_domain(xc, &domid);
	if (r)
		fprintf(stderr, "no domain: %s\n", strerror(-r));
	else
		take(xc, domid, strtoull(argv[1], NULL, 10) * 1024 / PAGE_KIB);
	if (!r)
		wait_for_end();
	if (domid)
		xc_domain_destroy(xc, domid);
	xc_interface_close(xc);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
