// SPDX-License-Identifier: LGPL-2.1-or-later
/* Errors in words: what is the matter and what to do about it. */
#include <string.h>

#include "private.h"

struct text {
	int err;
	enum vmfork_call call;	/* OTHER: of any call */
	const char *text;
};

/* A row for the call comes before the row for any. */
static const struct text texts[] = {
	{ ENOENT, VMFORK_CALL_OPEN, "no /dev/vmfork: load the module (modprobe vmfork)" },
	{ EACCES, VMFORK_CALL_OPEN,
	  "no permission on /dev/vmfork: be root or a member of group vmfork" },
	{ ENXIO, VMFORK_CALL_OPEN,
	  "/dev/vmfork has no driver behind it: load the module (modprobe vmfork)" },
	{ EPERM, VMFORK_CALL_EXIT, "this is a root VM, not a clone: shut it down as usual" },
	{ EDQUOT, VMFORK_CALL_TICKET,
	  "the host's policy grants no (or not so many) clones: ask for fewer, or see its log" },
	{ EINVAL, VMFORK_CALL_TICKET,
	  "the number of clones is 0 or above what one ticket may ask for" },
	{ EOPNOTSUPP, VMFORK_CALL_TICKET,
	  "this machine has what cannot be forked (its host's vmforkd names it), or the host does "
	  "no limits on clones' memory and CPU" },
	{ EBUSY, VMFORK_CALL_CLONE,
	  "this ticket was used already, or a process holds a secret (dmesg names it)" },
	{ EBUSY, VMFORK_CALL_CHECKPOINT, "a process holds a secret (dmesg names it)" },
	{ EAGAIN, VMFORK_CALL_CLONE,
	  "this machine is a clone whose agent has not completed its identity yet" },
	{ EAGAIN, VMFORK_CALL_CHECKPOINT,
	  "this machine is a clone whose agent has not completed its identity yet" },
	{ EPERM, VMFORK_CALL_AGENT, "an agent needs CAP_SYS_ADMIN, and alone may report" },
	{ EBUSY, VMFORK_CALL_AGENT, "there is an agent already, or a report is on its way" },
	{ EINVAL, VMFORK_CALL_AGENT, "nobody is held: this machine is not a fresh clone" },
	{ ENODATA, VMFORK_CALL_AGENT, "the host leaves the network to the guest" },
	{ EINVAL, VMFORK_CALL_SECRET,
	  "a secret is whole pages of private writable memory" },
	{ EEXIST, VMFORK_CALL_SECRET, "this descriptor denies forks already" },
	{ ENOMEM, VMFORK_CALL_SECRET, "more than RLIMIT_MEMLOCK or than 1 MiB of secrets" },
	{ EOPNOTSUPP, VMFORK_CALL_SECRET, "the host would put the secret into images all the same" },
	{ ENODATA, VMFORK_CALL_PARAMS, "this machine was given no parameters" },
	{ EMSGSIZE, VMFORK_CALL_PARAMS, "the buffer is too small for the parameters" },
	{ EINVAL, VMFORK_CALL_PARAMS, "more than 16384 bytes, or no such clone" },
	{ EBUSY, VMFORK_CALL_PARAMS, "the ticket was used already" },
	{ EOPNOTSUPP, VMFORK_CALL_PARAMS, "the host does not do parameters" },
	{ EOPNOTSUPP, VMFORK_CALL_CLONE,
	  "this machine cannot be forked (encrypted memory, or another hazard of vmfork_api)" },
	{ EOPNOTSUPP, VMFORK_CALL_CHECKPOINT,
	  "this machine cannot be forked (encrypted memory, or another hazard of vmfork_api)" },
	{ ENOENT, VMFORK_CALL_CLONE, "the checkpoint is gone" },
	{ ENOENT, VMFORK_CALL_CHECKPOINT,
	  "no checkpoint of that name in this family: see vmforkctl checkpoint ls" },
	{ EEXIST, VMFORK_CALL_CHECKPOINT,
	  "the name is taken: choose another, or vmforkctl checkpoint rm on the host" },
	{ EINVAL, VMFORK_CALL_CHECKPOINT,
	  "a name is 1 to 63 of A-Z a-z 0-9 . _ -, does not begin with . or - and is not digits alone" },
	{ EPIPE, VMFORK_CALL_MESSAGE, "the receiver has ended" },
	{ EMSGSIZE, VMFORK_CALL_MESSAGE, "the buffer is too small for this record" },
	{ EINVAL, VMFORK_CALL_MESSAGE, "a message has 1 to 16384 bytes, to an existing clone" },
	{ EBADMSG, VMFORK_CALL_OTHER,
	  "what was read is no record: library and module do not match" },
	{ ENODEV, VMFORK_CALL_OTHER,
	  "no channel to the host: is this VM run by vmforkd, and is vmforkd alive?" },
	{ ENOSPC, VMFORK_CALL_OTHER, "the host has no space left for images or overlays" },
	{ ENOMEM, VMFORK_CALL_OTHER, "not enough memory, here or on the host" },
	{ ECHILD, VMFORK_CALL_OTHER, "no such clone, or its end was reported already" },
	{ ESTALE, VMFORK_CALL_OTHER,
	  "this belongs to the machine that this one was forked from: open or request it anew" },
	{ ETIMEDOUT, VMFORK_CALL_OTHER, "the host did not answer in time: see vmforkd's log" },
	{ EIO, VMFORK_CALL_OTHER, "the host failed or gave no sensible answer: see vmforkd's log" },
	{ ENOTTY, VMFORK_CALL_OTHER, "no such call on this kind of descriptor" },
};

VMFORK_EXPORT const char *vmfork_strerror(int err, enum vmfork_call call)
{
	int e = err < 0 ? -err : err;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].err == e &&
		    (texts[i].call == call || texts[i].call == VMFORK_CALL_OTHER))
			return texts[i].text;
	text = strerrordesc_np(e);
	return text ? text : "unknown error";
}
