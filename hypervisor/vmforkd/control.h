/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control role: everything but owning processes. */
#ifndef VMFORKD_CONTROL_H
#define VMFORKD_CONTROL_H

/** control_run() - the whole role; the keeper's socket is descriptor 3. */
int control_run(void);

#endif /* VMFORKD_CONTROL_H */
