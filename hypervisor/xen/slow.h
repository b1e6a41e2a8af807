/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clones on a hypervisor without our patches. */
#ifndef VMFORK_XEN_SLOW_H
#define VMFORK_XEN_SLOW_H

#include <stdint.h>
#include <xenctrl.h>

/**
 * slow_mark() - as xen_mark(), by populating, nominating and evicting each gfn.
 * Takes 1 MiB of the domain's and the host's memory while it runs.
 */
int slow_mark(xc_interface *xc, uint32_t domid, uint64_t *gfn, uint64_t *nr);

/**
 * slow_preload() - have what a resumed guest registers with Xen at once paged in.
 * @vcpus:	how many the domain has
 */
int slow_preload(xc_interface *xc, uint32_t domid, unsigned int vcpus);

#endif /* VMFORK_XEN_SLOW_H */
