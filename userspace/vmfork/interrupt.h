/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that end vmfork(1): the first one in order, the second at once. */
#ifndef WRAPPER_INTERRUPT_H
#define WRAPPER_INTERRUPT_H

/**
 * interrupt_init() - from now on SIGINT, SIGTERM and SIGHUP (unless ignored) are
 * noted; a second one exits with 128 + signal on the spot, and the kernel closes the
 * ticket, which kills the clones. SIGPIPE becomes EPIPE.
 * Return: 0 or -errno.
 */
int interrupt_init(void);

/** interrupt_fd() - readable once a signal came. */
int interrupt_fd(void);

/** interrupt_signal() - the first signal that came, or 0. */
int interrupt_signal(void);

#endif /* WRAPPER_INTERRUPT_H */
