// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl console: talk to a VM's serial console. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "terminal.h"
#include "vmforkctl.h"

#define ESCAPE 0x1d	/* Ctrl-] */

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, e;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	e = errno;
	if (fd >= 0)
		close(fd);
	return -e;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/*
 * Keys to the VM. Return: false to leave. At the end of a pipe the VM may go on
 * talking, and half a close would make QEMU drop the connection: only reading ends.
 */
static bool keys(struct pollfd *in, int vm, bool terminal)
{
	char buf[4096];
	char *escape;
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n <= 0) {
		in->fd = -1;
		return !terminal;
	}
	escape = terminal ? memchr(buf, ESCAPE, (size_t)n) : NULL;
	if (escape)
		n = escape - buf;
	return !write_all(vm, buf, (size_t)n) && !escape;
}

static bool output(int vm)
{
	char buf[4096];
	ssize_t n = read(vm, buf, sizeof(buf));

	return n > 0 && !write_all(STDOUT_FILENO, buf, (size_t)n);
}

static void talk(int vm, bool terminal)
{
	struct pollfd p[3] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = vm, .events = POLLIN },
		{ .fd = terminal_signal_fd(), .events = POLLIN },
	};

	for (;;) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[2].revents || (p[1].revents && !output(vm)) ||
		    (p[0].revents && !keys(&p[0], vm, terminal)))
			return;
	}
}

int console_attach(const char *path)
{
	bool terminal = isatty(STDIN_FILENO);
	int vm = connect_to(path);

	if (vm < 0) {
		fprintf(stderr, "vmforkctl: console %s: %s\n", path, strerror(-vm));
		return STATUS_ERROR;
	}
	if (terminal)
		fputs("Connected; Ctrl-] leaves, Enter may bring a prompt.\n", stderr);
	if (!terminal_begin(terminal ? TERMINAL_RAW : TERMINAL_PLAIN))
		talk(vm, terminal);
	terminal_end();
	close(vm);
	if (terminal)
		fputs("\nDisconnected.\n", stderr);
	return STATUS_OK;
}

int cmd_console(struct ctl *ctl, int argc, char **argv)
{
	int status = STATUS_ERROR;
	json_t *result, *vm;

	if (argc != 2)
		return usage(ctl, "which VM?");
	result = ctl_call(ctl, "ps", NULL);
	if (!result)
		return STATUS_ERROR;
	vm = find_vm(result, argv[1]);
	if (!vm)
		fprintf(stderr, "vmforkctl: no VM '%s'; see vmforkctl ps\n", argv[1]);
	else if (!json_is_string(json_object_get(vm, "console")))
		fprintf(stderr, "vmforkctl: %s has no console\n", argv[1]);
	else if (ctl->json)
		status = print_json(json_object_get(vm, "console"));
	else
		status = console_attach(get_text(vm, "console"));
	json_decref(result);
	return status;
}
