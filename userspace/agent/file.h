/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files, at once. */
#ifndef AGENT_FILE_H
#define AGENT_FILE_H

#include <stddef.h>
#include <sys/types.h>

#define RUN_DIR		"/run/vmfork"

/**
 * file_read() - all of a file of at most @max bytes.
 * @ret_buf:	malloc()ed, with a NUL behind it
 * Return: 0 or -errno; -EFBIG.
 */
int file_read(const char *path, size_t max, char **ret_buf, size_t *ret_len);

/** file_replace() - write a new file beside @path and rename it there. */
int file_replace(const char *path, mode_t mode, const char *buf, size_t len);

/**
 * file_overwrite() - write into the file that is there (or make it): whoever has it
 * open or mounted elsewhere sees the new content.
 */
int file_overwrite(const char *path, mode_t mode, const char *buf, size_t len);

/**
 * file_rewrite() - overwrite @path if it is a file with no other name, else replace it.
 * For what is written while all others are held and nobody can see half of it: ext4
 * writes to its disk at once when a file is renamed over another, or cut to nothing.
 */
int file_rewrite(const char *path, mode_t mode, const char *buf, size_t len);

#endif /* AGENT_FILE_H */
