// SPDX-License-Identifier: GPL-2.0-or-later
/* The hypervisor of vmforkd-xen: Xen. */
#include "backend.h"

const struct backend_ops *const backend_builtin = &xen_backend;
