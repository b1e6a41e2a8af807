/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's end of a VM's ivshmem device: what an ivshmem-server would do. */
#ifndef VMFORK_IVSHMEM_H
#define VMFORK_IVSHMEM_H

#include <stdint.h>

/**
 * DOC: The ivshmem server side
 *
 * QEMU reads 8-byte messages, some with a descriptor, from a stream socket
 * (docs/specs/ivshmem-spec.txt): version, own ID, the memory; then one (peer,
 * eventfd) per vector of each peer. Realizing the device blocks until the memory has
 * come, so ivshmem_send_memory() goes first, before QEMU even starts.
 *
 * In a clone under KVM, vectors that come before the device state are lost: loading
 * writes the MSI-X table behind the device's back, and no irqfd is made. So a clone
 * gets its vectors after its state and before it runs.
 */
#define IVSHMEM_HOST_PEER	1
#define IVSHMEM_GUEST_PEER	0

/**
 * struct ivshmem - one device.
 * @sock:	our end, or -1
 * @qemu:	QEMU's end until it has started, then -1
 * @bell:	eventfd: the guest rings the host
 * @kick:	eventfd: the host rings the guest
 */
struct ivshmem {
	int sock;
	int qemu;
	int bell;
	int kick;
};

#define IVSHMEM_NONE ((struct ivshmem){ -1, -1, -1, -1 })

int ivshmem_open(struct ivshmem *iv);
/** ivshmem_close() - all that is not -1. */
void ivshmem_close(struct ivshmem *iv);
int ivshmem_send_memory(const struct ivshmem *iv, int memory);
int ivshmem_send_vectors(const struct ivshmem *iv);
/** ivshmem_read_by_qemu() - 1: QEMU has read all that was sent, 0: not yet. */
int ivshmem_read_by_qemu(const struct ivshmem *iv);
void ivshmem_kick(const struct ivshmem *iv);
/** ivshmem_rang() - clear the bell. */
void ivshmem_rang(const struct ivshmem *iv);

#endif /* VMFORK_IVSHMEM_H */
