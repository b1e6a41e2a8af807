// SPDX-License-Identifier: GPL-2.0-or-later
/* agent.conf: sections, "key = value" lines, a table of keys. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "file.h"

enum kind {
	KIND_BOOL,
	KIND_CHOICE,	/* an enum; its names in their order */
	KIND_TIME,	/* milliseconds in an unsigned int */
	KIND_TEXT,	/* WORD_MAX bytes */
	KIND_WORDS,
	KIND_STEPS,	/* a bit for each step */
};

struct key {
	const char *section;
	const char *name;
	enum kind kind;
	size_t offset;
	const char *const *choices;
};

static const char *const without_host[] = { "down", "dhcp", NULL };
static const char *const machine_id[] = { "persistent", "transient", "keep", NULL };
static const char *const host_keys[] = { "keep", "regenerate", "params", NULL };
static const char *const timers[] = { "skip", "keep", NULL };

#define AT(member) offsetof(struct config, member)
static const struct key keys[] = {
	{ "agent", "timeout", KIND_TIME, AT(timeout_ms), NULL },
	{ "agent", "optional", KIND_STEPS, AT(optional), NULL },
	{ "network", "configure-root", KIND_BOOL, AT(net_root), NULL },
	{ "network", "destroy-sockets", KIND_BOOL, AT(net_sockets), NULL },
	{ "network", "resolv-conf", KIND_BOOL, AT(net_resolv_conf), NULL },
	{ "network", "without-host", KIND_CHOICE, AT(net_without_host), without_host },
	{ "network", "dhcp-command", KIND_TEXT, AT(net_dhcp), NULL },
	{ "identity", "hostname", KIND_BOOL, AT(hostname), NULL },
	{ "identity", "hosts", KIND_BOOL, AT(hosts), NULL },
	{ "identity", "machine-id", KIND_CHOICE, AT(machine_id), machine_id },
	{ "identity", "boot-id", KIND_BOOL, AT(boot_id), NULL },
	{ "kill", "units", KIND_WORDS, AT(kill_units), NULL },
	{ "kill", "executables", KIND_WORDS, AT(kill_executables), NULL },
	{ "kill", "restart", KIND_BOOL, AT(kill_restart), NULL },
	{ "ssh", "host-keys", KIND_CHOICE, AT(host_keys), host_keys },
	{ "ssh", "key-types", KIND_WORDS, AT(key_types), NULL },
	{ "hooks", "directory", KIND_TEXT, AT(hooks_dir), NULL },
	{ "hooks", "pre-timeout", KIND_TIME, AT(pre_timeout_ms), NULL },
	{ "hooks", "post-timeout", KIND_TIME, AT(post_timeout_ms), NULL },
	{ "after", "reexec", KIND_BOOL, AT(reexec), NULL },
	{ "after", "restart-journald", KIND_BOOL, AT(journald), NULL },
	{ "after", "timers", KIND_CHOICE, AT(timers), timers },
	{ "after", "settle", KIND_TIME, AT(settle_ms), NULL },
};

/** struct span - bytes of a line. */
struct span {
	const char *at;
	size_t len;
};

static int fail(struct config_error *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int fail(struct config_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void config_init(struct config *c)
{
	*c = (struct config) {
		.timeout_ms = 30000,
		.net_sockets = true,
		.net_resolv_conf = true,
		.hostname = true,
		.hosts = true,
		.boot_id = true,
		.kill_restart = true,
		.hooks_dir = "/etc/vmfork/clone.d",
		.pre_timeout_ms = 10000,
		.post_timeout_ms = 600000,
		.reexec = true,
		.journald = true,
		.settle_ms = 30000,
	};
	words_add(&c->key_types, "ed25519", strlen("ed25519"));
}

int words_add(struct words *w, const char *word, size_t len)
{
	unsigned int i;

	if (len >= WORD_MAX)
		return -ENAMETOOLONG;
	for (i = 0; i < w->n; i++)
		if (strlen(w->word[i]) == len && !memcmp(w->word[i], word, len))
			return 0;
	if (w->n == WORDS_MAX)
		return -ENOSPC;
	memcpy(w->word[w->n], word, len);
	w->word[w->n++][len] = '\0';
	return 0;
}

static struct span trim(struct span s)
{
	while (s.len && isspace((unsigned char)s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && isspace((unsigned char)s.at[s.len - 1]))
		s.len--;
	return s;
}

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.at, text, s.len);
}

/* the next word of *@s, which loses it; empty at the end */
static struct span next_word(struct span *s)
{
	struct span word = trim(*s);
	size_t n = 0;

	while (n < word.len && !isspace((unsigned char)word.at[n]))
		n++;
	s->at = word.at + n;
	s->len = word.len - n;
	word.len = n;
	return word;
}

static int parse_bool(struct span v, bool *ret)
{
	if (!span_is(v, "yes") && !span_is(v, "no"))
		return -EINVAL;
	*ret = v.at[0] == 'y';
	return 0;
}

static int parse_choice(struct span v, const char *const *choices, void *ret)
{
	unsigned int i;

	for (i = 0; choices[i]; i++) {
		if (!span_is(v, choices[i]))
			continue;
		memcpy(ret, &i, sizeof(i));
		return 0;
	}
	return -EINVAL;
}

/* "250ms", "30s", "10min", or seconds without a unit; at most a day */
static int parse_time(struct span v, unsigned int *ret_ms)
{
	unsigned long long n = 0, unit;
	size_t i;

	for (i = 0; i < v.len && isdigit((unsigned char)v.at[i]) && n < 100000000; i++)
		n = n * 10 + (unsigned long long)(v.at[i] - '0');
	if (!i)
		return -EINVAL;
	v.at += i;
	v.len -= i;
	v = trim(v);
	if (span_is(v, "ms"))
		unit = 1;
	else if (!v.len || span_is(v, "s"))
		unit = 1000;
	else if (span_is(v, "min"))
		unit = 60000;
	else
		return -EINVAL;
	if (n * unit > 86400000)
		return -EINVAL;
	*ret_ms = (unsigned int)(n * unit);
	return 0;
}

static int parse_text(struct span v, char *ret)
{
	if (v.len >= WORD_MAX || memchr(v.at, '\0', v.len))
		return -EINVAL;
	memcpy(ret, v.at, v.len);
	ret[v.len] = '\0';
	return 0;
}

/* A second line of the same key adds to the first; an empty value empties the list. */
static int parse_words(struct span v, struct words *ret)
{
	struct span word;

	if (!v.len)
		ret->n = 0;
	while ((word = next_word(&v)).len)
		if (memchr(word.at, '\0', word.len) || words_add(ret, word.at, word.len))
			return -EINVAL;
	return 0;
}

static int parse_steps(struct span v, uint32_t *ret)
{
	struct span word;
	int step;

	while ((word = next_word(&v)).len) {
		step = step_find(word.at, word.len);
		if (step < 0)
			return -EINVAL;
		*ret |= 1U << step;
	}
	return 0;
}

static int set_value(struct config *c, const struct key *key, struct span v)
{
	void *at = (char *)c + key->offset;

	switch (key->kind) {
	case KIND_BOOL:
		return parse_bool(v, at);
	case KIND_CHOICE:
		return parse_choice(v, key->choices, at);
	case KIND_TIME:
		return parse_time(v, at);
	case KIND_TEXT:
		return parse_text(v, at);
	case KIND_WORDS:
		return parse_words(v, at);
	default:
		return parse_steps(v, at);
	}
}

static int parse_key(struct config *c, const char *section, struct span name,
		     struct span value, struct config_error *e)
{
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].section, section) || !span_is(name, keys[i].name))
			continue;
		if (set_value(c, &keys[i], value))
			return fail(e, "'%.*s' is no value for %s", (int)(value.len < 40 ? value.len : 40),
				    value.at, keys[i].name);
		return 0;
	}
	return fail(e, "no key '%.*s' in [%s]", (int)(name.len < 40 ? name.len : 40), name.at,
		    section);
}

static int parse_section(struct span line, const char **section, struct config_error *e)
{
	struct span name = { line.at + 1, line.len - 1 };
	size_t i;

	if (line.at[line.len - 1] != ']' || line.len < 3)
		return fail(e, "a section without its ']'");
	name.len--;
	name = trim(name);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (span_is(name, keys[i].section)) {
			*section = keys[i].section;
			return 0;
		}
	}
	return fail(e, "no section [%.*s]", (int)(name.len < 40 ? name.len : 40), name.at);
}

static int parse_line(struct config *c, const char **section, struct span line,
		      struct config_error *e)
{
	const char *equals;
	struct span name, value;

	line = trim(line);
	if (!line.len || line.at[0] == '#' || line.at[0] == ';')
		return 0;
	if (line.at[0] == '[')
		return parse_section(line, section, e);
	equals = memchr(line.at, '=', line.len);
	if (!equals)
		return fail(e, "neither a section nor 'key = value'");
	if (!*section)
		return fail(e, "a key before any section");
	name = trim((struct span) { line.at, (size_t)(equals - line.at) });
	value = trim((struct span) { equals + 1, (size_t)(line.at + line.len - equals - 1) });
	return parse_key(c, *section, name, value, e);
}

int config_parse(struct config *c, const char *buf, size_t len, struct config_error *e)
{
	const char *section = NULL, *end;
	struct words key_types = c->key_types;
	size_t n;
	int r;

	*e = (struct config_error) { 0 };
	c->key_types.n = 0;
	while (len) {
		end = memchr(buf, '\n', len);
		n = end ? (size_t)(end - buf) : len;
		e->line++;
		r = parse_line(c, &section, (struct span) { buf, n }, e);
		if (r)
			return r;
		n += end ? 1 : 0;
		buf += n;
		len -= n;
	}
	if (!c->key_types.n)
		c->key_types = key_types;
	return 0;
}

int config_load(struct config *c, const char *path, bool must_exist, struct config_error *e)
{
	char *buf;
	size_t len;
	int r;

	*e = (struct config_error) { 0 };
	r = file_read(path, CONFIG_MAX, &buf, &len);
	if (r == -ENOENT && !must_exist)
		return 0;
	if (r) {
		fail(e, "%s", strerror(-r));
		return r;
	}
	r = config_parse(c, buf, len, e);
	free(buf);
	return r;
}
