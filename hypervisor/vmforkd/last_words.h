/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine that is lost said last: its directory goes with it. */
#ifndef VMFORK_LAST_WORDS_H
#define VMFORK_LAST_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define LAST_WORDS_BYTES 8192	/* a panic with its trace */
#define SAID_MAX	256	/* a line of it */

struct vm;

/**
 * last_words_next() - the next line of a guest's console output.
 * @text, @len:	hostile bytes; @text is overwritten: what is not printable ASCII
 *		becomes '?'
 * @pos:	where to go on; 0 at first
 * Return: a NUL-terminated line, never empty; NULL: no more.
 */
char *last_words_next(char *text, size_t len, size_t *pos);

/** last_words_of() - what a kernel's last line says: pure. @line without its time stamp,
 * and of a panic's just why; it points into @line, which is overwritten. */
const char *last_words_of(char *line);

/** last_words() - log the end of @vm's console log, LAST_WORDS_BYTES at most.
 * @said: why it panicked, else what its last line says; "": there is none
 * Return: it panicked; else nobody knows. */
bool last_words(const struct vm *vm, char *said, size_t len);

/** last_words_hypervisor() - @said: the last line of what its hypervisor wrote; "": nothing. */
void last_words_hypervisor(const struct vm *vm, char *said, size_t len);

#endif /* VMFORK_LAST_WORDS_H */
