// SPDX-License-Identifier: GPL-2.0-or-later
/* Every refusal that the uapi promises, and the queries. Forks nothing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

enum kind { DEVICE, TICKET };

static int fds[2] = { -1, -1 };
static struct vmfork_api api;

/* errno of a call, 0 for success */
static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? errno : 0;
}

/*
 * One ioctl each: its flags word and its reserved bytes. All else is zeros, or
 * @clones at the beginning, so that only these can be why it is refused.
 */
static const struct strict {
	const char *name;
	enum kind kind;
	unsigned long cmd;
	size_t flags;
	__u32 known;
	size_t reserved;
	size_t size;
	__u32 first;
	__u32 base;	/* flags that are needed */
} strict[] = {
#define STRICT(kind, cmd, type, known, first)					\
	{ #cmd, kind, cmd, offsetof(struct type, flags), known,			\
	  offsetof(struct type, reserved), sizeof(struct type), first, 0 }
	STRICT(DEVICE, VMFORK_REQUEST_TICKET, vmfork_request_ticket,
	       VMFORK_TICKET_EXACT | VMFORK_TICKET_NO_NETWORK, 1),
	STRICT(DEVICE, VMFORK_CHECKPOINT, vmfork_checkpoint,
	       VMFORK_CLONE_SYNC | VMFORK_CLONE_DROP_CACHE, 0),
	STRICT(DEVICE, VMFORK_OPEN_CHECKPOINT, vmfork_open_checkpoint, 0, 'a'),
	STRICT(DEVICE, VMFORK_EXIT, vmfork_exit, 0, 0),
	STRICT(DEVICE, VMFORK_AGENT, vmfork_agent, 0, 0),
	STRICT(DEVICE, VMFORK_AGENT_REPORT, vmfork_report, 0, 0),
	{ "VMFORK_SECRET", DEVICE, VMFORK_SECRET, offsetof(struct vmfork_secret, flags),
	  VMFORK_SECRET_DENY | VMFORK_SECRET_WIPE, offsetof(struct vmfork_secret, reserved),
	  sizeof(struct vmfork_secret), 0, VMFORK_SECRET_DENY },
	STRICT(TICKET, VMFORK_TICKET_CLONE, vmfork_clone,
	       VMFORK_CLONE_SYNC | VMFORK_CLONE_DROP_CACHE, 0),
	STRICT(TICKET, VMFORK_TICKET_CREATE_CLONES, vmfork_create_clones, 0, 0),
	STRICT(TICKET, VMFORK_TICKET_WAIT, vmfork_wait,
	       VMFORK_WAIT_NOHANG | VMFORK_WAIT_NOREAP, 0),
	STRICT(TICKET, VMFORK_TICKET_KILL, vmfork_kill, 0, 0),
};

/* calls whose arguments are only written */
static const struct {
	const char *name;
	enum kind kind;
	unsigned long cmd;
} plain[] = {
	{ "VMFORK_GET_API", DEVICE, VMFORK_GET_API },
	{ "VMFORK_TICKET_INFO", TICKET, VMFORK_TICKET_INFO },
};

static const char *const bad_names[] = {
	".hidden", "-option", "a/b", "with space", "tab\t", "caf\xc3\xa9", "a\x7f",
};

static bool each_unknown_flag(const struct strict *s)
{
	union {
		char bytes[256];
		__u32 words[64];
	} arg;

	for (unsigned int bit = 0; bit < 32; bit++) {
		if (s->known & (1U << bit))
			continue;
		memset(&arg, 0, sizeof(arg));
		arg.words[0] = s->first;
		arg.words[s->flags / 4] |= s->base | 1U << bit;
		if (call(fds[s->kind], s->cmd, &arg) != EINVAL) {
			tap_note("bit %u was not refused", bit);
			return false;
		}
	}
	return true;
}

static bool each_reserved_byte(const struct strict *s)
{
	union {
		char bytes[256];
		__u32 words[64];
	} arg;

	for (size_t i = s->reserved; i < s->size; i++) {
		memset(&arg, 0, sizeof(arg));
		arg.words[0] = s->first;
		arg.words[s->flags / 4] |= s->base;
		arg.bytes[i] = 1;
		if (call(fds[s->kind], s->cmd, &arg) != EINVAL) {
			tap_note("byte %zu was not refused", i);
			return false;
		}
	}
	return true;
}

static void test_strict(enum kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(strict); i++) {
		const struct strict *s = &strict[i];

		if (s->kind != kind)
			continue;
		tap_ok(each_unknown_flag(s), "%s: unknown flags: EINVAL", s->name);
		tap_ok(each_reserved_byte(s), "%s: reserved bytes: EINVAL", s->name);
		tap_ok(call(fds[kind], s->cmd, NULL) == EFAULT, "%s: no argument: EFAULT",
		       s->name);
	}
}

static void test_plain(enum kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (plain[i].kind == kind)
			tap_ok(call(fds[kind], plain[i].cmd, NULL) == EFAULT,
			       "%s: no argument: EFAULT", plain[i].name);
}

/* calls of the other kind, and calls that do not exist */
static void test_enotty(enum kind kind)
{
	unsigned long none = _IO(VMFORK_IOC_MAGIC, 0x7f);
	unsigned long smaller = _IOC(_IOC_READ, VMFORK_IOC_MAGIC, 0x00, 8);
	char arg[256] = { 0 };
	bool all = true;

	for (size_t i = 0; i < ARRAY_SIZE(strict); i++)
		if (strict[i].kind != kind)
			all &= call(fds[kind], strict[i].cmd, arg) == ENOTTY;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (plain[i].kind != kind)
			all &= call(fds[kind], plain[i].cmd, arg) == ENOTTY;
	tap_ok(all, "%s: the other's calls: ENOTTY", kind == DEVICE ? "device" : "ticket");
	tap_ok(call(fds[kind], none, arg) == ENOTTY && call(fds[kind], smaller, arg) == ENOTTY,
	       "%s: no such call, or another size: ENOTTY", kind == DEVICE ? "device" : "ticket");
}

static void test_names(void)
{
	struct vmfork_checkpoint c;
	struct vmfork_open_checkpoint o = { };
	bool made = true, opened = true;

	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		memset(&c, 0, sizeof(c));
		memset(&o, 0, sizeof(o));
		strcpy(c.name, bad_names[i]);
		strcpy(o.name, bad_names[i]);
		made &= call(fds[DEVICE], VMFORK_CHECKPOINT, &c) == EINVAL;
		opened &= call(fds[DEVICE], VMFORK_OPEN_CHECKPOINT, &o) == EINVAL;
	}
	tap_ok(made, "VMFORK_CHECKPOINT: bad names: EINVAL");
	tap_ok(opened, "VMFORK_OPEN_CHECKPOINT: bad names: EINVAL");
	memset(&c, 0, sizeof(c));
	memset(c.name, 'a', sizeof(c.name));
	tap_ok(call(fds[DEVICE], VMFORK_CHECKPOINT, &c) == EINVAL,
	       "VMFORK_CHECKPOINT: a name without its NUL: EINVAL");
	memset(&o, 0, sizeof(o));
	tap_ok(call(fds[DEVICE], VMFORK_OPEN_CHECKPOINT, &o) == EINVAL,
	       "VMFORK_OPEN_CHECKPOINT: no name: EINVAL");
}

static void test_values(void)
{
	struct vmfork_request_ticket rt = { .clones = 0 };
	struct vmfork_exit negative = { .status = -1 }, large = { .status = 256 };

	tap_ok(call(fds[DEVICE], VMFORK_REQUEST_TICKET, &rt) == EINVAL,
	       "VMFORK_REQUEST_TICKET: 0 clones: EINVAL");
	tap_ok(call(fds[DEVICE], VMFORK_EXIT, &negative) == EINVAL &&
	       call(fds[DEVICE], VMFORK_EXIT, &large) == EINVAL,
	       "VMFORK_EXIT: status out of range: EINVAL");
}

/* VMFORK_GET_PARAMS and VMFORK_TICKET_SET_PARAMS have no flags */
static bool params_reserved(enum kind kind, unsigned long cmd)
{
	struct vmfork_params p;

	for (size_t i = offsetof(struct vmfork_params, reserved); i < sizeof(p); i++) {
		memset(&p, 0, sizeof(p));
		((char *)&p)[i] = 1;
		if (call(fds[kind], cmd, &p) != EINVAL)
			return false;
	}
	return true;
}

static void test_get_params(void)
{
	struct vmfork_params id = { .id = 1 };

	tap_ok(params_reserved(DEVICE, VMFORK_GET_PARAMS) &&
	       call(fds[DEVICE], VMFORK_GET_PARAMS, &id) == EINVAL,
	       "VMFORK_GET_PARAMS: reserved bytes, an ID: EINVAL");
	tap_ok(call(fds[DEVICE], VMFORK_GET_PARAMS, NULL) == EFAULT,
	       "VMFORK_GET_PARAMS: no argument: EFAULT");
}

static void test_set_params(void)
{
	bool can = api.features & VMFORK_FEATURE_PARAMS;
	struct vmfork_params none = { }, two = { .id = 2 };
	struct vmfork_params lost = { .len = 1 }, large = { .len = VMFORK_PARAMS_MAX + 1 };

	tap_ok(params_reserved(TICKET, VMFORK_TICKET_SET_PARAMS) &&
	       call(fds[TICKET], VMFORK_TICKET_SET_PARAMS, &large) == EINVAL &&
	       call(fds[TICKET], VMFORK_TICKET_SET_PARAMS, NULL) == EFAULT,
	       "VMFORK_TICKET_SET_PARAMS: reserved bytes, too many: EINVAL");
	tap_ok(call(fds[TICKET], VMFORK_TICKET_SET_PARAMS, &two) == (can ? EINVAL : EOPNOTSUPP),
	       "VMFORK_TICKET_SET_PARAMS: an ID above those granted");
	tap_ok(call(fds[TICKET], VMFORK_TICKET_SET_PARAMS, &lost) == (can ? EFAULT : EOPNOTSUPP) &&
	       call(fds[TICKET], VMFORK_TICKET_SET_PARAMS, &none) == (can ? 0 : EOPNOTSUPP),
	       "VMFORK_TICKET_SET_PARAMS: bytes that are not there, none");
}

static void test_device_io(void)
{
	struct vmfork_identity id;
	char small[sizeof(id) - 1];
	struct pollfd p = { .fd = fds[DEVICE], .events = POLLIN };

	tap_ok(read(fds[DEVICE], small, sizeof(small)) == -1 && errno == EINVAL,
	       "device: read() with a small buffer: EINVAL");
	tap_ok(read(fds[DEVICE], &id, sizeof(id)) == -1 && errno == EAGAIN,
	       "device: nothing has changed: EAGAIN");
	tap_ok(poll(&p, 1, 0) == 0, "device: poll() says nothing");
	tap_ok(write(fds[DEVICE], small, 1) == -1 && errno == EINVAL, "device: write(): EINVAL");
}

static void test_api(void)
{
	bool zero = true;

	for (size_t i = 0; i < ARRAY_SIZE(api.reserved); i++)
		zero &= api.reserved[i] == 0;
	tap_ok(api.version == VMFORK_API_VERSION && zero, "VMFORK_GET_API: version %u", api.version);
	tap_note("clones_max %u features %#llx hazards %#llx", api.clones_max,
		 (unsigned long long)api.features, (unsigned long long)api.hazards);
}

#define WITHOUT_CHANNEL	5

static void test_no_channel(void)
{
	struct vmfork_request_ticket rt = { .clones = 1 };
	struct vmfork_checkpoint c = { };
	struct vmfork_params p = { };
	struct vmfork_exit e = { };
	struct vmfork_identity id;
	struct vmfork_net net;

	tap_ok(call(fds[DEVICE], VMFORK_GET_ID, &id) == ENODEV, "no channel: GET_ID: ENODEV");
	tap_ok(call(fds[DEVICE], VMFORK_REQUEST_TICKET, &rt) == ENODEV,
	       "no channel: REQUEST_TICKET: ENODEV");
	tap_ok(call(fds[DEVICE], VMFORK_CHECKPOINT, &c) == ENODEV,
	       "no channel: CHECKPOINT: ENODEV");
	tap_ok(call(fds[DEVICE], VMFORK_EXIT, &e) == ENODEV, "no channel: EXIT: ENODEV");
	tap_ok(call(fds[DEVICE], VMFORK_GET_NET, &net) == ENODEV &&
	       call(fds[DEVICE], VMFORK_GET_PARAMS, &p) == ENODEV,
	       "no channel: GET_NET, GET_PARAMS: ENODEV");
}

/* without the feature limits but that of time are refused, with it a value out of range */
static void test_limits(void)
{
	bool can = api.features & VMFORK_FEATURE_LIMITS;
	struct vmfork_request_ticket weight = { .clones = 1, .cpu_weight = 10001 };
	struct vmfork_request_ticket life = { .clones = 1, .lifetime_s = 60 };
	struct vmfork_request_ticket most = { .clones = 1, .cpu_weight = 10000 };
	int l, m;

	l = call(fds[DEVICE], VMFORK_REQUEST_TICKET, &life);
	m = call(fds[DEVICE], VMFORK_REQUEST_TICKET, &most);
	tap_ok(call(fds[DEVICE], VMFORK_REQUEST_TICKET, &weight) == EINVAL &&
	       !l && m == (can ? 0 : EOPNOTSUPP),
	       "VMFORK_REQUEST_TICKET: limits (%d, %d)", l, m);
	if (!l)
		close(life.fd);
	if (!m)
		close(most.fd);
}

static void test_told(void)
{
	struct vmfork_params p = { };
	struct vmfork_net net = { };
	int n = call(fds[DEVICE], VMFORK_GET_NET, &net);
	int e = call(fds[DEVICE], VMFORK_GET_PARAMS, &p);

	tap_ok((n == 0 || n == ENODATA) &&
	       e == (api.features & VMFORK_FEATURE_PARAMS ? ENODATA : EOPNOTSUPP),
	       "GET_NET and GET_PARAMS of a root VM (%d, %d)", n, e);
	tap_note("net: flags %#x index %u name \"%s\"", net.flags, net.index, net.hostname);
}

static void test_root(void)
{
	struct vmfork_request_ticket rt = { .clones = api.clones_max + 1 };
	struct vmfork_open_checkpoint o = { .name = "no-such-checkpoint" };
	struct vmfork_exit e = { .status = 3 };
	struct vmfork_identity id;

	tap_ok(call(fds[DEVICE], VMFORK_GET_ID, &id) == 0 && id.id == 0 && id.depth == 0 &&
	       id.parent == 0 && id.checkpoint == 0 && id.family && id.vm,
	       "VMFORK_GET_ID of a root VM");
	tap_ok(call(fds[DEVICE], VMFORK_EXIT, &e) == EPERM, "VMFORK_EXIT in a root VM: EPERM");
	tap_ok(call(fds[DEVICE], VMFORK_REQUEST_TICKET, &rt) == EINVAL,
	       "VMFORK_REQUEST_TICKET: above clones_max: EINVAL");
	test_limits();
	test_told();
	tap_ok(call(fds[DEVICE], VMFORK_OPEN_CHECKPOINT, &o) == ENOENT,
	       "VMFORK_OPEN_CHECKPOINT: no such name: ENOENT");
}

static void test_granted(void)
{
	struct vmfork_ticket_info info = { };
	struct vmfork_wait w = { }, nohang = { .flags = VMFORK_WAIT_NOHANG };
	struct vmfork_kill one = { .id = 1 }, all = { };
	struct pollfd p = { .fd = fds[TICKET], .events = POLLIN | POLLOUT };
	struct vmfork_record rec;

	tap_ok(fcntl(fds[TICKET], F_GETFD) == FD_CLOEXEC, "ticket: O_CLOEXEC");
	tap_ok(call(fds[TICKET], VMFORK_TICKET_INFO, &info) == 0 &&
	       info.state == VMFORK_TICKET_GRANTED && info.granted == 1 && info.handle &&
	       !info.live && !info.unreported && !info.checkpoint, "ticket: INFO: GRANTED");
	tap_ok(call(fds[TICKET], VMFORK_TICKET_WAIT, &w) == ECHILD &&
	       call(fds[TICKET], VMFORK_TICKET_WAIT, &nohang) == ECHILD,
	       "ticket: WAIT before the fork: ECHILD");
	tap_ok(call(fds[TICKET], VMFORK_TICKET_KILL, &one) == ECHILD &&
	       call(fds[TICKET], VMFORK_TICKET_KILL, &all) == 0,
	       "ticket: KILL before the fork: ECHILD for an ID, 0 for all");
	tap_ok(read(fds[TICKET], &rec, sizeof(rec)) == -1 && errno == EAGAIN,
	       "ticket: read() before the fork: EAGAIN");
	tap_ok(poll(&p, 1, 0) == 0, "ticket: poll() before the fork says nothing");
}

/* Never in silence: a kernel that cannot sync refuses to. */
static void test_sync(void)
{
	struct vmfork_clone c = { .flags = VMFORK_CLONE_SYNC };
	struct vmfork_ticket_info info = { };
	bool can = api.features & VMFORK_FEATURE_SYNC;

	tap_ok(can || (call(fds[TICKET], VMFORK_TICKET_CLONE, &c) == EOPNOTSUPP &&
		       call(fds[TICKET], VMFORK_TICKET_INFO, &info) == 0 &&
		       info.state == VMFORK_TICKET_GRANTED),
	       "CLONE_SYNC: %s", can ? "this kernel can" : "EOPNOTSUPP, the ticket stays");
}

static void test_checkpoint_fd(void)
{
	struct vmfork_create_clones none = { .checkpoint_fd = -1 };
	struct vmfork_create_clones device = { .checkpoint_fd = fds[DEVICE] };
	struct vmfork_create_clones ticket = { .checkpoint_fd = fds[TICKET] };

	tap_ok(call(fds[TICKET], VMFORK_TICKET_CREATE_CLONES, &none) == EBADF,
	       "CREATE_CLONES: no descriptor: EBADF");
	tap_ok(call(fds[TICKET], VMFORK_TICKET_CREATE_CLONES, &device) == EINVAL &&
	       call(fds[TICKET], VMFORK_TICKET_CREATE_CLONES, &ticket) == EINVAL,
	       "CREATE_CLONES: not a checkpoint: EINVAL");
}

static int write_errno(__u32 type, __u32 id, __u32 len, size_t size)
{
	static char buf[sizeof(struct vmfork_record) + 2 * VMFORK_MSG_MAX];
	struct vmfork_record head = { .type = type, .id = id, .len = len };

	memcpy(buf, &head, sizeof(head));
	return write(fds[TICKET], buf, size) < 0 ? errno : 0;
}

static void test_write(void)
{
	const size_t head = sizeof(struct vmfork_record);

	tap_ok(write_errno(VMFORK_RECORD_DATA, 1, 1, head - 1) == EINVAL,
	       "write(): less than a head: EINVAL");
	tap_ok(write_errno(VMFORK_RECORD_EXIT, 1, 1, head + 1) == EINVAL &&
	       write_errno(0, 1, 1, head + 1) == EINVAL, "write(): not DATA: EINVAL");
	tap_ok(write_errno(VMFORK_RECORD_DATA, 1, 0, head) == EINVAL,
	       "write(): empty: EINVAL");
	tap_ok(write_errno(VMFORK_RECORD_DATA, 1, VMFORK_MSG_MAX + 1,
			   head + VMFORK_MSG_MAX + 1) == EINVAL, "write(): too long: EINVAL");
	tap_ok(write_errno(VMFORK_RECORD_DATA, 1, 4, head + 5) == EINVAL &&
	       write_errno(VMFORK_RECORD_DATA, 1, 4, head + 3) == EINVAL,
	       "write(): not exactly one record: EINVAL");
	tap_ok(write_errno(VMFORK_RECORD_DATA, 1, 4, head + 4) == ENOTCONN,
	       "write() before the fork: ENOTCONN");
}

int main(void)
{
	enum {
		ALWAYS = 7 * 3 + 1 + 2 + 4 + 4 + 4 + 1,
		WITH_HOST = 6 + 4 * 3 + 1 + 2 + 6 + 1 + 2 + 6 + 3,
	};
	struct vmfork_request_ticket rt = { .clones = 1 };
	struct vmfork_identity id = { };
	int err;

	fds[DEVICE] = open("/dev/vmfork", O_RDWR | O_NONBLOCK);
	if (fds[DEVICE] < 0)
		tap_bail("/dev/vmfork: %s", strerror(errno));
	err = call(fds[DEVICE], VMFORK_GET_API, &api);
	if (err)
		tap_bail("VMFORK_GET_API: %s", strerror(err));
	if (!call(fds[DEVICE], VMFORK_GET_ID, &id) && id.depth)
		tap_bail("this is a clone: VMFORK_EXIT would end it");
	tap_plan(ALWAYS + (api.clones_max ? WITH_HOST : WITHOUT_CHANNEL));
	test_api();
	test_strict(DEVICE);
	test_plain(DEVICE);
	test_enotty(DEVICE);
	test_names();
	test_values();
	test_get_params();
	test_device_io();
	if (!api.clones_max) {
		test_no_channel();
		return tap_end();
	}
	test_root();
	err = call(fds[DEVICE], VMFORK_REQUEST_TICKET, &rt);
	if (err)
		tap_bail("VMFORK_REQUEST_TICKET: %s", strerror(err));
	fds[TICKET] = rt.fd;
	test_strict(TICKET);
	test_plain(TICKET);
	test_enotty(TICKET);
	fcntl(fds[TICKET], F_SETFL, O_NONBLOCK);
	test_granted();
	test_sync();
	test_checkpoint_fd();
	test_set_params();
	test_write();
	return tap_end();
}
