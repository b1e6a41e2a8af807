/* SPDX-License-Identifier: GPL-2.0 */
/* What the pure helpers need, so that unit tests can build them in user space as well. */
#ifndef VMFORK_PURE_H
#define VMFORK_PURE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
#define le32_to_cpu(x) le32toh(x)
#define le64_to_cpu(x) le64toh(x)
#endif

#include <linux/vmfork.h>
#include <linux/vmfork_channel.h>

#endif /* VMFORK_PURE_H */
