/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the end-to-end tests in the guest share. */
#ifndef E2E_H
#define E2E_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vmfork.h>

/**
 * DOC: End-to-end tests in the guest
 *
 * vmfork-e2e TEST [ARG...] runs one test and prints TAP. Only the machine that
 * began the test prints: its clones send what they saw as messages over their link,
 * and end by EXIT with a status. A clone that cannot go on ends with CLONE_BROKEN,
 * which no test uses otherwise.
 *
 * No test waits for a time to pass where it can wait for an event; watchdog() ends
 * one that hangs.
 */
#define PAGE 4096UL
#define CLONES_TEST_MAX 64
#define CLONE_BROKEN 99

/* the tests; each returns main()'s status */
int test_fidelity(int argc, char **argv);
int test_forks(int argc, char **argv);
int test_ahead(int argc, char **argv);
int test_generations(int argc, char **argv);
int test_smp(int argc, char **argv);
int test_ticket(int argc, char **argv);
int test_abandon(int argc, char **argv);
int test_ends(int argc, char **argv);
int test_messages(int argc, char **argv);
int test_doorbell(int argc, char **argv);
int test_checkpoint(int argc, char **argv);
int test_disk(int argc, char **argv);
int test_clock(int argc, char **argv);
int test_connections(int argc, char **argv);
int test_library(int argc, char **argv);
int test_limits(int argc, char **argv);
int test_rubbish(int argc, char **argv);
int test_forkloop(int argc, char **argv);
int test_params(int argc, char **argv);
int test_agent(int argc, char **argv);
int test_grants(int argc, char **argv);
int test_faultload(int argc, char **argv);
int test_lodger(int argc, char **argv);
int test_file(int argc, char **argv);
int test_dropcache(int argc, char **argv);
int test_poison(int argc, char **argv);
int test_pressure(int argc, char **argv);
int test_cma(int argc, char **argv);

/* machine.c: /dev/vmfork without error handling in every test */

/** machine_open() - /dev/vmfork, or bail out. */
int machine_open(void);
/** machine_identity() - of @vm, or bail out. */
struct vmfork_identity machine_identity(int vm);
/** machine_ticket() - a ticket for exactly @n clones, or bail out. */
int machine_ticket(int vm, unsigned int n);
/** machine_clone() - fork, or bail out. Return: 0 or the clone's ID. */
int machine_clone(int ticket);
/** clone_exit() - end this clone. */
void clone_exit(int vm, int status) __attribute__((noreturn));
/** clone_broken() - end this clone: something that is not under test went wrong. */
void clone_broken(int vm, const char *what, int err) __attribute__((noreturn));
/** clone_send() - to the parent, or clone_broken(). */
void clone_send(int vm, int link, unsigned int tag, const void *buf, size_t len);
/** clone_await() - the next message from the parent must have @tag, or clone_broken(). */
void clone_await(int vm, int link, unsigned int tag);
/** tell() - a message without content to clones 1..@m, or bail out. */
void tell(int ticket, unsigned int m, unsigned int tag);
/** gather() - one message of @tag and @size from each of @m clones into into[id - 1]; exits
 * of clones that have sent theirs are kept for gather_exits(),
 * anything else that comes is a failed test. Return: all came. */
bool gather(int ticket, unsigned int m, unsigned int tag, void *into, size_t size);
/** gather_exits() - read the exits of @m clones into exits[id - 1]. Return: all came. */
bool gather_exits(int ticket, unsigned int m, struct vmfork_exit_info *exits);
/** ended() - is @e an EXITED with @status? */
bool ended(const struct vmfork_exit_info *e, int status);
const char *reason_name(unsigned int reason);

/** watchdog() - end this process after @seconds, in each machine. */
void watchdog(unsigned int seconds);

/* pattern.c: memory whose contents are known */

/** pages_new() - @pages of fresh anonymous memory, or bail out. */
uint64_t *pages_new(size_t pages);
/** pages_high() - how many of these pages, which were written, the guest has above 4 GiB. */
size_t pages_high(const uint64_t *mem, size_t pages);
/** pattern_fill() - page i gets words that depend on @seed, i and their place. */
void pattern_fill(uint64_t *mem, size_t pages, uint64_t seed);
/** pattern_fill_some() - only the pages i with i % @step == @first. */
void pattern_fill_some(uint64_t *mem, size_t pages, uint64_t seed, size_t step, size_t first);
/** pattern_bad() - how many pages are not as pattern_fill() left them. */
size_t pattern_bad(const uint64_t *mem, size_t pages, uint64_t seed);
size_t pattern_bad_some(const uint64_t *mem, size_t pages, uint64_t seed, size_t step,
			size_t first);
/** pattern_first() - the first word of page @page under @seed. */
uint64_t pattern_first(uint64_t seed, size_t page);
/** page_sum() - checksum of a page, whatever is in it. */
uint64_t page_sum(const uint64_t *page);
/** mix() - a well-spread function of two words. */
uint64_t mix(uint64_t a, uint64_t b);

/* files.c: files whose contents are known */

/** file_write() - a file of @pages of the pattern, synced. Return: 0 or -errno. */
int file_write(const char *path, size_t pages, uint64_t seed);
/** file_bad() - pages of it that are wrong, read anew; or -errno. */
long file_bad(const char *path, size_t pages, uint64_t seed);
/** drop_caches() - so that the next read is from the disk. */
void drop_caches(void);
/** dir_marks() - files "mark.*" in @dir. */
int dir_marks(const char *dir);

/* time.c */
uint64_t realtime_ns(void);
void random_bytes(void *buf, size_t len);

#endif /* E2E_H */
