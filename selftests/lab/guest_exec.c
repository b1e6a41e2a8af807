// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a command in a guest over its console (see image/guest-shell). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/**
 * DOC: vmfork-guest-exec [-t SECONDS] CONSOLE COMMAND
 *
 * The console is a socket, or a terminal in raw mode, as xenconsoled has one for each domain.
 * Prints the command's output and exits with its status; 124 when the time is over, 125 when the
 * console is gone. Ctrl-C is passed on to the command, once; a second one gives up. Suites start
 * it hundreds of times, some of them on emulated machines: it has to start quickly.
 */
#define LINE_MAX_LEN	3000	/* the guest's tty drops what exceeds its 4 KiB buffer */
#define MARKER		"\nVMFORK-END "
#define NO_TIME		124
#define NO_CONSOLE	125

static volatile sig_atomic_t interrupts;

/* What came and is not printed yet, NUL-terminated; the guest sends no NUL that counts. */
static char *text;
static size_t text_len, text_room;

static void on_interrupt(int sig)
{
	interrupts++;
}

static void base64(const char *in, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(in);

	for (size_t i = 0; i < len; i += 3) {
		unsigned int n = len - i < 3 ? (unsigned int)(len - i) : 3;
		unsigned int v = (unsigned char)in[i] << 16;

		v |= n > 1 ? (unsigned char)in[i + 1] << 8 : 0;
		v |= n > 2 ? (unsigned char)in[i + 2] : 0;
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = n > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = n > 2 ? digits[v & 63] : '=';
	}
	*out = '\0';
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int sock;

	if (stat(path, &st) == 0 && S_ISCHR(st.st_mode))
		return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	return sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -1 : sock;
}

static int send_all(int sock, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(sock, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static void drop(size_t len)
{
	text_len -= len;
	memmove(text, text + len, text_len + 1);
}

static void put(size_t len)
{
	fwrite(text, 1, len, stdout);
	fflush(stdout);
	drop(len);
}

static void add(const char *buf, size_t len)
{
	if (text_len + len >= text_room) {
		text_room = (text_len + len) * 2 + 1;
		text = realloc(text, text_room);
		if (!text)
			abort();
	}
	for (size_t i = 0; i < len; i++) {
		if (buf[i])
			text[text_len++] = buf[i];
	}
	text[text_len] = '\0';
}

/* Has the answer begun? What is before it is not ours. */
static int has_begun(const char *begin)
{
	char *at = text ? strstr(text, begin) : NULL;

	if (at)
		drop((size_t)(at - text) + strlen(begin));
	return at != NULL;
}

/* Prints what is surely output. Return: the command's status, or -1: it has not ended */
static int take_answer(const char *end)
{
	char *at = strstr(text, end), *last, *line_end;
	int status;

	line_end = at ? strchr(at + 1, '\n') : NULL;
	if (line_end) {
		status = atoi(at + strlen(end));
		put((size_t)(at - text));
		return status;
	}
	/* what could be the beginning of the marker stays */
	last = strrchr(text, '\n');
	if (!last || (strncmp(last, MARKER, strlen(last)) &&
		      strncmp(last, MARKER, strlen(MARKER))))
		last = text + text_len;
	put((size_t)(last - text));
	return -1;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Return: 0, or the status to end with */
static int more(int sock, long long deadline)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	long long left = deadline - now_ms();
	char buf[65536];
	ssize_t n = poll(&p, 1, left > 0 ? (int)left : 0);

	if (n == 0) {
		fflush(stdout);
		fputs("guest_exec: no answer in time\n", stderr);
		return NO_TIME;
	}
	if (n > 0)
		n = read(sock, buf, sizeof(buf));
	else
		n = -1;
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return NO_CONSOLE;
	add(buf, (size_t)n);
	return 0;
}

static int answer(int sock, const char *token, long long deadline)
{
	char begin[64], end[64];
	int begun = 0, passed = 0, status = 0;

	snprintf(begin, sizeof(begin), "VMFORK-BEGIN %s\n", token);
	snprintf(end, sizeof(end), MARKER "%s ", token);
	while (!status) {
		int over;

		if (interrupts > 1)
			return 130;
		if (interrupts && !passed++)
			send_all(sock, "\003", 1);
		status = more(sock, deadline);
		begun = begun || has_begun(begin);
		over = begun ? take_answer(end) : -1;
		if (over >= 0)
			return over;
	}
	return status;
}

static int run(const char *console, const char *command, long long deadline)
{
	char token[13], data[LINE_MAX_LEN + 8], line[LINE_MAX_LEN + 64];
	unsigned long long random;
	int sock;

	if (strlen(command) * 4 / 3 > LINE_MAX_LEN) {
		fputs("guest_exec: the command is too long\n", stderr);
		return 1;
	}
	base64(command, data);
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return 1;
	snprintf(token, sizeof(token), "%012llx", random & 0xffffffffffffULL);
	snprintf(line, sizeof(line), "run %s %s\n", token, data);
	sock = connect_to(console);
	if (sock < 0 || send_all(sock, line, strlen(line)) < 0) {
		fprintf(stderr, "guest_exec: %s: %s\n", console, strerror(errno));
		return NO_CONSOLE;
	}
	return answer(sock, token, deadline);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_interrupt };	/* no SA_RESTART: poll() ends */
	double seconds = 120;
	int opt;

	while ((opt = getopt(argc, argv, "t:")) != -1) {
		if (opt == 't')
			seconds = atof(optarg);
		else
			return 2;
	}
	if (argc - optind != 2) {
		fputs("usage: vmfork-guest-exec [-t SECONDS] CONSOLE COMMAND\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);	/* a console that is gone is said */
	if (signal(SIGINT, SIG_IGN) != SIG_IGN)	/* as in a shell's background */
		sigaction(SIGINT, &act, NULL);
	return run(argv[optind], argv[optind + 1], now_ms() + (long long)(seconds * 1000));
}
