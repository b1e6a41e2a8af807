// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests that are wrong, and peers that come and go. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdpass.h"
#include "rig.h"
#include "tap.h"
#include "util.h"

struct wrong {
	const char *what;
	int want;
	unsigned int nfds;
	struct pager_req req;
};

#define RAM .base = 0x10000, .npages = 16
#define IMAGE .op = PAGER_IMAGE_ADD, .handle = 1, .source = PAGER_SOURCE_SNAPSHOT

/* All descriptors are an empty memory file. */
static const struct wrong wrongs[] = {
	{ "op 0", -EOPNOTSUPP, 0, { .handle = 1 } },
	{ "unknown op", -EOPNOTSUPP, 0, { .op = 99, .handle = 1 } },
	{ "no handle", -EINVAL, 0, { .op = PAGER_CLONE_STATS } },
	{ "reserved word", -EINVAL, 0, { .op = PAGER_PING, .reserved = 1 } },
	{ "descriptors with a ping", -EINVAL, 3, { .op = PAGER_PING } },
	{ "unknown clone", -ENOENT, 0, { .op = PAGER_CLONE_DEL, .handle = 77 } },
	{ "unknown image", -ENOENT, 0, { .op = PAGER_IMAGE_STATS, .handle = 77 } },
	{ "image: unknown source", -EOPNOTSUPP, 4,
	  { .op = PAGER_IMAGE_ADD, .handle = 1, .source = 9, RAM } },
	{ "image: unknown flag", -EOPNOTSUPP, 4, { IMAGE, RAM, .flags = 2 } },
	{ "image: too few descriptors", -EINVAL, 3, { IMAGE, RAM } },
	{ "image: too many descriptors", -EINVAL, FDPASS_MAX, { IMAGE, RAM } },
	{ "image: no pages", -EINVAL, 4, { IMAGE, .base = 4096 } },
	{ "image: wraps", -EINVAL, 4, { IMAGE, .base = ~4095ULL, .npages = 2 } },
	{ "image: file too short", -EINVAL, 4, { IMAGE, RAM } },
	{ "image: unknown lower", -ENOENT, 5, { IMAGE, RAM, .lower = 55 } },
	{ "image: its own lower", -EINVAL, 5, { IMAGE, RAM, .lower = 1 } },
	{ "image: slots overlap", -EINVAL, 4,
	  { IMAGE, RAM, .nslots = 2, .slots = { { 0, 0, 8 }, { 100, 7, 8 } } } },
	{ "image: too many slots", -EINVAL, 4, { IMAGE, RAM, .nslots = 5 } },
	{ "clone: unknown image", -ENOENT, 2,
	  { .op = PAGER_CLONE_ADD, .handle = 2, .image = 44, RAM } },
	{ "clone: unknown flag", -EOPNOTSUPP, 2,
	  { .op = PAGER_CLONE_ADD, .handle = 2, .image = 44, RAM, .flags = 8 } },
};

static void try_wrongs(struct pgproc *pg, int fd)
{
	int fds[FDPASS_MAX];

	for (size_t i = 0; i < FDPASS_MAX; i++)
		fds[i] = fd;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct pager_req req = wrongs[i].req;

		same(pg_call(pg, &req, fds, wrongs[i].nfds, NULL), wrongs[i].want,
		     wrongs[i].what);
	}
}

static void try_clone_files(struct pgproc *pg, const struct image_rig *img, struct vm *vm)
{
	int uffd = vm->uffd, avoid = vm->avoid;

	vm->uffd = avoid;
	ok(clone_add(pg, vm, img, 0) < 0, "clone: not a userfaultfd");
	vm->uffd = uffd;
	vm->avoid = img->lifeline;
	same(clone_add(pg, vm, img, 0), -EINVAL, "clone: the bitmap's file is too short");
	vm->avoid = avoid;
}

/* Rude in form: the connection ends, the pager does not. */
static bool is_dropped(int sock, const void *buf, size_t len)
{
	char c;

	fd_send(sock, buf, len, NULL, 0);
	return recv_wait(sock) && recv(sock, &c, 1, 0) == 0;
}

static int autobound_listener(struct sockaddr_un *ret_addr, socklen_t *ret_len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	*ret_len = sizeof(*ret_addr);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a.sun_family)) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret_addr, ret_len) < 0)
		return -errno;
	return fd;
}

static int connect_to(const struct sockaddr_un *a, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	return connect(fd, (const struct sockaddr *)a, len) < 0 ? -errno : fd;
}

void test_requests(void)
{
	int empty = memfd_create("empty", MFD_CLOEXEC);
	struct image_rig img;
	struct pgproc pg;
	struct vm root, clone;

	if (!same(pg_start(&pg), 0, "the pager starts") ||
	    !same(vm_start(&root), 0, "a VM starts"))
		return;
	vm_fill(&root, 0, RIG_PAGES, 1);
	if (!same(image_take(&img, &root, -1, 0), 0, "snapshot") ||
	    !same(image_add(&pg, &img), 0, "image") ||
	    !same(clone_start(&clone, &img), 0, "clone"))
		return;
	try_wrongs(&pg, empty);
	try_clone_files(&pg, &img, &clone);
	same(image_add(&pg, &img), 0, "adding an image again is no error");
	same(clone_add(&pg, &clone, &img, 0), 0, "after all that a clone is added");
	same(clone_add(&pg, &clone, &img, 0), 0, "adding it again is no error");
	same(vm_check(&clone, 0, RIG_PAGES, 1), 0, "and served");
	vm_kill(&clone);
	same(pg_clone_del(&pg, clone.handle), 0, "a dead clone is removed");
	same(pg_clone_del(&pg, clone.handle), -ENOENT, "once");
	pg_stop(&pg);
	image_drop(&img);
	vm_kill(&root);
	close(empty);
}

static void try_rude_peers(const struct sockaddr_un *a, socklen_t len)
{
	struct pager_req no_seq = { .op = PAGER_PING };
	char long_msg[sizeof(no_seq) + 1] = { 0 };
	int s;

	s = connect_to(a, len);
	ok(is_dropped(s, "x", 1), "a short message: dropped");
	close(s);
	s = connect_to(a, len);
	ok(is_dropped(s, long_msg, sizeof(long_msg)), "a long message: dropped");
	close(s);
	s = connect_to(a, len);
	ok(is_dropped(s, &no_seq, sizeof(no_seq)), "no sequence number: dropped");
	close(s);
}

/* A peer that asks and asks and never reads: dropped, and the pager does not wait. */
static void try_deaf_peer(const struct sockaddr_un *a, socklen_t len)
{
	struct pager_req ping = { .op = PAGER_PING, .seq = 1 };
	int s = connect_to(a, len), err;

	do {
		err = fd_send(s, &ping, sizeof(ping), NULL, 0);
	} while (!err);
	ok(err == -EPIPE || err == -ECONNRESET, "a peer that never reads: dropped");
	close(s);
}

void test_reconnect(void)
{
	struct sockaddr_un addr;
	struct image_rig img;
	struct vm root, clone;
	struct pgproc pg;
	socklen_t len;
	int listener = autobound_listener(&addr, &len);

	if (!same(pg_start_on(&pg, listener), 0, "a pager with a listening socket"))
		return;
	pg.sock = connect_to(&addr, len);
	try_rude_peers(&addr, len);
	try_deaf_peer(&addr, len);
	if (!same(vm_start(&root), 0, "a VM starts"))
		return;
	vm_fill(&root, 0, RIG_PAGES, 1);
	if (!same(image_take(&img, &root, -1, 0), 0, "snapshot") ||
	    !same(image_add(&pg, &img), 0, "image") ||
	    !same(clone_start(&clone, &img), 0, "clone") ||
	    !same(clone_add(&pg, &clone, &img, 0), 0, "is added"))
		return;
	close(pg.sock);
	same(vm_check(&clone, 0, 1000, 1), 0, "served while nobody is connected");
	ok(image_end_snapshot(&img), "its parent's snapshot ends");
	vm_order(&clone, TVM_CHECK, 1000, 1, 1, 1);
	pg.sock = connect_to(&addr, len);
	ok(pg_event(&pg, PAGER_EV_CLONE_LOST, clone.handle), "lost: said to who connects");
	close(pg.sock);
	pg.sock = connect_to(&addr, len);
	pg.nevents = 0;
	ok(pg_event(&pg, PAGER_EV_CLONE_LOST, clone.handle), "and to who connects later");
	vm_kill(&clone);
	pg_stop(&pg);
	image_drop(&img);
	vm_kill(&root);
	close(listener);
}
