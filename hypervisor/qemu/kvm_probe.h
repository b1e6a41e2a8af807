/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this host's KVM run a stock kernel, and at a speed that is worth it? */
#ifndef VMFORK_KVM_PROBE_H
#define VMFORK_KVM_PROBE_H

#include <stddef.h>

/** kvm_probe() - try it, in a process of its own, for two seconds at most.
 * @why:	one line either way, "kvm: ..."
 * Return: 0 yes; -ENODEV there is none; -EACCES; -EOPNOTSUPP it cannot; -ETIME it
 * can, but so slowly that only who asks for it by name should get it. */
int kvm_probe(char *why, size_t len);

#endif /* VMFORK_KVM_PROBE_H */
