// SPDX-License-Identifier: GPL-2.0-or-later
/* The heads of qcow2 images: an empty one for an overlay, and what a base says. */
#include "qcow2.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/**
 * DOC: An empty overlay
 *
 * qemu-img takes 30 ms for what is five clusters of almost nothing, so it is written
 * here (docs/interop/qcow2.txt in QEMU): cluster 0 the header, 1 the refcount table,
 * 2 the one refcount block, then the L1 table, all zeros. 64 KiB clusters: an L2
 * table covers 512 MiB, and 8 bytes of L1 table stand for it.
 */
#define MAGIC		0x514649fbU
#define CLUSTER_BITS	16
#define CLUSTER		(1ULL << CLUSTER_BITS)
#define L2_COVERS	(CLUSTER / 8 * CLUSTER)
#define L1_CLUSTER	3
#define REFCOUNT_ORDER	4
#define L1_CLUSTERS_MAX	1000	/* their counts fit the one block; 30 PiB */

#define INCOMPAT_DIRTY	(1ULL << 0)
#define INCOMPAT_COMPRESSION (1ULL << 3)
#define INCOMPAT_EXTENDED_L2 (1ULL << 4)
#define INCOMPAT_HARMLESS (INCOMPAT_DIRTY | INCOMPAT_COMPRESSION | INCOMPAT_EXTENDED_L2)

struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t backing_file_offset;
	uint32_t backing_file_size;
	uint32_t cluster_bits;
	uint64_t size;
	uint32_t crypt_method;
	uint32_t l1_size;
	uint64_t l1_table_offset;
	uint64_t refcount_table_offset;
	uint32_t refcount_table_clusters;
	uint32_t nb_snapshots;
	uint64_t snapshots_offset;
	/* version 3 */
	uint64_t incompatible_features;
	uint64_t compatible_features;
	uint64_t autoclear_features;
	uint32_t refcount_order;
	uint32_t header_length;
} __attribute__((packed));

_Static_assert(sizeof(struct header) == QCOW2_HEAD, "qcow2 header");

int qcow2_size(const void *buf, size_t len, uint64_t *ret_size)
{
	struct header h;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, buf, sizeof(h));
	if (be32toh(h.magic) != MAGIC || (be32toh(h.version) != 2 && be32toh(h.version) != 3))
		return -EBADMSG;
	if (h.backing_file_offset || h.backing_file_size)
		return -EMLINK;
	if (h.crypt_method)
		return -EOPNOTSUPP;
	if (be32toh(h.version) == 3 && be64toh(h.incompatible_features) & ~INCOMPAT_HARMLESS)
		return -EOPNOTSUPP;
	*ret_size = be64toh(h.size);
	return 0;
}

static int write_at(int fd, const void *buf, size_t len, uint64_t at)
{
	ssize_t n = pwrite(fd, buf, len, (off_t)at);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -ENOSPC;
}

int qcow2_make_empty(int fd, uint64_t size)
{
	uint64_t l1_size = (size + L2_COVERS - 1) / L2_COVERS;
	uint64_t l1_clusters = (l1_size * 8 + CLUSTER - 1) / CLUSTER;
	struct header h = {
		.magic = htobe32(MAGIC),
		.version = htobe32(3),
		.cluster_bits = htobe32(CLUSTER_BITS),
		.size = htobe64(size),
		.l1_size = htobe32((uint32_t)l1_size),
		.l1_table_offset = htobe64(L1_CLUSTER * CLUSTER),
		.refcount_table_offset = htobe64(CLUSTER),
		.refcount_table_clusters = htobe32(1),
		.refcount_order = htobe32(REFCOUNT_ORDER),
		.header_length = htobe32(sizeof(h)),
	};
	uint64_t block = htobe64(2 * CLUSTER);
	uint16_t counts[L1_CLUSTER + L1_CLUSTERS_MAX];
	size_t used = L1_CLUSTER + l1_clusters;
	int r;

	if (l1_clusters > L1_CLUSTERS_MAX)
		return -EFBIG;
	for (size_t i = 0; i < used; i++)
		counts[i] = htobe16(1);
	r = write_at(fd, &h, sizeof(h), 0);
	if (r == 0)
		r = write_at(fd, &block, sizeof(block), CLUSTER);
	if (r == 0)
		r = write_at(fd, counts, used * sizeof(counts[0]), 2 * CLUSTER);
	if (r == 0 && ftruncate(fd, (off_t)(used * CLUSTER)) < 0)
		r = -errno;
	return r;
}
