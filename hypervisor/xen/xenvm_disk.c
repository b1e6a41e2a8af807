// SPDX-License-Identifier: GPL-2.0-or-later
/* The process that serves the domain's disks: a QEMU without a machine. */
#include "xenvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "qdisk.h"
#include "util.h"

/**
 * DOC: Disks
 *
 * It is a QEMU as Xen's own back end in dom0 is one: attached to no domain (-xen-domid 0), with
 * devices for this domain only, which vmforkd adds over its monitor (disks.c), whose
 * listening socket comes from vmforkd. It has no names of files: images are descriptors
 * that vmforkd gives it. It ends with this process, and this process with it.
 */
#define QMP_FD	3

static void become_qemu(int qmp, int log, pid_t parent)
{
	char *argv[] = {
		(char *)qdisk_program(), (char *)"-xen-domid", (char *)"0",
		(char *)"-xen-attach", (char *)"-machine", (char *)"xenpv", (char *)"-nodefaults",
		(char *)"-no-user-config", (char *)"-display", (char *)"none", (char *)"-monitor",
		(char *)"none", (char *)"-chardev",
		(char *)"socket,id=qmp,fd=3,server=on,wait=off", (char *)"-mon",
		(char *)"chardev=qmp,mode=control", NULL
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* neither is 3: that is vmforkd's socket */
	if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0 || dup2(qmp, QMP_FD) < 0)
		_exit(EXIT_FAILURE);
	close_range(QMP_FD + 1, ~0U, 0);
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_FAILURE);
}

/* By the main thread: PR_SET_PDEATHSIG is for the end of the thread that forked. */
int qemu_start(struct qemu *q, int qmp, int log)
{
	pid_t parent = getpid();

	q->pid = fork();
	if (q->pid < 0)
		return -errno;
	if (q->pid == 0)
		become_qemu(qmp, log, parent);
	q->pidfd = (int)syscall(SYS_pidfd_open, q->pid, 0);
	return q->pidfd < 0 ? -errno : 0;
}

void qemu_end(struct qemu *q)
{
	if (q->pid <= 0)
		return;
	kill(q->pid, SIGKILL);
	waitpid(q->pid, NULL, 0);
	q->pid = 0;
}
