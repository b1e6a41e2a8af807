// SPDX-License-Identifier: GPL-2.0-or-later
/* A full file system of overlays: VMs stand still, and go on when there is room again. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>
#include <systemd/sd-event.h>

#include "qemu.h"
#include "util.h"

/**
 * DOC: A disk that cannot be written
 *
 * QEMU stops the machine (werror=enospc) and keeps the requests that failed; "cont" tries
 * them again. Nobody tells when there is room again, so it is looked at:
 *
 *   BLOCK_IO_ERROR, action "stop"  -> core is told, look every LOOK_USEC
 *   room, and no operation under way -> "cont"
 *   no further error until the next look -> core is told that it goes on
 *
 * A machine that the core holds stopped (from freeze() to resume()) is left alone: its
 * resume() is the next try.
 */
#define LOOK_USEC	1000000
#define ROOM_BYTES	(4ULL << 20)

static bool room(const struct qemu_vm *q)
{
	struct statvfs s;

	return q->disks[0].top && fstatvfs(q->disks[0].top->fd, &s) == 0 &&
	       (uint64_t)s.f_bavail * s.f_frsize >= ROOM_BYTES;
}

static int look(sd_event_source *s, uint64_t usec, void *data)
{
	struct qemu_vm *q = data;

	if (!q->op && !q->held && !q->failed_again) {
		q->stuck = sd_event_source_disable_unref(q->stuck);
		core_event(q->vm, VM_EV_IO_ERROR, 0, 0);
		return 0;
	}
	if (!q->op && !q->held && room(q)) {
		q->failed_again = false;
		qmp_send(q->qmp, "{\"execute\":\"cont\"}", -1, NULL, NULL);
	}
	sd_event_source_set_time_relative(s, LOOK_USEC);
	sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

void stuck_begin(struct qemu_vm *q, int err)
{
	q->failed_again = true;
	if (q->stuck || sd_event_add_time_relative(core_loop(), &q->stuck, CLOCK_MONOTONIC,
						   LOOK_USEC, 0, look, q) < 0)
		return;
	core_event(q->vm, VM_EV_IO_ERROR, err, 0);
}
