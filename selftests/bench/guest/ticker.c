// SPDX-License-Identifier: GPL-2.0-or-later
/* A byte on the console at a steady pace: the host sees every standstill as a gap. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "ticker.h"

static atomic_uint pace_us;	/* main thread writes, ticker_thread() reads */
static pthread_t thread;
static int started;

static void *ticker_thread(void *arg)
{
	for (;;) {
		unsigned int us = pace_us;
		struct timespec t = { .tv_nsec = (us ? us : 20000) * 1000L };

		nanosleep(&t, NULL);
		if (us && pace_us && write(STDOUT_FILENO, ".", 1) < 0)
			return NULL;
	}
}

int ticker_set(unsigned int us)
{
	int err;

	pace_us = us;
	if (!us || started)
		return 0;
	err = pthread_create(&thread, NULL, ticker_thread, NULL);
	if (!err)
		started = 1;
	return -err;
}
