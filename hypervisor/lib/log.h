/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines of the daemons: stderr, with sd-daemon(3) level prefixes under systemd. */
#ifndef VMFORK_LOG_H
#define VMFORK_LOG_H

enum log_level { LOG_L_ERR = 3, LOG_L_WARN = 4, LOG_L_INFO = 6, LOG_L_DEBUG = 7 };

/** log_init() - @ident begins every line; the level comes from VMFORK_LOG
 * ("error", "warning", "info", "debug"; default info). */
void log_init(const char *ident);
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_err(...)	log_line(LOG_L_ERR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_L_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_L_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_L_DEBUG, __VA_ARGS__)

#endif /* VMFORK_LOG_H */
