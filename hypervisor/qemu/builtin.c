// SPDX-License-Identifier: GPL-2.0-or-later
/* The hypervisor of vmforkd: QEMU. */
#include "backend.h"

const struct backend_ops *const backend_builtin = &qemu_backend;
