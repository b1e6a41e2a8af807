/* SPDX-License-Identifier: GPL-2.0 */
/* Page cache that is dropped before a fork. */
#ifndef VMFORK_DROPCACHE_H
#define VMFORK_DROPCACHE_H

#include <linux/types.h>

/** vmfork_dropcache() - drop clean page cache that nobody maps, if the fork's @flags
 * (VMFORK_CLONE_*) or the module's parameter say so. Before the fork point; sleeps. */
void vmfork_dropcache(u32 flags);

#endif /* VMFORK_DROPCACHE_H */
