/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's terminal, changed for a while and given back on every way out. */
#ifndef VMFORKCTL_TERMINAL_H
#define VMFORKCTL_TERMINAL_H

enum terminal_mode {
	TERMINAL_PLAIN,		/* as it is; signals only */
	TERMINAL_KEYS,		/* key by key, no echo; Ctrl-C stays a signal */
	TERMINAL_RAW,		/* every byte as it is */
};

/**
 * terminal_begin() - @mode for stdin's terminal. SIGINT, SIGTERM, SIGHUP and SIGQUIT
 * are held back from now on: they make terminal_signal_fd() readable instead, so that
 * the caller leaves by terminal_end(); SIGPIPE is ignored. Return: 0 or -errno.
 */
int terminal_begin(enum terminal_mode mode);
int terminal_signal_fd(void);
void terminal_end(void);

#endif /* VMFORKCTL_TERMINAL_H */
