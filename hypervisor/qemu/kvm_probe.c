// SPDX-License-Identifier: GPL-2.0-or-later
/* Can this host's KVM run a stock kernel, and at a speed that is worth it? */
#include "kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm_guest.h"
#include "util.h"

/**
 * DOC: Why a probe
 *
 * A /dev/kvm that opens is not enough. Some machines emulate the guest's ring 0 at two
 * million instructions a second, and fail on what every kernel does at boot. So a
 * few such instructions are run in 64-bit ring 0, at a user's and at a kernel's address,
 * in a child process that is killed when it takes too long: nothing of it remains.
 */
#define LIMIT_MS	2000
#define INSNS_MIN	20	/* million per second */

static const char *const step_names[STEPS + 1] = {
	"", "a plain loop", "lock cmpxchg16b", "fxrstor", "xrstor", "SSE", "MSRs and invlpg",
	"locked memory access",
};

/* The child's answer. */
struct verdict {
	int result;
	char why[160];
};

static void __attribute__((noreturn, format(printf, 3, 4)))
answer(int out, int result, const char *fmt, ...)
{
	struct verdict v = { .result = result };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v.why, sizeof(v.why), fmt, ap);
	va_end(ap);
	_exit(write(out, &v, sizeof(v)) == sizeof(v) ? 0 : 1);
}

static void run_step(struct kvm_guest *g, int step, int out)
{
	const char *name = step_names[step];
	uint8_t said;

	if (ioctl(g->vcpu, KVM_RUN, 0) < 0)
		answer(out, -EOPNOTSUPP, "%s: %s", name, strerror(errno));
	if (g->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		answer(out, -EOPNOTSUPP, "%s: emulation failure %u", name,
		       g->run->internal.suberror);
	if (g->run->exit_reason != KVM_EXIT_IO)
		answer(out, -EOPNOTSUPP, "%s: unexpected exit %u", name, g->run->exit_reason);
	said = *((uint8_t *)g->run + g->run->io.data_offset);
	if (said != step)
		answer(out, -EOPNOTSUPP, "%s: wrong result", name);
}

static void __attribute__((noreturn)) child(int out)
{
	struct kvm_guest g;
	const char *what;
	uint64_t speed = 0;
	int r = kvm_guest_make(&g, &what);

	if (r < 0)
		answer(out, r == -ENOENT ? -ENODEV : r, "%s: %s", what, strerror(-r));
	for (int high = 0; high <= 1; high++) {
		r = kvm_guest_enter(&g, high);
		if (r < 0)
			answer(out, r, "enter the guest: %s", strerror(-r));
		for (int step = 1; step <= STEPS; step++) {
			uint64_t start = now_ns();

			run_step(&g, step, out);
			if (step == STEP_LOOP)
				speed = STEP_LOOP_INSNS * 1000ULL / (now_ns() - start + 1);
		}
	}
	if (speed < INSNS_MIN)
		answer(out, -ETIME, "%llu million instructions a second in ring 0, less than %d",
		       (unsigned long long)speed, INSNS_MIN);
	answer(out, 0, "usable, %llu million instructions a second",
	       (unsigned long long)speed);
}

static void take_verdict(int in, struct verdict *v)
{
	struct pollfd p = { .fd = in, .events = POLLIN };

	v->result = -EOPNOTSUPP;
	if (poll(&p, 1, LIMIT_MS) == 0)
		snprintf(v->why, sizeof(v->why), "no answer within %d ms", LIMIT_MS);
	else if (read(in, v, sizeof(*v)) != sizeof(*v)) {
		v->result = -EOPNOTSUPP;
		snprintf(v->why, sizeof(v->why), "the probe crashed");
	}
	v->why[sizeof(v->why) - 1] = '\0';
}

int kvm_probe(char *why, size_t len)
{
	struct verdict v = { 0 };
	int pipes[2], r;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(pipes[1]);
	}
	r = pid < 0 ? -errno : 0;
	close(pipes[1]);
	if (pid > 0) {
		take_verdict(pipes[0], &v);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		r = v.result;
		snprintf(why, len, "kvm: %s", v.why);
	}
	close(pipes[0]);
	return r;
}
