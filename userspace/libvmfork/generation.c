// SPDX-License-Identifier: LGPL-2.1-or-later
/* How a program learns of a fork: the generation page, and a callback. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private.h"

#define PAGE	4096

VMFORK_EXPORT int vmfork_map_generation(int vm, const volatile struct vmfork_generation **ret_page)
{
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vm, 0);

	if (page == MAP_FAILED)
		return -errno;
	*ret_page = page;
	return 0;
}

VMFORK_EXPORT void vmfork_unmap_generation(const volatile struct vmfork_generation *page)
{
	if (page)
		munmap((void *)page, PAGE);
}

/* The thread's own: it frees it and closes the descriptor when it ends. */
struct watch {
	int vm;
	vmfork_on_clone_fn fn;
	void *data;
};

static void end_watch(void *arg)
{
	struct watch *w = arg;

	close(w->vm);
	free(w);
}

/* read() is where the thread may be cancelled */
static void *watch(void *arg)
{
	struct vmfork_identity identity;
	struct watch *w = arg;
	int r, old;

	pthread_cleanup_push(end_watch, w);
	do {
		r = vmfork_wait_identity(w->vm, &identity);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
		if (!r)
			r = w->fn(&identity, w->data);
		pthread_setcancelstate(old, &old);
	} while (!r);
	pthread_cleanup_pop(1);
	return NULL;
}

/* without signals: they are for the program's own threads */
static int start(struct watch *w, pthread_t *thread)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(thread, NULL, watch, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

VMFORK_EXPORT int vmfork_on_clone(vmfork_on_clone_fn fn, void *data, pthread_t *ret_thread)
{
	struct watch *w = malloc(sizeof(*w));
	pthread_t thread;
	int r;

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->data = data;
	w->vm = vmfork_open();
	r = w->vm < 0 ? w->vm : start(w, &thread);
	if (r) {
		vmfork_close(w->vm);
		free(w);
		return r;
	}
	if (ret_thread)
		*ret_thread = thread;
	else
		pthread_detach(thread);
	return 0;
}
