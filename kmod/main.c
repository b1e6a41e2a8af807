// SPDX-License-Identifier: GPL-2.0
/* vmfork: fork(2) for whole virtual machines, the guest's part. */
#include <linux/module.h>

#include "agent.h"
#include "avoid.h"
#include "channel.h"
#include "chardev.h"
#include "gate.h"
#include "hostfork.h"
#include "identity.h"
#include "request.h"
#include "transport.h"

/**
 * DOC: The module
 *
 *   chardev     /dev/vmfork                ticket      the right to clones
 *   checkpoint  an instant to clone        mailbox     records, parent <-> clones
 *   request     questions to the host      receive     messages from it
 *   hostfork    forks it asks for          channel     rings, epoch, locks (read this first)
 *   forkpoint   the instant of the fork    transport   what carries the channel
 *   suspend     the same, over Xen
 *   identity    handles, RNG, clock        gate        holds a clone's user tasks
 *   avoid       pages not worth fetching   agent       completes a clone's identity
 *   told        network and parameters     params      of one's own clones
 *   secret      memory clones do not have  generation  a page that programs map
 *   lineage     whom it comes from         sysfs       figures
 *   freeset, freehook, iohook: avoid's policies; hook: tracepoints by name
 *   dropcache   page cache, before a fork
 *
 *   ring, layout, name, bits: pure functions, also unit-tested in user space
 */
static int __init vmfork_init(void)
{
	int r;

	r = vmfork_channel_init();
	if (r)
		return r;
	r = vmfork_identity_init();
	if (r)
		goto exit_channel;
	r = vmfork_gate_init();
	if (r)
		goto exit_identity;
	r = vmfork_avoid_init();
	if (r)
		goto exit_gate;
	r = vmfork_chardev_init();
	if (r)
		goto exit_avoid;
	r = vmfork_ivshmem_register();
	if (r)
		goto exit_chardev;
	r = vmfork_xen_register();
	if (r)
		goto exit_ivshmem;
	return 0;

exit_ivshmem:
	vmfork_ivshmem_unregister();
exit_chardev:
	vmfork_chardev_exit();
exit_avoid:
	vmfork_avoid_exit();
exit_gate:
	vmfork_gate_exit();
exit_identity:
	vmfork_identity_exit();
exit_channel:
	vmfork_channel_exit();
	return r;
}

static void __exit vmfork_exit(void)
{
	vmfork_xen_unregister();
	vmfork_ivshmem_unregister();
	vmfork_hostfork_exit();
	vmfork_chardev_exit();
	vmfork_request_purge();
	vmfork_agent_exit();
	vmfork_avoid_exit();
	vmfork_gate_exit();
	vmfork_identity_exit();
	vmfork_channel_exit();
}

module_init(vmfork_init);
module_exit(vmfork_exit);

MODULE_DESCRIPTION("fork(2) for whole virtual machines");
MODULE_AUTHOR("The vmfork authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMFORK_VERSION);
