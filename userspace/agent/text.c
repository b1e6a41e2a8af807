// SPDX-License-Identifier: GPL-2.0-or-later
/* The texts of identity: /etc/hosts, resolv.conf, IDs. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define MARK	"# by vmfork-agent"

static bool is_loopback(const char *word, size_t len)
{
	return (len >= 4 && !memcmp(word, "127.", 4)) || (len == 3 && !memcmp(word, "::1", 3));
}

static bool has_mark(const char *line, size_t len)
{
	return len >= strlen(MARK) && memmem(line, len, MARK, strlen(MARK));
}

static bool word_is(const char *word, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(word, text, len);
}

/* the length of the next word, which a comment ends too */
static size_t word_length(const char *at, size_t len)
{
	size_t n = 0;

	while (n < len && !isspace((unsigned char)at[n]) && at[n] != '#')
		n++;
	return n;
}

/* One line without its newline. Return: it is a loopback address's and has the name. */
static bool put_line(FILE *out, const char *line, size_t len, const struct hosts_self *self)
{
	bool address = true, loopback = false, found = false;
	size_t n;

	while (len && line[0] != '#') {
		n = word_length(line, len);
		if (!n) {	/* a blank */
			fputc(*line++, out);
			len--;
			continue;
		}
		if (address)
			loopback = is_loopback(line, n);
		if (!address && loopback && word_is(line, n, self->old_name))
			fputs(self->name, out);
		else
			fwrite(line, 1, n, out);
		found |= !address && loopback &&
			 (word_is(line, n, self->old_name) || word_is(line, n, self->name));
		address = false;
		line += n;
		len -= n;
	}
	fwrite(line, 1, len, out);
	fputc('\n', out);
	return found;
}

static void put_self(FILE *out, const char *address, const struct hosts_self *self)
{
	if (self->domain[0])
		fprintf(out, "%s %s.%s %s %s\n", address, self->name, self->domain, self->name, MARK);
	else
		fprintf(out, "%s %s %s\n", address, self->name, MARK);
}

char *hosts_text(const char *old, size_t len, const struct hosts_self *self)
{
	bool found = false;
	const char *end;
	char *text;
	size_t size, n;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (len) {
		end = memchr(old, '\n', len);
		n = end ? (size_t)(end - old) : len;
		if (!has_mark(old, n))
			found |= put_line(out, old, n, self);
		n += end ? 1 : 0;
		old += n;
		len -= n;
	}
	if (self->address)
		put_self(out, self->address, self);
	else if (!found)
		put_self(out, "127.0.1.1", self);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

char *resolv_text(const char *dns, const char *domain)
{
	char *text;
	int r;

	if (domain[0])
		r = asprintf(&text, "%s\nsearch %s\nnameserver %s\n", MARK, domain, dns);
	else
		r = asprintf(&text, "%s\nnameserver %s\n", MARK, dns);
	return r < 0 ? NULL : text;
}

bool name_valid(const char *name)
{
	size_t i, label = 0;

	for (i = 0; name[i]; i++) {
		if (name[i] == '.') {
			if (!label)
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)name[i]) && (name[i] != '-' || !label))
			return false;
		label++;
	}
	return label > 0;
}

static void uuid_v4(const uint8_t random[16], uint8_t uuid[16])
{
	memcpy(uuid, random, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

void machine_id_text(const uint8_t random[16], char text[ID_TEXT_MAX])
{
	uint8_t u[16];
	int i;

	uuid_v4(random, u);
	for (i = 0; i < 16; i++)
		sprintf(text + 2 * i, "%02x", u[i]);
	strcpy(text + 32, "\n");
}

void boot_id_text(const uint8_t random[16], char text[ID_TEXT_MAX])
{
	uint8_t u[16];
	int i, at = 0;

	uuid_v4(random, u);
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		at += sprintf(text + at, "%02x", u[i]);
	}
	strcpy(text + at, "\n");
}
