/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders to a test VM: a process with RAM under the real RAM library, but no guest. */
#ifndef VMFORK_TVM_H
#define VMFORK_TVM_H

#include <stdint.h>

enum tvm_op {
	TVM_FILL = 1,	/* write pages of pattern @seed; 0: zeros */
	TVM_CHECK,	/* read them all in a random order -> how many are wrong */
	TVM_POISONED,	/* -> how many are full of poison; @seed: gfn of the first */
	TVM_ENV,	/* -> how many of the library's variables are left */
	TVM_SPOIL,	/* map the RAM file a second time: the library must end us */
};

/** struct tvm_order - answered by one int64_t. */
struct tvm_order {
	uint32_t op;
	uint32_t threads;	/* CHECK: each checks all pages, in its own order */
	uint64_t first;
	uint64_t npages;
	uint64_t seed;
};

#endif /* VMFORK_TVM_H */
