// SPDX-License-Identifier: GPL-2.0-or-later
/* The probe's guest: what it runs, and a VM to run it in. */
#include "kvm_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util.h"

#define MEMORY		(1UL << 20)
#define PML4		0x2000
#define PDPT		0x3000
#define PD		0x4000
#define SCRATCH		0x5000
#define CODE		0x6000
#define STACK		0x8000
#define HIGH		0xffffffff80000000ULL
#define TSS		0xfffbd000UL

#define TABLE		0x3	/* present, writable */
#define LARGE		0x83	/* the same, 2 MiB */
#define CR0		0x80050033	/* PG AM WP NE ET MP PE */
#define CR4		0x620		/* OSXMMEXCPT OSFXSR PAE */
#define CR4_OSXSAVE	0x40000
#define EFER		0x500		/* LMA LME */
#define XSAVE_BIT	26
#define CPUID_ENTRIES	128

/* %r15: XSAVE is there. Each step ends with its number on port 0x10; 0xff: wrong. */
extern const uint8_t guest_code[], guest_code_end[];
asm(
	".pushsection .rodata\n"
	"guest_code:\n"
	"	mov $0x10000, %ecx\n"
	"1:	dec %rcx\n"
	"	jnz 1b\n"
	"	mov $1, %al\n"
	"	out %al, $0x10\n"

	"	lea 9f(%rip), %rdi\n"
	"	xor %eax, %eax\n"
	"	xor %edx, %edx\n"
	"	mov $7, %ebx\n"
	"	mov $9, %ecx\n"
	"	lock cmpxchg16b (%rdi)\n"
	"	jnz 8f\n"
	"	cmpq $7, (%rdi)\n"
	"	jne 8f\n"
	"	mov $2, %al\n"
	"	out %al, $0x10\n"

	"	mov $0x5000, %edi\n"
	"	fxsave (%rdi)\n"
	"	fxrstor (%rdi)\n"
	"	mov $3, %al\n"
	"	out %al, $0x10\n"

	"	test %r15, %r15\n"
	"	jz 2f\n"
	"	xor %ecx, %ecx\n"
	"	mov $3, %eax\n"
	"	xor %edx, %edx\n"
	"	xsetbv\n"
	"	xsave (%rdi)\n"
	"	mov $3, %eax\n"
	"	xor %edx, %edx\n"
	"	xrstor (%rdi)\n"
	"2:	mov $4, %al\n"
	"	out %al, $0x10\n"

	"	movq %rdi, %xmm0\n"
	"	paddq %xmm0, %xmm0\n"
	"	movq %xmm0, %rax\n"
	"	cmp $0xa000, %rax\n"
	"	jne 8f\n"
	"	mov $5, %al\n"
	"	out %al, $0x10\n"

	"	mov $0xc0000102, %ecx\n"
	"	mov $0x1234, %eax\n"
	"	xor %edx, %edx\n"
	"	wrmsr\n"
	"	swapgs\n"
	"	mov $0xc0000101, %ecx\n"
	"	rdmsr\n"
	"	cmp $0x1234, %eax\n"
	"	jne 8f\n"
	"	mov %cr3, %rax\n"
	"	mov %rax, %cr3\n"
	"	invlpg (%rdi)\n"
	"	mov $6, %al\n"
	"	out %al, $0x10\n"

	"	mov $0x10000, %ecx\n"
	"3:	mov %rcx, -8(%rsp)\n"
	"	lock addq $1, (%rdi)\n"
	"	cmp %rcx, -8(%rsp)\n"
	"	jne 8f\n"
	"	dec %rcx\n"
	"	jnz 3b\n"
	"	mov $7, %al\n"
	"	out %al, $0x10\n"
	"	hlt\n"

	"8:	mov $0xff, %al\n"
	"	out %al, $0x10\n"
	"	hlt\n"
	"	.balign 16\n"
	"9:	.quad 0, 0\n"
	"guest_code_end:\n"
	".popsection\n"
);

static int set_cpuid(struct kvm_guest *g)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_ENTRIES * sizeof(c->entries[0]));
	int r = 0;

	if (!c)
		return -ENOMEM;
	c->nent = CPUID_ENTRIES;
	if (ioctl(g->kvm, KVM_GET_SUPPORTED_CPUID, c) < 0 || ioctl(g->vcpu, KVM_SET_CPUID2, c) < 0)
		r = -errno;
	for (unsigned int i = 0; r == 0 && i < c->nent; i++) {
		if (c->entries[i].function == 1)
			g->xsave = c->entries[i].ecx >> XSAVE_BIT & 1;
	}
	free(c);
	return r;
}

static int set_memory(struct kvm_guest *g)
{
	struct kvm_userspace_memory_region r = { .memory_size = MEMORY };
	uint64_t *pml4, *pdpt, *pd;

	g->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->memory == MAP_FAILED)
		return -errno;
	r.userspace_addr = (uintptr_t)g->memory;
	if (ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &r) < 0)
		return -errno;
	pml4 = (void *)(g->memory + PML4);
	pdpt = (void *)(g->memory + PDPT);
	pd = (void *)(g->memory + PD);
	pml4[0] = pml4[511] = PDPT | TABLE;
	pdpt[0] = pdpt[510] = PD | TABLE;
	pd[0] = LARGE;
	return 0;
}

static int make_vcpu(struct kvm_guest *g)
{
	int size;

	ioctl(g->vm, KVM_SET_TSS_ADDR, TSS);
	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (g->vcpu < 0 || size < 0)
		return -errno;
	g->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
	return g->run == MAP_FAILED ? -errno : 0;
}

int kvm_guest_make(struct kvm_guest *g, const char **ret_what)
{
	int r;

	*ret_what = "open /dev/kvm";
	g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (g->kvm < 0)
		return -errno;
	*ret_what = "create a VM";
	g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
	if (g->vm < 0)
		return -errno;
	*ret_what = "give it memory";
	r = set_memory(g);
	if (r < 0)
		return r;
	*ret_what = "create a vCPU";
	r = make_vcpu(g);
	if (r < 0)
		return r;
	*ret_what = "set its CPUID";
	return set_cpuid(g);
}

int kvm_guest_enter(struct kvm_guest *g, bool high)
{
	struct kvm_segment code = { .limit = ~0U, .selector = 8, .present = 1, .type = 11, .s = 1,
				    .l = 1, .g = 1 };
	struct kvm_segment data = { .limit = ~0U, .selector = 16, .present = 1, .type = 3, .s = 1,
				    .db = 1, .g = 1 };
	uint64_t offset = high ? HIGH : 0;
	struct kvm_regs regs = { .rip = offset + CODE, .rsp = offset + STACK, .rflags = 2,
				 .r15 = g->xsave };
	struct kvm_sregs s;

	memset(g->memory + SCRATCH, 0, CODE - SCRATCH);
	memcpy(g->memory + CODE, guest_code, (size_t)(guest_code_end - guest_code));
	if (ioctl(g->vcpu, KVM_GET_SREGS, &s) < 0)
		return -errno;
	s.cr0 = CR0;
	s.cr3 = PML4;
	s.cr4 = CR4 | (g->xsave ? CR4_OSXSAVE : 0);
	s.efer = EFER;
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	if (ioctl(g->vcpu, KVM_SET_SREGS, &s) < 0 || ioctl(g->vcpu, KVM_SET_REGS, &regs) < 0)
		return -errno;
	return 0;
}
