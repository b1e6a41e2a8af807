/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probe's guest: what it runs, and a VM to run it in. */
#ifndef VMFORK_KVM_GUEST_H
#define VMFORK_KVM_GUEST_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_run;

/** enum kvm_step - the guest says which one it has come through. */
enum kvm_step {
	STEP_LOOP = 1,		/* STEP_LOOP_INSNS instructions */
	STEP_CMPXCHG16B,
	STEP_FXRSTOR,
	STEP_XRSTOR,		/* if CPUID has it */
	STEP_SSE,
	STEP_MSR,		/* swapgs, wrmsr, cr3, invlpg */
	STEP_MEMORY,		/* locked additions and stores */
	STEPS = STEP_MEMORY,
};
#define STEP_LOOP_INSNS	0x20000

/** struct kvm_guest - one vCPU in 64-bit ring 0 with 1 MiB. */
struct kvm_guest {
	int kvm;
	int vm;
	int vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	bool xsave;
};

/** kvm_guest_make() - Return: 0, or -errno with what failed in @ret_what. */
int kvm_guest_make(struct kvm_guest *g, const char **ret_what);
/** kvm_guest_enter() - begin at step 1; @high: at the kernel's addresses. */
int kvm_guest_enter(struct kvm_guest *g, bool high);

#endif /* VMFORK_KVM_GUEST_H */
