// SPDX-License-Identifier: GPL-2.0-or-later
/* How programs learn that they are in a clone: generation page, sysfs, uevent. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/vmfork.h>

#include "tap.h"

#define PAGE	4096UL
#define PLAN	(6 + 2 + 4 + 5)
#define SYSFS	"/sys/class/misc/vmfork/"

static int device, ticket, uevents;
static const volatile struct vmfork_generation *page;
static struct vmfork_identity before;

/* what a clone finds; a bit each */
enum { PAGE_RIGHT = 1, CHILD_RIGHT = 2, SYSFS_RIGHT = 4, LINEAGE_RIGHT = 8, UEVENT_RIGHT = 16 };

static int mmap_errno(size_t len, int prot, int flags, off_t at)
{
	void *p = mmap(NULL, len, prot, flags, device, at);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

static bool page_is(const struct vmfork_identity *id)
{
	return page->generation == id->generation && page->id == id->id &&
	       page->depth == id->depth && page->vm == id->vm;
}

static void test_page(void)
{
	tap_ok(mmap_errno(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0) == EACCES &&
	       mmap_errno(PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, 0) == EACCES,
	       "mmap() to write or to run: EACCES");
	tap_ok(mmap_errno(PAGE, PROT_READ, MAP_PRIVATE, 0) == EINVAL, "a private one: EINVAL");
	tap_ok(mmap_errno(2 * PAGE, PROT_READ, MAP_SHARED, 0) == EINVAL &&
	       mmap_errno(PAGE, PROT_READ, MAP_SHARED, PAGE) == EINVAL,
	       "more than the page, or elsewhere: EINVAL");
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, 0);
	if (page == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	tap_ok(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
	       "mprotect() to write: EACCES");
	tap_ok(page_is(&before), "the page is as VMFORK_GET_ID says");
	for (size_t i = sizeof(*page); i < PAGE; i++)
		if (((const volatile char *)page)[i])
			tap_bail("byte %zu of the page is not 0", i);
	tap_ok(true, "the rest of the page is zeros");
}

static bool child_sees(const struct vmfork_identity *id)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(page_is(id) ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static uint64_t sysfs(const char *name)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), SYSFS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		return UINT64_MAX;
	close(fd);
	return strtoull(text, NULL, 10);
}

static bool sysfs_is(const struct vmfork_identity *id)
{
	return sysfs("id") == id->id && sysfs("depth") == id->depth && sysfs("vm") == id->vm &&
	       sysfs("family") == id->family && sysfs("parent") == id->parent &&
	       sysfs("checkpoint") == id->checkpoint && sysfs("clones") == id->clones &&
	       sysfs("generation") == id->generation;
}

static int line_of(char *to, size_t n, const struct vmfork_identity *id)
{
	return snprintf(to, n, "%u %llu %u %llu\n", id->depth, (unsigned long long)id->vm, id->id,
			(unsigned long long)id->checkpoint);
}

/* this machine, then its ancestors */
static bool lineage_is(const struct vmfork_identity *id, const struct vmfork_identity *parent)
{
	char want[256], text[256] = "";
	int fd = open(SYSFS "lineage", O_RDONLY);
	int n = line_of(want, sizeof(want), id);

	if (parent)
		line_of(want + n, sizeof(want) - (size_t)n, parent);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		return false;
	close(fd);
	return !strncmp(text, want, strlen(want));
}

/* Return: a uevent of vmfork's with this machine's figures is there within a minute */
static bool uevent_comes(const struct vmfork_identity *id)
{
	struct pollfd p = { .fd = uevents, .events = POLLIN };
	char text[4096], want[64];
	unsigned int found = 0;
	ssize_t n;

	while (poll(&p, 1, 60000) == 1) {
		n = recv(uevents, text, sizeof(text) - 1, 0);
		if (n < 1 || !strstr(text, "change@/devices/virtual/misc/vmfork"))
			continue;
		for (const char *s = text; s < text + n; s += strlen(s) + 1) {
			snprintf(want, sizeof(want), "VMFORK_ID=%u", id->id);
			found |= !strcmp(s, want) ? 1 : 0;
			snprintf(want, sizeof(want), "VMFORK_GENERATION=%llu",
				 (unsigned long long)id->generation);
			found |= !strcmp(s, want) ? 2 : 0;
			snprintf(want, sizeof(want), "VMFORK_VM=%llu", (unsigned long long)id->vm);
			found |= !strcmp(s, want) ? 4 : 0;
			snprintf(want, sizeof(want), "VMFORK_PARENT=%llu",
				 (unsigned long long)id->parent);
			found |= !strcmp(s, want) ? 8 : 0;
		}
		return found == 15;
	}
	return false;
}

static void listen_for_uevents(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	uevents = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (uevents < 0 || bind(uevents, (struct sockaddr *)&addr, sizeof(addr)))
		tap_bail("uevents: %s", strerror(errno));
}

static void run_clone(void)
{
	struct vmfork_identity id = { };
	struct vmfork_exit e = { };

	e.status = page->generation == before.generation + 1 ? PAGE_RIGHT : 0;
	ioctl(device, VMFORK_GET_ID, &id);
	if (!page_is(&id) || id.depth != before.depth + 1)
		e.status = 0;
	e.status |= child_sees(&id) ? CHILD_RIGHT : 0;
	e.status |= sysfs_is(&id) ? SYSFS_RIGHT : 0;
	e.status |= lineage_is(&id, &before) ? LINEAGE_RIGHT : 0;
	e.status |= uevent_comes(&id) ? UEVENT_RIGHT : 0;
	ioctl(device, VMFORK_EXIT, &e);
	_exit(1);
}

static void test_fork(void)
{
	struct vmfork_request_ticket rt = { .clones = 1 };
	struct pollfd p = { .events = POLLIN };
	struct vmfork_identity after;
	struct vmfork_clone c = { };
	struct vmfork_wait w = { };
	int seen;

	if (ioctl(device, VMFORK_REQUEST_TICKET, &rt))
		tap_bail("no ticket: %s", strerror(errno));
	ticket = rt.fd;
	if (ioctl(ticket, VMFORK_TICKET_CLONE, &c))
		tap_bail("CLONE: %s", strerror(errno));
	if (c.id)
		run_clone();
	ioctl(device, VMFORK_GET_ID, &after);
	tap_ok(after.generation == before.generation + 1 && page_is(&after),
	       "the parent's page is a generation on");
	tap_ok(child_sees(&after), "a child of fork() sees it, too");
	tap_ok(sysfs_is(&after) && lineage_is(&after, NULL), "the parent's lineage is as it was");
	p.fd = uevents;
	tap_ok(poll(&p, 1, 0) == 0, "no uevent in the parent");
	seen = ioctl(ticket, VMFORK_TICKET_WAIT, &w) ? 0 : w.info.status;
	tap_ok(seen & PAGE_RIGHT, "the clone's page was right at its first look");
	tap_ok(seen & CHILD_RIGHT, "also for a child there");
	tap_ok(seen & SYSFS_RIGHT, "the clone's identity in sysfs");
	tap_ok(seen & LINEAGE_RIGHT, "its lineage: it, then its parent");
	tap_ok(seen & UEVENT_RIGHT, "a uevent told of the fork");
}

int main(void)
{
	tap_plan(PLAN);
	device = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (device < 0 || ioctl(device, VMFORK_GET_ID, &before))
		tap_bail("/dev/vmfork: %s", strerror(errno));
	test_page();
	tap_ok(sysfs_is(&before), "sysfs is as VMFORK_GET_ID says");
	tap_ok(lineage_is(&before, NULL), "the lineage begins with this machine");
	listen_for_uevents();
	test_fork();
	return tap_end();
}
