/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two processes per domain, so that it ends whichever of them is killed. */
#ifndef VMFORK_XENVM_FRONT_H
#define VMFORK_XENVM_FRONT_H

#include <stdbool.h>
#include <stdint.h>
#include <xenctrl.h>
#include <libxl.h>

/**
 * front_start() - go on in a child; the process that vmforkd started stays in front.
 * @uuid: what the domain is to have as its own
 *
 * The front one waits for the child and passes SIGTERM on. If it is killed the child gets
 * SIGTERM; when the child has ended, however, it destroys the domain that has @uuid, if there is
 * one. Nobody else knows of a domain that libxl was about to make when the child was killed.
 * Return: true, in the child; false: there is no child. The front one never returns.
 */
bool front_start(const libxl_uuid *uuid);

/** domain_find() - the domain of that UUID; 0: there is none, but perhaps one that is being taken down. */
uint32_t domain_find(xc_interface *xc, const libxl_uuid *uuid);

#endif /* VMFORK_XENVM_FRONT_H */
