// SPDX-License-Identifier: GPL-2.0-or-later
/* Two processes per domain, so that it ends whichever of them is killed. */
#include "xenvm_front.h"

#include <xenctrl.h>
#include <errno.h>
#include <libxl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xentoollog.h>

#include "log.h"
#include "xenvm.h"

static pid_t child;

static void pass_on(int sig)
{
	kill(child, sig);
}

static void destroy(uint32_t domain)
{
	xentoollog_logger *l = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	libxl_ctx *ctx;

	log_err("domain %u: the process that tends it is gone: destroyed", domain);
	if (l && !libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, l) &&
	    libxl_domain_destroy(ctx, domain, NULL))
		log_err("domain %u: not destroyed", domain);
	device_remove(domain);
}

static void stay(const uint32_t *domain)
{
	struct sigaction act = { .sa_handler = pass_on };
	int status = 0;

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	for (int fd = 3; fd < 32; fd++)
		close(fd);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (__atomic_load_n(domain, __ATOMIC_ACQUIRE))
		destroy(*domain);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

uint32_t *front_start(void)
{
	uint32_t *domain = mmap(NULL, sizeof(*domain), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t front = getpid();

	if (domain == MAP_FAILED)
		return NULL;
	/* with its keeper gone a domain is to end, not to be left alone */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	child = fork();
	if (child < 0)
		return NULL;
	if (child > 0)
		stay(domain);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != front)
		exit(EXIT_FAILURE);
	return domain;
}
