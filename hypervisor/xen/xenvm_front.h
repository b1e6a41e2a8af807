/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two processes per domain, so that it ends whichever of them is killed. */
#ifndef VMFORK_XENVM_FRONT_H
#define VMFORK_XENVM_FRONT_H

#include <stdbool.h>
#include <stdint.h>
#include <libxl.h>

/**
 * DOC: Who destroys the domain
 *
 * The process in front does, when the one that tends the domain has ended, in whatever way. It finds the
 * domain by its UUID: nobody else knows of one that libxl was about to make. And it has no
 * threads. libxl forks to destroy a domain, and a lock that another thread holds at that moment is
 * held for ever in that child: the domain would stay. If the process in front is killed the
 * other one does it, after it has got rid of its threads by executing itself.
 */

/**
 * front_start() - go on in a child; the process that vmforkd started stays in front.
 * @uuid: what the domain is to have as its own
 *
 * The front one waits for the child and passes SIGTERM on. If it is killed the child gets
 * SIGTERM. Return: true, in the child; false: there is no child. The front one never returns.
 */
bool front_start(const libxl_uuid *uuid);

/** front_end() - the child's end, and with it the domain's. Never returns. */
void front_end(const libxl_uuid *uuid) __attribute__((noreturn));

#define FRONT_DESTROY	"--destroy"
/** front_destroy() - what front_end() executes. @text: the UUID. Return: exit status */
int front_destroy(const char *text);

#endif /* VMFORK_XENVM_FRONT_H */
