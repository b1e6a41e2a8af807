/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as tar(1) archives: made by it, taken apart by it. */
#ifndef WRAPPER_ARCHIVE_H
#define WRAPPER_ARCHIVE_H

#include <sys/types.h>

#include "options.h"

/**
 * archive_read() - start a tar(1) that archives @paths.
 * @base:	names in the archive are relative to it: "/" with the whole path, or NULL:
 *		the last component of each alone
 * @ret_fd:	the archive, to be read up to its end
 * Return: its pid, or -errno.
 */
pid_t archive_read(const struct paths *paths, const char *base, int *ret_fd);

/**
 * archive_write() - start a tar(1) that unpacks into @dir, which exists.
 * @ret_fd:	for the archive; close it at the end
 * tar refuses names with ".." and takes "/" off their front, so whoever wrote the
 * archive reaches nothing outside @dir.
 * Return: its pid, or -errno.
 */
pid_t archive_write(const char *dir, int *ret_fd);

/** archive_end() - wait for it. Return: 0, or -EIO: tar said on stderr what is wrong. */
int archive_end(pid_t pid);

#endif /* WRAPPER_ARCHIVE_H */
