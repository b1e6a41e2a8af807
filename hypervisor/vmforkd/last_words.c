// SPDX-License-Identifier: GPL-2.0-or-later
/* What a machine that is lost said last: its directory goes with it. */
#include "last_words.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "log.h"
#include "util.h"
#include "vm.h"

char *last_words_next(char *text, size_t len, size_t *pos)
{
	size_t begin, end;

	for (begin = *pos; begin < len; begin = end + 1) {
		for (end = begin; end < len && text[end] != '\n'; end++)
			if (text[end] < ' ' || text[end] > '~')
				text[end] = text[end] == '\r' ? ' ' : '?';
		if (end == len)
			break;	/* the caller's buffer has room for a newline at its end */
		*pos = end + 1;
		text[end] = '\0';
		if (end > begin)
			return text + begin;
	}
	*pos = len;
	return NULL;
}

/* Return: bytes of the file's end, or 0. */
static size_t read_tail(const char *path, char *buf, size_t len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	n = pread(fd, buf, len, st.st_size > (off_t)len ? st.st_size - (off_t)len : 0);
	return n > 0 ? (size_t)n : 0;
}

#define PANIC "not syncing: "

const char *last_words_of(char *line)
{
	static const char end[] = " ]---";
	size_t n = strlen(line);
	char *s, *tail;

	while (n && line[n - 1] == ' ')
		line[--n] = '\0';
	s = strstr(line, PANIC);
	if (s) {
		s += strlen(PANIC);
		tail = strstr(s, end);
		if (tail)
			*tail = '\0';
		return s;
	}
	s = line[0] == '[' ? strstr(line, "] ") : NULL;
	return s ? s + 2 : line;
}

/* @which: member of the backend's description that has the path. Return: as read_tail(), with
 * a newline at the end. */
static size_t read_log(const struct vm *vm, const char *which, char text[LAST_WORDS_BYTES + 1])
{
	json_t *about = vm->backend ? json_object() : NULL;
	const char *path;
	size_t len = 0;

	if (about && core.backend->describe) {
		core.backend->describe(vm, about);
		path = json_string_value(json_object_get(about, which));
		len = path ? read_tail(path, text, LAST_WORDS_BYTES) : 0;
	}
	if (len)
		text[len++] = '\n';
	json_decref(about);
	return len;
}

void last_words_hypervisor(const struct vm *vm, char *said, size_t max)
{
	char text[LAST_WORDS_BYTES + 1], *line;
	size_t len = read_log(vm, "hypervisor_log", text), pos = 0;

	said[0] = '\0';
	while ((line = last_words_next(text, len, &pos)))
		snprintf(said, max, "%s", line);
}

bool last_words(const struct vm *vm, char *said, size_t max)
{
	char text[LAST_WORDS_BYTES + 1], *line;
	size_t len = read_log(vm, "log", text), pos = 0;
	bool panicked = false;	/* what comes after it tells less */

	said[0] = '\0';
	while ((line = last_words_next(text, len, &pos))) {
		log_warn("%s: console: %s", vm->name, line);
		if (panicked && !strstr(line, PANIC))
			continue;
		panicked |= strstr(line, PANIC) != NULL;
		snprintf(said, max, "%s", last_words_of(line));
	}
	return panicked;
}
