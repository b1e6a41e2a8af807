// SPDX-License-Identifier: GPL-2.0-or-later
/* Two processes per domain, so that it ends whichever of them is killed. */
#include "xenvm_front.h"

#include <xenctrl.h>
#include <errno.h>
#include <libxl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xentoollog.h>

#include "log.h"
#include "util.h"
#include "xenvm.h"

static pid_t child, front;

static void pass_on(int sig)
{
	kill(child, sig);
}

/* Return: the domain, 0: there is none but perhaps one that is being taken down */
static uint32_t domain_of(const libxl_uuid *uuid)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	uint32_t first = 1, domain = 0;
	xc_domaininfo_t info[16];
	int n;

	while (xc && !domain && (n = xc_domain_getinfolist(xc, first, ARRAY_SIZE(info), info)) > 0) {
		for (int i = 0; i < n; i++) {
			if (!memcmp(info[i].handle, libxl_uuid_bytearray_const(uuid),
				    sizeof(info[i].handle)) &&
			    !(info[i].flags & XEN_DOMINF_dying))
				domain = info[i].domain;
		}
		first = info[n - 1].domain + 1U;
	}
	if (xc)
		xc_interface_close(xc);
	return domain;
}

static int destroy(const libxl_uuid *uuid)
{
	xentoollog_logger *l = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	uint32_t domain = domain_of(uuid);
	libxl_ctx *ctx;
	int r;

	if (!domain)
		return 0;
	r = l ? libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, l) : -1;
	r = r ? r : libxl_domain_destroy(ctx, domain, NULL);
	if (r)
		log_err("domain %u: not destroyed", domain);
	device_remove(domain);
	return r;
}

int front_destroy(const char *text)
{
	libxl_uuid uuid;

	return libxl_uuid_from_string(&uuid, text) || destroy(&uuid) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void stay(const libxl_uuid *uuid)
{
	struct sigaction act = { .sa_handler = pass_on };
	int status = 0;

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	for (int fd = 3; fd < 32; fd++)
		close(fd);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status))
		log_err("the process that tends the domain was killed");
	destroy(uuid);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool front_start(const libxl_uuid *uuid)
{
	front = getpid();
	/* with its keeper gone a domain is to end, not to be left alone */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	child = fork();
	if (child < 0)
		return false;
	if (child > 0)
		stay(uuid);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != front)
		exit(EXIT_FAILURE);
	return true;
}

void front_end(const libxl_uuid *uuid)
{
	char text[LIBXL_UUID_FMTLEN + 1];

	if (getppid() == front)
		_exit(EXIT_SUCCESS);
	snprintf(text, sizeof(text), LIBXL_UUID_FMT, LIBXL_UUID_BYTES(*uuid));
	execl("/proc/self/exe", "vmfork-xenvm", FRONT_DESTROY, text, NULL);
	log_err("the domain %s is not destroyed", text);
	exit(EXIT_FAILURE);
}
