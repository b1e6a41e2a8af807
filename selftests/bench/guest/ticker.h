/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A byte on the console at a steady pace: the host sees every standstill as a gap. */
#ifndef VMFORK_BENCH_TICKER_H
#define VMFORK_BENCH_TICKER_H

/** ticker_set() - one '.' on stdout each @us microseconds from now on; 0: none. */
int ticker_set(unsigned int us);

#endif /* VMFORK_BENCH_TICKER_H */
