# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python binding in a guest: every call, as TAP."""
import errno
import os
import select

import vmfork

results = []


def ok(good, what):
    """One result."""
    results.append(bool(good))
    print(f"{'' if good else 'not '}ok {len(results)} - python: {what}", flush=True)


def errno_of(function, *args, **kwargs):
    """The errno that a call fails with, 0 for none."""
    try:
        function(*args, **kwargs)
    except OSError as e:
        return e.errno
    return 0


def test_queries(vm):
    api, me = vm.api(), vm.identity()
    ok(api.version == 1 and api.clones_max > 0, "api()")
    ok(me.id == 0 and me.depth == 0 and me.family and me.vm, "identity() of a root VM")
    ok(errno_of(vm.params) in (errno.ENODATA, errno.EOPNOTSUPP), "params() of a root VM")
    ok(errno_of(vm.net) in (0, errno.ENODATA), "net()")
    ok(errno_of(vm.exit, 3) == errno.EPERM, "exit() in a root VM: EPERM")
    try:
        vm.ticket(0)
    except OSError as e:
        ok(e.errno == errno.EINVAL and "number of clones" in str(e), f"an error in words: {e}")
    ok(errno_of(vm.open_checkpoint, "no-such-name") == errno.ENOENT, "open_checkpoint(): ENOENT")


def test_deny(vm):
    with vm.ticket(1) as ticket:
        with vmfork.Machine() as other:
            other.deny()
            ok(errno_of(ticket.clone) == errno.EBUSY, "deny(): EBUSY")
        ok(errno_of(ticket.clone, 1 << 20) == errno.EINVAL, "an unknown flag: EINVAL")


def test_clone(vm):
    before = vm.identity()
    with vm.ticket(2, exact=True) as ticket:
        if vm.api().features & 1 << 6:
            ticket.set_params(b"all")
            ticket.set_params(b"two", id=2)
        me = ticket.clone()
        if me:
            seen = vm.wait_identity()       # does not wait: it has changed
            given = vm.params() if vm.api().features & 1 << 6 else b"-"
            right = seen.id == me and seen.parent == before.vm and ticket.recv().data == b"go"
            ticket.send(b"%d " % right + given, tag=me)
            vm.exit(40 + me)
        for clone in (1, 2):
            ticket.send(b"go", id=clone)
        ready = select.select([ticket], [], [], 60)[0]
        records = list(ticket)
    messages = {r.id: r for r in records if isinstance(r, vmfork.Message)}
    exits = {r.id: r for r in records if isinstance(r, vmfork.Exit)}
    ok(ready == [ticket], "select() on a ticket")
    ok(sorted(messages) == [1, 2] and all(m.data[:2] == b"1 " and m.tag == m.id
                                          for m in messages.values()), "messages both ways")
    if vm.api().features & 1 << 6:
        ok([messages[i].data[2:] for i in (1, 2)] == [b"all", b"two"], "parameters")
    else:
        ok(True, "parameters # SKIP the host does not do them")
    ok({i: (e.reason, e.status) for i, e in exits.items()} ==
       {1: ("exited", 41), 2: ("exited", 42)}, "exits")


def test_checkpoint(vm):
    me, checkpoint = vm.checkpoint()
    if me:
        vm.exit(50 + me)
    with checkpoint, vm.ticket(1) as ticket:
        ticket.create_clones(checkpoint)
        end = ticket.wait()
        ok(end.reason == "exited" and end.status == 51, "a clone of a checkpoint")
        ok(errno_of(ticket.wait) == errno.ECHILD, "wait() for nothing: ECHILD")


def main():
    print("TAP version 13\n1..15", flush=True)
    with vmfork.Machine() as vm:
        test_queries(vm)
        test_deny(vm)
        test_clone(vm)
        test_checkpoint(vm)
    os._exit(0 if all(results) and len(results) == 15 else 1)


main()
