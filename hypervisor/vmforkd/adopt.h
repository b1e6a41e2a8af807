/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking machines over from a control role that was killed. */
#ifndef VMFORKD_ADOPT_H
#define VMFORKD_ADOPT_H

#include <jansson.h>

#include "vm.h"

/** adopt_all() - @state: of the state file. Goes on by VM_EV_ADOPTED per machine. */
void adopt_all(json_t *state);
/** adopt_vm_found() - VM_EV_ADOPTED. */
void adopt_vm_found(struct vm *vm, int running);

#endif /* VMFORKD_ADOPT_H */
