/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control role's line to vmfork-pager, and what the pager must know. */
#ifndef VMFORKD_PAGER_CLIENT_H
#define VMFORKD_PAGER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * DOC: What the pager is told again
 *
 * Every ADD request is remembered with its descriptors until its DEL, here and as
 * "pager.HANDLE.KIND.N" in the keeper's store (KIND "i" or "c"; N "req" for the
 * request itself, in a memfd). On a connection to a new pager all is said again:
 * images in the order of their handles (a lower one is always older), then clones.
 * Answers that the old pager owed become -EIO, but for ADDs, which the new one
 * answers in its place.
 */

/** pager_restore() - remember again what the keeper's store has. */
void pager_restore(void);
/** pager_connected() - @fd: a connection to a pager that was (re)started; taken. */
void pager_connected(int fd);
/** pager_attach() - say all that is remembered, and serve it from the event loop. */
void pager_attach(void);
/** pager_forget_unknown() - DEL what belongs to no object any more. */
void pager_forget_unknown(bool (*image_known)(uint64_t), bool (*clone_known)(uint64_t));

#endif /* VMFORKD_PAGER_CLIENT_H */
