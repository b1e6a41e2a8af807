/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's command line. */
#ifndef VMFORK_QEMU_ARGS_H
#define VMFORK_QEMU_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "backend.h"
#include "layer.h"

#define ARGS_MAX	256
#define ARGS_NODES_MAX	(3 * VM_DISKS_MAX)

/** enum child_fd - what QEMU finds at which descriptor. */
enum child_fd {
	CHILD_RAM = 3,		/* the RAM file: a stub, see ramlib_proto.h */
	CHILD_RAMCTL,
	CHILD_QMP,		/* listening */
	CHILD_CONSOLE,		/* listening */
	CHILD_CONSOLE_LOG,
	CHILD_IVSHMEM,
	CHILD_MORE,		/* disks' layers, /dev/userfaultfd */
};

/* fdsets of the command line; those of layers have the layer's ID (layer.h) */
#define FDSET_CONSOLE_LOG	1

/** struct args_fd - descriptor @fd of the child goes into fdset @set. */
struct args_fd {
	int fd;
	unsigned int set;
};

/**
 * struct args_in - all that the command line depends on.
 * @accel:	"kvm" or "tcg"
 * @standby:	waits for a descriptor: no kernel, no reboot
 * @tap:	with net "bridge": the child's descriptor of its tap; @mac: of its device
 * @nodes:	what -blockdev gets, lower ones first
 * @drives:	per disk: the node that the device gets
 */
struct args_in {
	const struct vm_config *config;
	const char *program;
	const char *accel;
	bool standby;
	int tap;
	uint8_t mac[6];
	struct args_fd fds[2 * VM_DISKS_MAX];
	unsigned int nfds;
	json_t *nodes[ARGS_NODES_MAX];
	unsigned int nnodes;
	char drives[VM_DISKS_MAX][LAYER_NODE_MAX];
};

struct args {
	char *v[ARGS_MAX + 1];
	unsigned int n;
};

/** args_build() - Return: 0 and @args (args_free()), -ENOMEM or -E2BIG. */
int args_build(const struct args_in *in, struct args *args);
void args_free(struct args *args);

#endif /* VMFORK_QEMU_ARGS_H */
