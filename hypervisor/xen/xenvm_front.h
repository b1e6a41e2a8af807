/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two processes per domain, so that it ends whichever of them is killed. */
#ifndef VMFORK_XENVM_FRONT_H
#define VMFORK_XENVM_FRONT_H

#include <stdint.h>

/**
 * front_start() - go on in a child; the process that vmforkd started stays in front.
 *
 * The front one waits for the child and passes SIGTERM on. If it is killed the child gets
 * SIGTERM; if the child is killed it destroys the domain whose number is in the shared word.
 * Return: the shared word, in the child; NULL: there is no memory. The front one never returns.
 */
uint32_t *front_start(void);

#endif /* VMFORK_XENVM_FRONT_H */
