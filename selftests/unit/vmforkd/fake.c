// SPDX-License-Identifier: GPL-2.0-or-later
/* Around the core in unit tests: a fake backend and the guest's side of a channel. */
#include "fake.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "identity.h"
#include "keeper_client.h"
#include "log.h"
#include "network.h"
#include "ops.h"
#include "options.h"
#include "pager_client.h"
#include "runtime.h"
#include "state.h"
#include "util.h"
#include "vmlimits.h"

#define TODO_MAX 1024
#define STORE_MAX 256

struct todo {
	struct vm *vm;
	enum vm_event ev;
	int err;
	int arg;
};

struct stored {
	char name[64];	/* empty: free */
	int fd;
};

struct fake fake;
static struct todo todo[TODO_MAX];
static unsigned int todo_first, todo_end;
static struct vm *held[VMS_MAX];
static unsigned int nheld;
static struct vm *held_freeze;
static struct stored store[STORE_MAX];

static void later(struct vm *vm, enum vm_event ev, int err)
{
	if (todo_end - todo_first == TODO_MAX)
		abort();
	todo[todo_end++ % TODO_MAX] = (struct todo){ vm, ev, err, 0 };
}

static int probe(char *why, size_t len)
{
	snprintf(why, len, "fake");
	return 0;
}

static int check(const struct vm_config *cfg, char *why, size_t len)
{
	return 0;
}

static int start(struct vm *vm, enum start_kind kind, int channel, size_t size)
{
	if (kind == START_STANDBY && fake.start_err)
		return fake.start_err;
	vm_set_backend(vm, vm);
	if (kind == START_STANDBY && fake.hold_starts)
		held[nheld++] = vm;
	else
		later(vm, VM_EV_STARTED, 0);
	return 0;
}

static int prepare(struct vm *vm)
{
	if (!fake.hold_prepare)
		later(vm, VM_EV_PREPARED, 0);
	return 0;
}

static void unprepare(struct vm *vm)
{
	fake.unprepared++;
}

static int freeze(struct vm *vm, struct checkpoint *cp)
{
	if (fake.refuse_freeze)
		return fake.refuse_freeze;
	fake.frozen++;
	checkpoint_set_backend(cp, cp);
	vm_times(vm)->stopped = now_ns();
	if (fake.hold_freeze)
		held_freeze = vm;
	else
		later(vm, VM_EV_FROZEN, fake.freeze_err);
	return 0;
}

static int resume(struct vm *vm)
{
	if (vm->state == VM_LOADED && checkpoint_find(vm->checkpoint)->agent && !fake.shuts)
		fake.ran_open = true;
	fake.resumes++;
	if (!fake.hold_resume)
		later(vm, VM_EV_RESUMED, 0);
	return 0;
}

static int load(struct vm *vm, struct checkpoint *cp)
{
	struct vm *parent = checkpoint_vm(cp);

	if (fake.loads++ == 0 && parent) {
		fake.parent_block_at_first_load = channel_fork_state(&parent->channel);
		fake.parent_ran_at_first_load = parent->state == VM_RUNNING;
	}
	later(vm, VM_EV_LOADED, vm->id == fake.load_err_id ? fake.load_err : 0);
	return 0;
}

static json_t *save(const struct vm *vm)
{
	return json_object();
}

static int adopt(struct vm *vm, json_t *state)
{
	vm_set_backend(vm, vm);
	if (fake.hold_adopt)
		return 0;
	later(vm, VM_EV_ADOPTED, 0);
	todo[(todo_end - 1) % TODO_MAX].arg = fake.adopted_running;
	return 0;
}

static json_t *checkpoint_save(const struct checkpoint *cp)
{
	return json_object();
}

static int checkpoint_adopt(struct checkpoint *cp, json_t *state)
{
	checkpoint_set_backend(cp, cp);
	return 0;
}

static void kick(struct vm *vm)
{
	fake.kicks++;
}

static int kill_vm(struct vm *vm)
{
	later(vm, VM_EV_DEAD, 9);
	return 0;
}

static void destroy(struct vm *vm)
{
	fake.destroyed++;
	for (unsigned int i = todo_first; i != todo_end; i++)
		if (todo[i % TODO_MAX].vm == vm)
			todo[i % TODO_MAX].vm = NULL;
}

static void checkpoint_destroy(struct checkpoint *cp)
{
	fake.checkpoints_destroyed++;
}

static unsigned int slots(const struct vm_config *cfg, struct pager_slot *ret)
{
	ret[0] = (struct pager_slot){ 0, 0, cfg->memory / PAGER_PAGE_SIZE };
	return 1;
}

static const char *unforkable(const struct vm *vm)
{
	return fake.unforkable;
}

static struct backend_ops fake_backend = {
	.name = "fake", .probe = probe, .check = check, .start = start, .prepare = prepare,
	.unprepare = unprepare,
	.freeze = freeze, .resume = resume, .load = load, .kick = kick, .unforkable = unforkable, .kill = kill_vm,
	.destroy = destroy, .checkpoint_destroy = checkpoint_destroy, .slots = slots,
	.save = save, .adopt = adopt, .checkpoint_save = checkpoint_save,
	.checkpoint_adopt = checkpoint_adopt,
};

void fake_release_starts(void)
{
	fake.hold_starts = false;
	for (unsigned int i = 0; i < nheld; i++)
		if (held[i]->state == VM_STARTING)
			later(held[i], VM_EV_STARTED, 0);
	nheld = 0;
}

void fake_release_prepare(struct vm *vm, int err)
{
	fake.hold_prepare = false;
	later(vm, VM_EV_PREPARED, err);
}

void fake_runs_on(void)
{
	fake_backend.runs_on = true;
}

void fake_release_freeze(void)
{
	fake.hold_freeze = false;
	later(held_freeze, VM_EV_FROZEN, fake.freeze_err);
}

void fake_die(struct vm *vm, int wait_status)
{
	core_event(vm, VM_EV_DEAD, 0, wait_status);
}

void fake_settle(void)
{
	for (;;) {
		if (sd_event_run(core.loop, 0) > 0)
			continue;
		if (todo_first == todo_end)
			return;
		struct todo t = todo[todo_first++ % TODO_MAX];

		if (t.vm)
			core_event(t.vm, t.ev, t.err, t.arg);
	}
}

void fake_wait_end(uint64_t handle)
{
	for (fake_settle(); vm_find(handle); fake_settle())
		sd_event_run(core.loop, UINT64_MAX);
}

static void remove_all(void)
{
	for_each_vm(vm)
		vm->state = VM_DEAD;
	core_reap();
	for_each_ticket(t)
		t->state = TICKET_FREE;
	for_each_checkpoint(cp)
		checkpoint_free(cp);
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++) {
		f->timer = sd_event_source_disable_unref(f->timer);
		f->state = FORK_FREE;
	}
}

/* The state file is as old as the last call of state_save_now(). */
void fake_restart(void)
{
	todo_first = todo_end = nheld = 0;
	for_each_vm(vm) {
		vm->watchdog = sd_event_source_disable_unref(vm->watchdog);
		identity_over(vm);
		expiry_over(vm);
		channel_free(&vm->channel);
		vm->state = VM_FREE;
	}
	for_each_ticket(t)
		t->state = TICKET_FREE;
	for_each_checkpoint(cp)
		checkpoint_free(cp);
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++) {
		f->timer = sd_event_source_disable_unref(f->timer);
		f->state = FORK_FREE;
	}
	if (state_load() < 0)
		abort();
}

void fake_set_up(void)
{
	setenv("VMFORK_LOG", "error", 0);
	log_init("test");
	memset(&fake, 0, sizeof(fake));
	fake_backend.runs_on = false;
	todo_first = todo_end = nheld = 0;
	strcpy(opt.runtime_dir, "/tmp/vmforkd-test-XXXXXX");
	if (!mkdtemp(opt.runtime_dir))
		abort();
	opt.uid = (uid_t)-1;
	opt.clones_max = 64;
	opt.clones_total = 256;
	opt.identity_timeout = 60;
	core.backend = &fake_backend;
	core.next_handle = 100;
	if (sd_event_default(&core.loop) < 0)
		abort();
}

void fake_tear_down(void)
{
	fake_settle();
	remove_all();
	runtime_remove_dir(opt.runtime_dir);
}

struct vm *fake_root(const char *name)
{
	struct vm_config c = { .memory = 64 << 20, .vcpus = 1 };
	struct limits none = { 0 };
	struct vm *vm;

	snprintf(c.name, sizeof(c.name), "%s", name);
	if (vm_start_root(&c, &none, NULL, NULL, &vm) < 0)
		abort();
	fake_settle();
	guest_hello(vm);
	return vm;
}

/* no network */
static network_opened_fn open_done;

int network_shut(struct vm *vm)
{
	fake.shuts++;
	return fake.shut_err;
}

void network_open(struct vm *vm, network_opened_fn done)
{
	fake.opens++;
	open_done = done;
	if (!fake.hold_open)
		done(vm, fake.open_err);
}

void network_adopt(struct vm *vm, bool identified)
{
	fake.identified += identified;
}

void fake_release_open(struct vm *vm)
{
	fake.hold_open = false;
	open_done(vm, fake.open_err);
}

/* no keeper, no pager */
int core_store_fd(const char *name, int fd)
{
	for (struct stored *s = store; s < store + STORE_MAX; s++) {
		if (s->name[0])
			continue;
		snprintf(s->name, sizeof(s->name), "%s", name);
		s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return 0;
	}
	abort();
}

int core_take_fd(const char *name)
{
	for (struct stored *s = store; s < store + STORE_MAX; s++)
		if (!strcmp(s->name, name))
			return fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	return -1;
}

/* all are dropped by prefix here */
void core_drop_fds(const char *prefix)
{
	size_t n = strcspn(prefix, "*");

	for (struct stored *s = store; s < store + STORE_MAX; s++)
		if (s->name[0] && !strncmp(s->name, prefix, n)) {
			close(s->fd);
			s->name[0] = '\0';
		}
}

int core_pager(const struct pager_req *req, const int *fds, unsigned int nfds,
	       core_pager_fn done, void *data)
{
	return -ENOTCONN;
}

void keeper_kill_children(const char *prefix)
{
}

bool keeper_has_child(const char *prefix)
{
	return true;
}

uint64_t keeper_child_handle(const char *name)
{
	return 0;
}

void keeper_each_fd(const char *prefix, void (*fn)(const char *name, void *data), void *data)
{
}

void keeper_kill_strangers(bool (*known)(uint64_t handle))
{
}

void pager_forget_unknown(bool (*image_known)(uint64_t), bool (*clone_known)(uint64_t))
{
}

void control_shutdown(void)
{
}
