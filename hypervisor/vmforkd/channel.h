/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's side of a VM's channel: the region, the rings, what is still to be sent. */
#ifndef VMFORKD_CHANNEL_H
#define VMFORKD_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel_parse.h"
#include "ring.h"

/**
 * DOC: The host's side of a channel
 *
 * Two memfds per VM, both in the keeper's store, so that a new control role goes
 * on where the old one was killed:
 *
 *   region   shared with the guest: hostile. Its size is sealed.
 *   journal  the host's own: our ring positions, requests that were taken and not
 *            answered yet, the queue of messages that wait for room in the ring,
 *            flow control, and how far a fork has come.
 *
 * The queue holds whole records as they go into the ring. Nothing is sent but
 * through it, so order is kept: a clone's EXITED comes after its DATA.
 *
 * A message is taken in this order: copied; acted upon (what it causes is in some
 * journal then); the tail published. What a kill leaves half done is told from
 * notes by journal_recover(); each note has one store that decides:
 *
 *   request         noted in @pending and taken before it is acted upon: after a
 *                   restart it is answered with EIO, what it had made is undone
 *   its answer      @reply_at, then the queue's head: the answer is on its way
 *   DATA, CREDIT    @relay, then the reader's queue's head: it was passed on; count
 *                   and tail follow. Else nothing has happened: it is read again
 *   queue -> ring   the bytes, then the queue's tail, which is the ring's head as
 *                   well: the guest is told of it again
 *
 * BROKEN: the guest wrote rubbish. Nothing is read or written any more, its tickets
 * are closed, the VM runs on.
 */
#define JOURNAL_MAGIC		0x6c726e6a6b6f6676ULL
#define JOURNAL_QUEUE		(16U << 20)	/* most bytes waiting; a power of 2 */
#define JOURNAL_QUEUE_HIGH	(8U << 20)	/* clones of this VM are not read above */
#define JOURNAL_PENDING_MAX	64

enum channel_state { CHANNEL_NONE, CHANNEL_READY, CHANNEL_BROKEN };

/* struct journal.stage: a fork of this VM */
enum journal_stage { STAGE_NONE, STAGE_TAKEN, STAGE_ANSWERED };

struct journal_pending {
	uint64_t cookie;
	uint32_t type;		/* 0: free */
	uint32_t id;		/* KILL */
	uint32_t tail;		/* of the ring, once this request is taken */
	uint32_t reserved;
	uint64_t handle;	/* the ticket made or meant, or 0 */
	uint64_t reply_at;	/* the queue's head is there or beyond: answered; or 0 */
};

/** struct journal_relay - the DATA or CREDIT that is being passed on. */
struct journal_relay {
	uint64_t to;		/* into whose queue; 0: none is */
	uint64_t queue_at;	/* that queue's head before */
	uint64_t clone;		/* whose count changes */
	uint32_t down;		/* its @down, not its @up */
	uint32_t unacked;	/* the count then */
	uint32_t tail;		/* of the sender's ring, once this is taken */
	uint32_t reserved;
};

/**
 * struct journal - what must not be lost when the control role is killed.
 * @up, @down:	in a clone: bytes of DATA not acknowledged yet, to and from the parent
 * @stage:	see enum journal_stage; with @ticket and @checkpoint of that fork
 * @queue_tail:	also our position in the ring to the guest
 */
struct journal {
	uint64_t magic;
	uint32_t state;		/* enum channel_state */
	uint32_t vm_state;	/* enum vm_state */
	uint32_t g2h_tail;
	uint32_t up;
	uint32_t down;
	uint32_t stage;
	uint32_t reason;	/* of the VM's end, once known: enum vmfork_reason */
	int32_t status;
	char why[VMFORK_WHY_MAX];
	uint32_t identity;	/* enum identity_state */
	uint32_t reserved;
	uint64_t identity_ms;	/* how long its agent may take */
	uint64_t identity_until;	/* that is until when: CLOCK_BOOTTIME, ns */
	uint64_t expires;	/* its life time is over then: CLOCK_BOOTTIME, ns; or 0 */
	uint64_t reported;	/* when it was COMPLETE: CLOCK_MONOTONIC, ns */
	uint64_t ticket;
	uint64_t checkpoint;
	uint64_t queue_head;	/* free-running */
	uint64_t queue_tail;
	struct channel_hello hello;
	struct journal_relay relay;
	struct journal_pending pending[JOURNAL_PENDING_MAX];
	uint8_t queue[] __attribute__((aligned(4096)));
};

struct channel {
	int fd;
	int journal_fd;
	size_t size;
	size_t bitmap_bytes;
	uint64_t gfns;
	bool again;		/* messages are left for the next round */
	bool relieved;		/* the guest may wait for the room that was made */
	uint32_t advance;	/* bytes of the message that is being dealt with */
	uint64_t trimmed;	/* the queue's head when its pages were last given back */
	uint8_t *map;
	struct journal *j;
};

struct vm;

/** channel_make() - region and journal for @vm, stored in the keeper. */
int channel_make(struct channel *ch, const struct vm *vm);
/** channel_take() - the same, found again in the keeper's store. */
int channel_take(struct channel *ch, const struct vm *vm);
/** channel_constants() - write the head of a region that no guest has seen yet. */
void channel_constants(struct channel *ch, uint64_t family, uint64_t vm);
void channel_free(struct channel *ch);
struct vmfork_channel *channel_head(const struct channel *ch);

/** channel_queue() - queue one message; channel_flush() is the caller's affair. */
int channel_queue(struct vm *vm, enum vmfork_msg_type type, uint64_t cookie, const void *payload,
		  uint32_t len, const void *more, uint32_t more_len);
/** channel_send() - both. */
int channel_send(struct vm *vm, enum vmfork_msg_type type, uint64_t cookie, const void *payload,
		 uint32_t len, const void *more, uint32_t more_len);
void channel_reply(struct vm *vm, uint64_t cookie, int result, uint32_t granted, uint64_t handle);
/** channel_flush() - queue -> ring, as far as there is room. */
void channel_flush(struct vm *vm);
/** channel_next() - the next message: 1, 0: none, -errno: broken now. */
int channel_next(struct vm *vm, struct g2h *ret_msg, uint8_t *payload);
/** channel_done() - the message is dealt with, or noted; more than once does no harm. */
void channel_done(struct vm *vm);
/** channel_publish_tail() - all up to @tail is taken. */
void channel_publish_tail(struct vm *vm, uint32_t tail);
void channel_break(struct vm *vm, const char *why);
bool channel_ready(const struct channel *ch);
uint64_t channel_queued(const struct channel *ch);

/** struct fork_answer - what the host writes into a fork block. */
struct fork_answer {
	int result;
	uint32_t id;
	uint32_t clones;
	uint32_t depth;
	uint64_t family;
	uint64_t vm;
	uint64_t parent;
	uint64_t checkpoint;
};

uint32_t channel_fork_state(const struct channel *ch);
/** channel_fork_take() - REQUESTED -> TAKEN, and a copy of the block. */
bool channel_fork_take(struct channel *ch, struct vmfork_fork *ret_block);
/** channel_free_pages() - how many the guest says "free set" has; 0: none, or nonsense. */
uint64_t channel_free_pages(const struct channel *ch);
/** channel_fork_answer() - fill in, with time and fresh seed, and RELEASE. */
void channel_fork_answer(struct channel *ch, const struct fork_answer *a);
/** channel_give_params() - for a guest that does not run yet: @len bytes, or none. */
void channel_give_params(struct channel *ch, const uint8_t *bytes, uint32_t len);
struct vmfork_clone_block *channel_clone_block(const struct channel *ch);
void channel_wipe_seed(struct channel *ch);
const uint8_t *channel_free_set(const struct channel *ch);
uint8_t *channel_avoid(const struct channel *ch);

#endif /* VMFORKD_CHANNEL_H */
