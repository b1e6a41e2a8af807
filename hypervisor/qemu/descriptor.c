// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors: a VM's state without its memory, as QEMU writes and reads it. */
#include "descriptor.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* migration/savevm.c in QEMU */
#define VM_FILE_MAGIC	0x5145564dU	/* "QEVM" */
#define VM_FILE_VERSION	3
#define VM_SECTION_FULL	4
#define VM_EOF		0

struct head {
	uint32_t magic;
	uint32_t version;
	uint8_t section;
} __attribute__((packed));

/* A stored form is this and one zstd frame. */
#define STORED_MAGIC	0x3144564dU	/* "MVD1", little-endian */
#define ZSTD_LEVEL	3

struct stored {
	uint32_t magic;
	uint32_t raw;		/* bytes */
};

int descriptor_check(const void *buf, size_t len)
{
	const uint8_t *bytes = buf;
	struct head h;

	if (len > DESCRIPTOR_MAX)
		return -EFBIG;
	if (len <= sizeof(h))
		return -EBADMSG;
	memcpy(&h, buf, sizeof(h));
	if (be32toh(h.magic) != VM_FILE_MAGIC || be32toh(h.version) != VM_FILE_VERSION ||
	    h.section != VM_SECTION_FULL || bytes[len - 1] != VM_EOF)
		return -EBADMSG;
	return 0;
}

int descriptor_pack(const void *buf, size_t len, void **ret, size_t *ret_len)
{
	struct stored s = { htole32(STORED_MAGIC), htole32((uint32_t)len) };
	size_t room = ZSTD_compressBound(len), n;
	int r = descriptor_check(buf, len);
	char *out;

	if (r < 0)
		return r;
	out = malloc(sizeof(s) + room);
	if (!out)
		return -ENOMEM;
	memcpy(out, &s, sizeof(s));
	n = ZSTD_compress(out + sizeof(s), room, buf, len, ZSTD_LEVEL);
	if (ZSTD_isError(n)) {
		free(out);
		return -EIO;
	}
	*ret = out;
	*ret_len = sizeof(s) + n;
	return 0;
}

int descriptor_unpack(const void *buf, size_t len, void **ret, size_t *ret_len)
{
	struct stored s;
	size_t raw, n;
	char *out;

	if (len < sizeof(s))
		return -EBADMSG;
	memcpy(&s, buf, sizeof(s));
	raw = le32toh(s.raw);
	if (le32toh(s.magic) != STORED_MAGIC || !raw)
		return -EBADMSG;
	if (raw > DESCRIPTOR_MAX)
		return -EFBIG;
	out = malloc(raw);
	if (!out)
		return -ENOMEM;
	n = ZSTD_decompress(out, raw, (const char *)buf + sizeof(s), len - sizeof(s));
	if (ZSTD_isError(n) || n != raw || descriptor_check(out, raw)) {
		free(out);
		return -EBADMSG;
	}
	*ret = out;
	*ret_len = raw;
	return 0;
}

int descriptor_feed(int pipe, int file)
{
	off_t done = lseek(file, 0, SEEK_CUR);
	struct stat st;

	if (done < 0 || fstat(file, &st) < 0)
		return -errno;
	while (done < st.st_size) {
		ssize_t n = sendfile(pipe, file, NULL, st.st_size - done);

		if (n == 0)
			return -EIO;	/* it has become shorter */
		if (n < 0 && errno != EINTR)
			return errno == EAGAIN ? 0 : -errno;
		done += n > 0 ? n : 0;
	}
	return 1;
}
