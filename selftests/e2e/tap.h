/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TAP of a program of several files: a line per result, the plan last. */
#ifndef E2E_TAP_H
#define E2E_TAP_H

#include <stdbool.h>

/** tap_ok() - one result. Return: @good. */
bool tap_ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** tap_diag() - a line for people. */
void tap_diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** tap_bail() - nothing more can be tested. */
void tap_bail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/** tap_done() - the plan. Return: main()'s status. */
int tap_done(void);

#endif /* E2E_TAP_H */
