/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime directory: made, locked, cleaned. */
#ifndef VMFORKD_RUNTIME_H
#define VMFORKD_RUNTIME_H

/** runtime_lock() - make the directory and take its lock. -EBUSY: another vmforkd. */
int runtime_lock(int *ret_fd);
/** runtime_unlock() - at the end, while the lock is held: its file goes. */
void runtime_unlock(void);
/** runtime_clean() - remove all that vmforkd makes there. */
void runtime_clean(void);
/** runtime_vm_dir() - a VM's own directory, for QEMU's user. */
int runtime_vm_dir(const char *dir);
void runtime_remove_dir(const char *dir);

#endif /* VMFORKD_RUNTIME_H */
