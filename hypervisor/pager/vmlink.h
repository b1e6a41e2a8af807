/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a VM's faults arrive and are answered: the only thing known of a hypervisor. */
#ifndef VMFORK_PAGER_VMLINK_H
#define VMFORK_PAGER_VMLINK_H

#include <stdbool.h>
#include <stdint.h>

/** VMLINK_BATCH - faults taken at once. */
#define VMLINK_BATCH	16U

/** struct fault - somebody in the VM waits for file page @page. */
struct fault {
	uint64_t page;
	bool write;
};

struct vmlink;

/**
 * struct vmlink_ops - 0 or a negative errno where no more is said; none blocks or allocates.
 * @read:	take up to VMLINK_BATCH faults; how many, 0 if there are none
 * @wake:	these pages are in the image: let those who wait for them find them there
 * @zero:	give this VM private pages of zeros, up to @npages from @page on, and wake: how
 *		many, at least one; -EEXIST: it has the first
 * @copy:	give this VM a private copy of @data and wake; -EEXIST: it has one
 * @give:	NULL where a VM shares the image's pages. Else wake() copies a page, and this
 *		does so before it is asked for: 1; 0: the VM has the page; -ENOSPC: what memory
 *		is left is for pages that are asked for
 * @close:	give up the link (the VM's waiters stay as they are)
 * @copy, @zero: -EAGAIN: nothing was done, nobody was woken.
 */
struct vmlink_ops {
	int (*read)(struct vmlink *l, struct fault *faults);
	int (*wake)(struct vmlink *l, uint64_t page, uint64_t npages);
	int (*zero)(struct vmlink *l, uint64_t page, unsigned int npages);
	int (*copy)(struct vmlink *l, uint64_t page, const void *data);
	int (*give)(struct vmlink *l, uint64_t page);
	void (*close)(struct vmlink *l);
};

struct vmlink_xen;
struct pager_req;

struct vmlink {
	const struct vmlink_ops *ops;
	struct vmlink_xen *xen;	/* of a Xen domain; else NULL */
	int fd;			/* readable when there are faults */
	uint64_t base;		/* address of file page 0 in the VM's process */
	uint64_t npages;
};

/** vmlink_uffd_init() - faults of a process, by its userfaultfd; takes over @fd. */
void vmlink_uffd_init(struct vmlink *l, int fd, uint64_t base, uint64_t npages);

/*
 * What links there are is the program's affair: links.c has userfaultfd only,
 * hypervisor/xen/links.c Xen's as well.
 */

/** vmlink_setup() - once, before privileges are dropped. 0 or a negative errno. */
int vmlink_setup(void);

/**
 * vmlink_open() - the link that @req (CLONE_ADD) asks for.
 * @fd:		its first descriptor; taken over
 * @image:	the image's file, which stays open as long as the link
 */
int vmlink_open(struct vmlink *l, const struct pager_req *req, int *fd, int image);

#endif /* VMFORK_PAGER_VMLINK_H */
