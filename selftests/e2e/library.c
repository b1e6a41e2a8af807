// SPDX-License-Identifier: GPL-2.0-or-later
/* What libvmfork adds to the calls: the callback, the generation page, secrets, parameters. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "e2e.h"
#include "tap.h"

#define FINDINGS	7

/* what a clone found; 1 is right */
struct findings {
	uint32_t changed;	/* at its first look at the page */
	uint32_t again;		/* not at the second */
	uint32_t called;
	uint32_t whom;		/* the callback was given this clone's identity */
	uint32_t joined;	/* its thread can be cancelled */
	uint32_t wiped;
	uint32_t params;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct vmfork_identity identity;
	unsigned int calls;
} told = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

static int on_clone(const struct vmfork_identity *identity, void *data)
{
	pthread_mutex_lock(&told.lock);
	told.identity = *identity;
	told.calls++;
	pthread_cond_signal(&told.cond);
	pthread_mutex_unlock(&told.lock);
	return 0;
}

/* Return: it was called within a minute */
static bool called(void)
{
	struct timespec end;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	pthread_mutex_lock(&told.lock);
	while (!told.calls && !r)
		r = pthread_cond_timedwait(&told.cond, &told.lock, &end);
	pthread_mutex_unlock(&told.lock);
	return told.calls == 1;
}

static bool params_are(int vm, const char *want)
{
	char buf[VMFORK_PARAMS_MAX];
	size_t len;

	return !vmfork_get_params(vm, buf, sizeof(buf), &len) && len == strlen(want) &&
	       !memcmp(buf, want, len);
}

static bool thread_ends(pthread_t thread)
{
	void *ret = NULL;

	return !pthread_cancel(thread) && !pthread_join(thread, &ret) && ret == PTHREAD_CANCELED;
}

static bool zeros(const char *p, size_t n)
{
	return !*p && !memcmp(p, p + 1, n - 1);
}

static void check_findings(const struct findings *f, unsigned int m)
{
	static const char *const names[FINDINGS] = {
		"vmfork_generation_changed() at once", "and not again", "the callback is called",
		"with the clone's identity", "its thread can be cancelled",
		"vmfork_secret_wipe(): zeros", "vmfork_get_params()",
	};

	for (unsigned int i = 0; i < FINDINGS; i++) {
		unsigned int good = 0;

		for (unsigned int c = 0; c < m; c++)
			good += ((const uint32_t *)&f[c])[i] == 1;
		tap_ok(good == m, "%s (%u of %u clones)", names[i], good, m);
	}
}

int test_library(int argc, char **argv)
{
	struct vmfork_limits wrong = { .cpu_weight = 10001 };
	const volatile struct vmfork_generation *page;
	struct findings f[2] = { 0 };
	int vm = machine_open(), ticket = machine_ticket(vm, 2), id;
	char *secret = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vmfork_identity me;
	pthread_t thread;
	__u64 seen;

	tap_ok(vmfork_request_ticket_limits(vm, 1, 0, &wrong, NULL) == -EINVAL,
	       "vmfork_request_ticket_limits(): a weight out of range: EINVAL");
	tap_ok(!vmfork_map_generation(vm, &page), "vmfork_map_generation()");
	seen = page->generation;
	tap_ok(!vmfork_on_clone(on_clone, NULL, &thread), "vmfork_on_clone()");
	tap_ok(!vmfork_secret_wipe(vm, secret, PAGE), "vmfork_secret_wipe()");
	memset(secret, 's', PAGE);
	tap_ok(!vmfork_set_params(ticket, 0, "for all", 7), "vmfork_set_params()");
	id = machine_clone(ticket);
	if (id) {
		f->changed = vmfork_generation_changed(page, &seen);
		f->again = !vmfork_generation_changed(page, &seen);
		f->wiped = zeros(secret, PAGE);
		f->called = called();
		me = machine_identity(vm);
		f->whom = !memcmp(&told.identity, &me, sizeof(me));
		f->joined = thread_ends(thread);
		f->params = params_are(vm, "for all");
		clone_send(vm, ticket, 1, f, sizeof(*f));
		clone_exit(vm, 0);
	}
	tap_ok(gather(ticket, 2, 1, f, sizeof(*f)), "both clones tell");
	check_findings(f, 2);
	tap_ok(vmfork_generation_changed(page, &seen), "the parent's generation has changed, too");
	tap_ok(!told.calls && thread_ends(thread), "nobody called back in the parent");
	tap_ok(secret[0] == 's' && secret[PAGE - 1] == 's', "the secret is intact there");
	tap_ok(vmfork_get_params(vm, NULL, 0, NULL) == -ENODATA, "it has no parameters");
	vmfork_unmap_generation(page);
	return tap_done();
}
