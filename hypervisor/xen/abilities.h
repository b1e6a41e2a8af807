/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this hypervisor can do for clones. */
#ifndef VMFORK_XEN_ABILITIES_H
#define VMFORK_XEN_ABILITIES_H

#include <stdbool.h>

/**
 * struct xen_abilities - what a domain that was made to find out showed.
 * @paging:	0, or why there is no memory paging, without which there are no clones
 * @mark:	it has our patches: clones' pages are marked as a range, and vcpu_info is
 *		waited for. Without: the slow way (slow.h).
 */
struct xen_abilities {
	int paging;
	bool mark;
};

/**
 * xen_abilities() - found out once, which takes some milliseconds. VMFORK_XEN_SLOW=1 in the
 * environment: as without the patches.
 */
const struct xen_abilities *xen_abilities(void);

/** xen_abilities_text() - in half a line. */
const char *xen_abilities_text(void);

#endif /* VMFORK_XEN_ABILITIES_H */
