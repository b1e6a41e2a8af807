// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl console: talk to a VM's serial console. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"
#include "vmforkctl.h"

#define ESCAPE 0x1d	/* Ctrl-] */
#define DRAIN_MS 2000

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

/* What QEMU has not read when its peer goes is lost, and it reads no more than the serial
 * port has room for. */
static void drain(int vm)
{
	int left;

	for (int i = 0; i < DRAIN_MS && !ioctl(vm, SIOCOUTQ, &left) && left; i += 10)
		poll(NULL, 0, 10);
}

int console_attach(struct ctl *ctl, const char *name)
{
	json_t *result = ctl_call(ctl, "console", json_pack("{s:s}", "vm", name));
	bool terminal = isatty(STDIN_FILENO);
	int vm = client_take_fd(&ctl->client);

	if (vm < 0) {
		if (result)
			fputs("vmforkctl: console: vmforkd gave no connection\n", stderr);
		json_decref(result);
		return STATUS_ERROR;
	}
	json_decref(result);
	if (terminal)
		fputs("Connected; Ctrl-] leaves, Enter may bring a prompt.\n", stderr);
	if (!terminal_begin(terminal ? TERMINAL_RAW : TERMINAL_PLAIN))
		talk(vm, terminal);
	drain(vm);
	terminal_end();
	close(vm);
	if (terminal)
		fputs("\nDisconnected.\n", stderr);
	return STATUS_OK;
}

/* --json: where its socket is, for who may open it. */
static int print_path(struct ctl *ctl, const char *name)
{
	json_t *result = ctl_call(ctl, "ps", NULL), *vm;
	int status = STATUS_ERROR;

	if (!result)
		return STATUS_ERROR;
	vm = find_vm(result, name);
	if (!vm)
		fprintf(stderr, "vmforkctl: no VM '%s'; see vmforkctl ps\n", name);
	else if (!json_is_string(json_object_get(vm, "console")))
		fprintf(stderr, "vmforkctl: %s has no console\n", name);
	else
		status = print_json(json_object_get(vm, "console"));
	json_decref(result);
	return status;
}

int cmd_console(struct ctl *ctl, int argc, char **argv)
{
	if (argc != 2)
		return usage(ctl, "which VM?");
	return ctl->json ? print_path(ctl, argv[1]) : console_attach(ctl, argv[1]);
}
