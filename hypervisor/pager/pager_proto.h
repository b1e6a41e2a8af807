/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmforkd says to vmfork-pager: one SOCK_SEQPACKET message each, with fds. */
#ifndef VMFORK_PAGER_PROTO_H
#define VMFORK_PAGER_PROTO_H

#include <stdint.h>

/**
 * DOC: vmforkd <-> vmfork-pager
 *
 * The pager listens on a SOCK_SEQPACKET unix socket (fd handed to it, or a path).
 * vmforkd is its only peer; it may go away and come back: the pager serves on.
 * Each request is a struct pager_req with its fds in SCM_RIGHTS, each is answered
 * by one struct pager_rep with the same @seq, in order. Unasked, the pager sends
 * replies with @seq 0 (PAGER_EV_*), and to a new connection those that still hold.
 * A message that is no request (size, @seq 0) and a peer that does not read end the
 * connection. An unserved clone (CLONE_LOST) stays until CLONE_DEL.
 *
 * All objects are named by vmforkd's handles. Adding what exists already is
 * answered 0 and changes nothing (the fds are closed): after a restart of either
 * side vmforkd simply says everything again. All fds are kept by vmforkd (its fd
 * store) as well, so that a new pager gets the same ones.
 *
 * Offsets and lengths are in pages of 4096 bytes of the VM's RAM file ("file
 * pages"); bitmaps are indexed by gfn: the slots translate.
 */
#define PAGER_PAGE_SIZE	4096U
#define PAGER_SLOTS_MAX	4

/** struct pager_slot - a stretch of RAM: file pages [page, page+npages) are at
 * guest frames [gfn, gfn+npages). Slots neither overlap nor wrap. */
struct pager_slot {
	uint64_t gfn;
	uint64_t page;
	uint64_t npages;
};

enum pager_op {
	/*
	 * A new image. fds: [0] the image file (tmpfs, sparse, npages long; all
	 * holes at first), [1] the presence map (memfd, npages bytes, enum
	 * page_state, shared so that a new pager has it), then the source:
	 * PAGER_SOURCE_SNAPSHOT: [2] /proc/PID/mem, [3] /proc/PID/pagemap of the
	 * snapshot process, @base its RAM's address; if @lower is not 0, pages that
	 * the snapshot has no private copy of are read from image @lower, unless the
	 * bitmap [4] (the forked clone's "avoid" bitmap as of the fork, memfd, gfn
	 * indexed) has their bit: then they are zeros.
	 * PAGER_F_RECORD: then the image's record (memfd, struct pager_record, all
	 * zeros at first). PAGER_F_EARLIER: then the record of an earlier image of the
	 * same VM, which is only read. @fill: see below.
	 * PAGER_SOURCE_FILE: nothing more of a source; the image is complete, what is
	 * absent in it is not there at all. Records are as above.
	 */
	PAGER_IMAGE_ADD = 1,
	PAGER_IMAGE_DEL,	/* EBUSY while a clone or a higher image uses it */
	/*
	 * A clone that pages from image @image. fds: [0] its userfaultfd (MISSING
	 * registered on [base, base + npages*4096) of its RAM), [1] its "avoid"
	 * bitmap's file: the bitmap is at @bitmap_offset, @bitmap_bytes long, only
	 * ever read with pread(2): a VM that truncates it harms itself alone.
	 * The whole range is woken once it is served, so faults that an earlier
	 * pager took with it to the grave are raised again.
	 * With @xen.domain it is a Xen domain whose paging ring is enabled; fds: [0] the
	 * event channel device on which @xen.port is bound, [1] as above; no @base. Only
	 * vmfork-pager-xen knows these (else EOPNOTSUPP).
	 */
	PAGER_CLONE_ADD,
	PAGER_CLONE_DEL,	/* also when its VM has died by itself */
	PAGER_IMAGE_FILL,	/* change @fill and PAGER_F_FILL_ALL of an image */
	PAGER_CLONE_STATS,	/* -> rep.clone */
	PAGER_IMAGE_STATS,	/* -> rep.image */
	PAGER_PING,
};

#define PAGER_SOURCE_SNAPSHOT	1
#define PAGER_SOURCE_FILE	2

/** struct pager_xen - where a domain's paging ring is. */
struct pager_xen {
	uint32_t domain;
	uint32_t port;		/* local to fd [0] */
	uint64_t ring;		/* gfn */
};

struct pager_req {
	uint32_t op;		/* enum pager_op */
	uint32_t seq;		/* not 0; given back */
	uint64_t handle;	/* of the image or clone */
	uint64_t image;		/* CLONE_ADD */
	uint64_t lower;		/* IMAGE_ADD: 0 or the lower image */
	uint64_t base;		/* address of the RAM in the snapshot or clone */
	uint64_t npages;
	uint64_t bitmap_offset;
	uint64_t bitmap_bytes;
	uint32_t source;	/* PAGER_SOURCE_* */
	uint32_t flags;		/* PAGER_F_* */
	uint32_t nslots;
	uint32_t reserved;
	uint64_t fill;		/* IMAGE_ADD, IMAGE_FILL: most pages, see PAGER_F_FILL_ALL */
	struct pager_xen xen;	/* CLONE_ADD: @domain 0: a process, by userfaultfd */
	struct pager_slot slots[PAGER_SLOTS_MAX];
};
#define PAGER_F_NO_AVOID	(1U << 0)	/* CLONE_ADD: ignore the bitmap (benchmarks) */
#define PAGER_F_POISON		(1U << 1)	/* CLONE_ADD: see struct pager_poison (tests) */

#define PAGER_F_RECORD		(1U << 2)	/* IMAGE_ADD: a record comes with it */
#define PAGER_F_EARLIER		(1U << 3)	/* IMAGE_ADD: an earlier record, too */
/*
 * IMAGE_ADD, IMAGE_FILL: while an image has clones and nothing else is to be done, up to
 * @fill of its absent pages are fetched before they are asked for: those of the earlier
 * record in their order, then with this flag all others, too.
 */
#define PAGER_F_FILL_ALL	(1U << 4)

/**
 * struct pager_poison - with PAGER_F_POISON a page that the clone's bitmap avoids and
 * whose truth is not zeros is full of these, as a private copy: whoever reads that was
 * not to avoid the page. The guest's own number of the page is in it.
 */
struct pager_poison {
	uint64_t magic;		/* PAGER_POISON_MAGIC: "VMFPOISN"; no canonical address */
	uint64_t gfn;
};
#define PAGER_POISON_MAGIC	0x4e53494f50464d56ULL

/** enum page_state - one byte per file page of an image's presence map. */
enum page_state {
	PAGE_ABSENT = 0,
	PAGE_PRESENT = 1,	/* whole in the image file; never changes again */
	PAGE_ZERO = 2,		/* known to be zeros; a hole in the file */
};

/**
 * struct pager_record - pages of an image, in order of their first use. An entry is a
 * file page, with PAGER_RECORD_PROBE one of the earlier record that is not filled, to
 * see whether it is asked for.
 */
struct pager_record {
	uint32_t count;		/* written after the entry */
	uint32_t seeded;	/* the first of them are from the earlier record */
	uint32_t generation;	/* how many records there were before */
	uint32_t reserved;
	uint32_t entry[];
};
#define PAGER_RECORD_PROBE	(1U << 31)
#define PAGER_RECORD_PAGE	(PAGER_RECORD_PROBE - 1)
#define PAGER_RECORD_MAX	(1U << 18)	/* entries: of a GiB */

/* Half of the RAM: more than that is no working set. */
static inline uint64_t pager_record_bytes(uint64_t npages)
{
	uint64_t n = npages / 2 < PAGER_RECORD_MAX ? npages / 2 : PAGER_RECORD_MAX;

	return sizeof(struct pager_record) + n * sizeof(uint32_t);
}

/** struct pager_clone_stats - counts since CLONE_ADD to this pager process. */
struct pager_clone_stats {
	uint64_t faults;	/* events taken */
	uint64_t write_faults;	/* of them: the others read */
	/* read from the source, with data, at this clone's faults (Xen: from the image) */
	uint64_t fetched;
	uint64_t read_ahead;	/* of them: not asked for, but behind one that was */
	uint64_t shared;	/* were in the image already */
	uint64_t avoided;	/* zero page (or poison) because of the bitmap */
	uint64_t avoided_write;	/* of them: for a write; the others were read first */
	uint64_t zeroed_ahead;	/* zeros given beside a page that was asked for */
	uint64_t poisoned;	/* of the avoided ones: PAGER_F_POISON */
	uint64_t zero;		/* source had zeros */
	uint64_t private_copies;/* image full: given to this clone alone */
	uint64_t errors;
	uint64_t serve_ns;	/* time from event read to answer, summed */
	uint64_t repeated;	/* raised again after a restart or a race */
};

struct pager_image_stats {
	uint64_t present;
	uint64_t zero;
	uint64_t fetched_bytes;
	uint64_t clones;
	uint64_t nospace;	/* fills refused by the file system */
	uint64_t prefetched;	/* of present and zero: before they were asked for */
	uint64_t recorded;	/* entries of the record */
	uint64_t seeded;	/* of them: from the earlier record */
	uint64_t probes;	/* of these: not prefetched, to see whether they are used */
	uint64_t probes_used;	/* of these: asked for all the same */
};

enum pager_event {
	PAGER_EV_NONE = 0,
	PAGER_EV_CLONE_LOST = 1,	/* @handle cannot be served any more (@result): kill it */
	PAGER_EV_NOSPACE = 2,		/* @handle: image file is full (said once) */
};

struct pager_rep {
	uint32_t seq;
	int32_t result;		/* 0 or a negative errno */
	uint32_t event;		/* enum pager_event, with seq 0 */
	uint32_t reserved;
	uint64_t handle;
	union {
		struct pager_clone_stats clone;
		struct pager_image_stats image;
	};
};

#endif /* VMFORK_PAGER_PROTO_H */
