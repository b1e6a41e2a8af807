/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TAP output, and the list of tests of vmfork-pager-test. */
#ifndef VMFORK_TAP_H
#define VMFORK_TAP_H

#include <stdbool.h>

/** ok() - one line of result; the text says what is so when it passed. */
bool ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void skip(const char *why, const char *what);

/** same() - ok() of two numbers being equal; prints both if not. */
bool same(long long got, long long want, const char *what);

struct test {
	const char *name;
	void (*run)(void);
};

void test_clones(void);
void test_avoid(void);
void test_generations(void);
void test_restart(void);
void test_restart_fill(void);
void test_nospace(void);
void test_snapshot_gone(void);
void test_requests(void);
void test_reconnect(void);
void test_ramlib(void);
void test_record(void);
void test_fill(void);
void test_fill_lower(void);

#endif /* VMFORK_TAP_H */
