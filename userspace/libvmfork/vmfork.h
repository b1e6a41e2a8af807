/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvmfork: fork(2) for the whole virtual machine, from C. */
#ifndef VMFORK_H
#define VMFORK_H

#include <pthread.h>
#include <stddef.h>
#include <linux/vmfork.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: libvmfork
 *
 * The calls of SnowFlock's API (Lagar-Cavilla et al., "SnowFlock: Virtual Machine
 * Cloning as a First-Class Cloud Primitive", ACM TOCS 29:1, section 3) over
 * /dev/vmfork, whose specification is <linux/vmfork.h>.
 *
 * Objects are file descriptors, all O_CLOEXEC: the machine (vmfork_open()), a
 * ticket, a checkpoint. They are the caller's: poll(2) them, close(2) them. Closing
 * a ticket in the parent kills the clones that are left.
 *
 * Every function returns a negative errno on failure and then changes nothing that
 * its ret_ parameters point to; vmfork_strerror() says what to do about it. The
 * library keeps no state, allocates nothing (but vmfork_on_clone(), for its thread), logs
 * nothing and never exits: every function may be called from any thread. Calls that wait return -EINTR when a
 * signal handler ran.
 *
 *	int vm = vmfork_open(), ticket, id;
 *	unsigned int m;
 *
 *	ticket = vmfork_request_ticket(vm, 8, 0, &m);
 *	id = vmfork_clone(ticket, 0);
 *	if (id > 0)
 *		vmfork_exit(vm, work_on_share(id, m));
 *	vmfork_join(ticket, exits, m);
 */

/**
 * vmfork_open() - open /dev/vmfork.
 * Return: a descriptor of this machine. -ENOENT: no module; -EACCES: not in group
 * vmfork. A clone's copy of it means the clone.
 */
int vmfork_open(void);

/** vmfork_close() - close any of the three kinds of descriptor; takes negative ones. */
void vmfork_close(int fd);

/**
 * vmfork_get_api() - what this machine and its host can do.
 * @vm:		of vmfork_open()
 * @ret_api:	limits, features, hazards
 * Return: 0 or -errno. @clones_max 0 means: no channel, nothing can be forked.
 */
int vmfork_get_api(int vm, struct vmfork_api *ret_api);

/** vmfork_get_identity() - who this machine is: ID, depth, family, handles. */
int vmfork_get_identity(int vm, struct vmfork_identity *ret_identity);

/** vmfork_id() - this machine's ID alone. Return: 0 in a root VM, 1..m in a clone. */
int vmfork_id(int vm);

/**
 * vmfork_wait_identity() - wait until this machine has become a clone (or passed a
 * fork point) since @vm was opened or this last returned. poll(2) @vm for EPOLLIN
 * to wait together with other things.
 */
int vmfork_wait_identity(int vm, struct vmfork_identity *ret_identity);

/**
 * vmfork_request_ticket() - ask for the right to @n clones (sf_request_ticket).
 * @vm:		of vmfork_open()
 * @n:		clones wanted, 1..vmfork_api.clones_max
 * @flags:	VMFORK_TICKET_EXACT: all of them or -EDQUOT; VMFORK_TICKET_NO_NETWORK: their
 *		network links stay down
 * @ret_granted: m <= @n, how many there will be: divide the work by this. May be NULL.
 * Return: a ticket. Stand-by machines start at once, so ask early and fork late.
 */
int vmfork_request_ticket(int vm, unsigned int n, unsigned int flags,
			  unsigned int *ret_granted);

/** struct vmfork_limits - of each clone of a ticket; 0: no limit. */
struct vmfork_limits {
	unsigned int lifetime_s;	/* seconds, then it ends as VMFORK_EXPIRED */
	unsigned int memory_mib;	/* MiB of memory of its own, or VMFORK_OUT_OF_MEMORY */
	unsigned int cpu_weight;	/* 1..10000, as of cgroup v2's cpu.weight; 0: 100 */
};

/**
 * vmfork_request_ticket_limits() - vmfork_request_ticket(), and what clones may have.
 * Return: a ticket; -EOPNOTSUPP: the host does no limits on memory and CPU
 * (VMFORK_FEATURE_LIMITS).
 */
int vmfork_request_ticket_limits(int vm, unsigned int n, unsigned int flags,
				 const struct vmfork_limits *limits, unsigned int *ret_granted);

/**
 * vmfork_set_params() - give parameters to the clones to be.
 * @ticket:	granted and not used yet
 * @id:		0: for every clone that is given none of its own; else for this one
 * @buf, @len:	0..VMFORK_PARAMS_MAX bytes, by convention a JSON object; the last call counts
 */
int vmfork_set_params(int ticket, unsigned int id, const void *buf, size_t len);

/**
 * vmfork_get_params() - the parameters that this clone was given.
 * @len:	room in @buf; VMFORK_PARAMS_MAX bytes take any
 * @ret_len:	how many there are
 * Return: 0; -ENODATA: none were given, or no clone; -EMSGSIZE.
 */
int vmfork_get_params(int vm, void *buf, size_t len, size_t *ret_len);

/**
 * vmfork_clone() - fork this machine (sf_clone).
 * @ticket:	granted and not used yet
 * @flags:	VMFORK_CLONE_SYNC: write dirty file data to disk first;
 *		VMFORK_CLONE_DROP_CACHE: drop clean page cache first
 * Return: 0 in the parent, the ID 1..m in each clone, all from the same instant; or
 * -errno, and nothing was forked. In a clone @ticket is its link to the parent.
 */
int vmfork_clone(int ticket, unsigned int flags);

/**
 * vmfork_checkpoint() - keep this instant to make clones of it later
 * (sf_checkpoint_parent).
 * @vm:		of vmfork_open()
 * @name:	NULL, or [A-Za-z0-9._-]{1,63}: then it outlives descriptor and machine
 * @flags:	VMFORK_CLONE_*
 * @ret_fd:	the checkpoint; in a clone of it: its link to its parent
 * Return: 0 in this machine; in each clone made of the checkpoint, whenever that is,
 * its ID; or -errno.
 */
int vmfork_checkpoint(int vm, const char *name, unsigned int flags, int *ret_fd);

/** vmfork_open_checkpoint() - a named checkpoint of this family. Return: descriptor. */
int vmfork_open_checkpoint(int vm, const char *name);

/**
 * vmfork_create_clones() - make the ticket's clones of a checkpoint
 * (sf_create_clones). They return from the vmfork_checkpoint() that made it; the
 * caller is their parent but is not itself forked. Return: 0 or -errno.
 */
int vmfork_create_clones(int ticket, int checkpoint);

/**
 * vmfork_exit() - end this clone (sf_exit).
 * @status:	0..255, for the parent to read
 * Return: does not return in a clone; -EPERM in a root VM. What was sent before is
 * delivered first.
 */
int vmfork_exit(int vm, int status);

/**
 * vmfork_wait() - wait for an exit, as waitid(2).
 * @id:		0: of any clone, else of this one
 * @flags:	VMFORK_WAIT_NOHANG, VMFORK_WAIT_NOREAP
 * @ret_info:	who, why, status; may be NULL
 * Return: 0; -ECHILD: all were reported; -EAGAIN: none yet. A clone that sends
 * messages which nobody receives may never get to its exit: use vmfork_collect().
 */
int vmfork_wait(int ticket, unsigned int id, unsigned int flags,
		struct vmfork_exit_info *ret_info);

/** vmfork_kill() - end clone @id, or all that are left with 0, now (sf_kill). */
int vmfork_kill(int ticket, unsigned int id);

/** vmfork_get_ticket() - state, counts and handles of a ticket. */
int vmfork_get_ticket(int ticket, struct vmfork_ticket_info *ret_info);

/**
 * vmfork_send() - send one message between parent and clone.
 * @fd:		ticket or link
 * @id:		receiver: a clone's ID; 0 from a clone to its parent
 * @tag:	a number for the programs' own use
 * @buf, @len:	1..VMFORK_MSG_MAX bytes
 * Return: 0; -EPIPE: the receiver has ended; -EAGAIN: no room, with O_NONBLOCK.
 * Waits while the receiver lags behind by more than 64 KiB. Never raises SIGPIPE.
 */
int vmfork_send(int fd, unsigned int id, unsigned int tag, const void *buf, size_t len);

/**
 * vmfork_recv() - receive one record: a message or, in the parent, an exit.
 * @ret_record:	its head: type, sender, tag, bytes
 * @buf, @len:	for the payload; VMFORK_MSG_MAX bytes take any. An exit's payload is
 *		struct vmfork_exit_info.
 * Return: 1; 0: nothing can come any more (all exits were reported); -EMSGSIZE: @buf
 * is too small, the record stays; -EAGAIN with O_NONBLOCK; -EBADMSG: not a record.
 */
int vmfork_recv(int fd, struct vmfork_record *ret_record, void *buf, size_t len);

/**
 * typedef vmfork_collect_fn - one record of vmfork_collect().
 * Return: 0 to go on; anything else ends vmfork_collect() with that value.
 */
typedef int (*vmfork_collect_fn)(const struct vmfork_record *record, const void *payload,
				 void *data);

/** vmfork_collect() - hand every message and exit to @fn until all clones have ended. */
int vmfork_collect(int ticket, vmfork_collect_fn fn, void *data);

/**
 * vmfork_join() - wait until every clone has ended; then the ticket is gone (sf_join).
 * @ticket:	closed on success
 * @exits:	room for @n exits, filled in order of their coming; may be NULL with 0
 * Return: how many clones ended in this call, which may be more than @n; or -errno,
 * and the ticket stays. Messages that come meanwhile are thrown away.
 */
int vmfork_join(int ticket, struct vmfork_exit_info *exits, unsigned int n);

/**
 * vmfork_secret_deny() - no fork and no checkpoint of this machine, whoever asks, until
 * @vm and its copies are closed. Return: 0; -EEXIST: @vm denies already.
 */
int vmfork_secret_deny(int vm);

/**
 * vmfork_secret_wipe() - memory that is zeros in every clone and in no image, until @vm
 * and its copies are closed.
 * @addr, @len:	whole pages of private writable memory, 1 MiB for each @vm at most. It is
 *		kept from children and core dumps as well (MADV_WIPEONFORK, MADV_DONTDUMP).
 * Set it first, then write the secret into it.
 */
int vmfork_secret_wipe(int vm, void *addr, size_t len);

/**
 * vmfork_map_generation() - a page that changes whenever the machine was forked.
 * @ret_page:	for vmfork_generation_changed(); ended by vmfork_unmap_generation(). It
 *		outlives @vm.
 */
int vmfork_map_generation(int vm, const volatile struct vmfork_generation **ret_page);
void vmfork_unmap_generation(const volatile struct vmfork_generation *page);

/**
 * vmfork_generation_changed() - has the machine been forked since the last look? No system
 * call: ask before each use of random state. Also true in the parent.
 * @seen:	the caller's, begin with @page->generation
 */
static inline int vmfork_generation_changed(const volatile struct vmfork_generation *page,
					    __u64 *seen)
{
	__u64 now = page->generation;
	int changed = now != *seen;

	*seen = now;
	return changed;
}

/**
 * typedef vmfork_on_clone_fn - this machine has become a clone.
 * Return: 0 to be told again; else the thread ends.
 */
typedef int (*vmfork_on_clone_fn)(const struct vmfork_identity *identity, void *data);

/**
 * vmfork_on_clone() - have @fn called whenever this machine has become a clone, by a
 * thread of the library's own that has all signals blocked and its own descriptor of the
 * machine. Other threads may run before it: what must not use old state looks at the
 * generation page.
 * @ret_thread:	the thread: pthread_cancel(3) it, outside @fn, and pthread_join(3) it; or
 *		NULL: it runs for as long as the program
 * Return: 0, or -errno of vmfork_open() or pthread_create(3).
 */
int vmfork_on_clone(vmfork_on_clone_fn fn, void *data, pthread_t *ret_thread);

/**
 * vmfork_agent() - be this machine's agent: in clones all but this process and its
 * descendants are held until it has reported. Needs CAP_SYS_ADMIN; until @vm is closed.
 * @timeout_ms:	most time for a report, then the clone is destroyed; 0: 30 s
 * Return: 0; -EBUSY: there is one. vmfork_wait_identity() of @vm tells of a clone.
 */
int vmfork_agent(int vm, unsigned int timeout_ms);

/**
 * vmfork_agent_report() - this clone's identity is complete, or cannot be completed.
 * @result:	0, or a negative errno: then the clone is destroyed and this does not return
 * @why:	one line, printable ASCII, cut after 111 characters; or NULL
 * Return: 0: the network is open and all tasks were let go.
 */
int vmfork_agent_report(int vm, int result, const char *why);

/** vmfork_get_net() - what the host says of this machine's network. Return: 0; -ENODATA. */
int vmfork_get_net(int vm, struct vmfork_net *ret_net);

/** enum vmfork_call - what failed, for vmfork_strerror(). */
enum vmfork_call {
	VMFORK_CALL_OTHER = 0,
	VMFORK_CALL_OPEN,
	VMFORK_CALL_TICKET,	/* vmfork_request_ticket() */
	VMFORK_CALL_CLONE,	/* vmfork_clone(), vmfork_create_clones() */
	VMFORK_CALL_CHECKPOINT,	/* vmfork_checkpoint(), vmfork_open_checkpoint() */
	VMFORK_CALL_EXIT,
	VMFORK_CALL_MESSAGE,	/* vmfork_send(), vmfork_recv() */
	VMFORK_CALL_PARAMS,	/* vmfork_set_params(), vmfork_get_params() */
	VMFORK_CALL_SECRET,	/* vmfork_secret_deny(), vmfork_secret_wipe() */
	VMFORK_CALL_AGENT,	/* vmfork_agent(), vmfork_agent_report(), vmfork_get_net() */
};

/**
 * vmfork_strerror() - what an error of a call means here and what to do about it.
 * @err:	errno, or as returned (negative)
 * @call:	the call that failed
 * Return: one line in English without a full stop; static, never NULL.
 */
const char *vmfork_strerror(int err, enum vmfork_call call);

#ifdef __cplusplus
}
#endif

#endif /* VMFORK_H */
