# SPDX-License-Identifier: GPL-2.0-or-later
"""The other ways to get running copies of a machine, all with stock QEMU.

B0  cold boot: nothing of the parent's state
B1  savevm, one copy of the disk per clone, -loadvm
B2  migrate to a file (in memory), -incoming from it
B7  the parent's RAM is a shared file; the state goes without it (x-ignore-shared), each clone
    maps the file private (share=off). The file must not change any more, so the parent goes on
    in a new process of its own. "B7" starts its processes at the fork, as templating does;
    "B7w" has them waiting, as vmfork does.

In the baselines' favour: their disks are not forked, and their clones get no identity of their
own: same random numbers, same clock, same network address.
"""
import dataclasses
import os
import time
import typing

from . import vm
from .console import gather


@dataclasses.dataclass
class Fork:
    """What one fork gave. Times in ms since the parent's stop."""

    pause_ms: typing.Optional[float]
    resumed_ms: list
    reply_ms: list
    pids: list              # of the clones' QEMUs
    consoles: list          # of the clones
    parent_pid: int         # where the parent goes on
    parent_console: object
    state_bytes: int        # what a clone loads
    stored_bytes: int       # what is kept of it
    end: typing.Callable    # ends the clones; the parent is as before
    stages: dict = dataclasses.field(default_factory=dict)      # name: ms, vmfork's own
    vms: list = dataclasses.field(default_factory=list)         # of vmforkctl

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def replies(clones, begin):
    """Asks each for a unit of work; ms until each answer."""
    consoles = [clone.console for clone in clones]
    for console in consoles:
        console.send("work")
    return [1e3 * (at - begin) for _, at in gather(consoles, "work")]


class Parent:
    """The machine that B1, B2 and B7 copy: RAM in a shared file, its own disk overlay."""

    def __init__(self, guest, mib, directory):
        self.guest, self.directory = guest, directory
        self.ram = vm.Ram(mib, os.path.join(directory, "ram"), shared=True)
        disk = vm.overlay(guest.disk, guest.disk_format, self.path("parent.qcow2"))
        self.machine = vm.Machine(guest, self.ram, disk)
        self.machine.greet()
        self.machine.console.answer("ready")
        self.machine.capabilities(False)

    def path(self, name):
        return os.path.join(self.directory, name)

    def disks(self, count):
        """New overlays for clones, made before the clock runs."""
        empty = self.path("empty.qcow2")
        if not os.path.exists(empty):
            vm.overlay(self.machine.disk, "qcow2", empty)
        return [vm.copy(empty, self.path(f"clone{i}.qcow2")) for i in range(count)]

    def end(self):
        self.machine.end()
        for name in os.listdir(self.directory):
            os.unlink(self.path(name))


class ColdBoot:
    """B0"""

    name = "B0"

    def __init__(self, guest, mib, directory):
        self.guest, self.mib, self.directory = guest, mib, directory

    def fork(self, count):
        disks = [vm.overlay(self.guest.disk, self.guest.disk_format,
                            os.path.join(self.directory, f"boot{i}.qcow2"))
                 for i in range(count)]
        begin = time.time()
        clones = [vm.Machine(self.guest, vm.Ram(self.mib), disk) for disk in disks]
        ready = gather([clone.console for clone in clones], "ready")
        reply = replies(clones, begin)

        def end():
            for clone in clones:
                clone.end()
            for disk in disks:
                os.unlink(disk)
        return Fork(None, [1e3 * (at - begin) for _, at in ready], reply,
                    [c.pid for c in clones], [c.console for c in clones], 0, None, 0, 0, end)


class SaveVm:
    """B1"""

    name = "B1"

    def __init__(self, parent):
        self.parent = parent
        self.console = parent.machine.console

    def fork(self, count):
        parent = self.parent.machine
        parent.capabilities(False)
        since = len(parent.qmp.events)
        before = os.stat(parent.disk).st_blocks
        parent.qmp.monitor("savevm bench")
        begin = parent.qmp.event("STOP", since)
        pause = parent.qmp.event("RESUME", since) - begin
        size = 512 * (os.stat(parent.disk).st_blocks - before)
        clones = []
        for i in range(count):
            disk = vm.copy(parent.disk, self.parent.path(f"saved{i}.qcow2"))
            clones.append(vm.Machine(self.parent.guest, vm.Ram(self.parent.ram.mib), disk,
                                     "loadvm"))
        for clone in clones:
            clone.greet()
        resumed = [1e3 * (at - begin) for at in vm.go_on(clones)]
        reply = replies(clones, begin)

        def end():
            for clone in clones:
                clone.end()
                os.unlink(clone.disk)
            parent.qmp.monitor("delvm bench")
        return Fork(1e3 * pause, resumed, reply, [c.pid for c in clones],
                    [c.console for c in clones], parent.pid, parent.console, size, size, end)


class MigrateFile:
    """B2"""

    name = "B2"

    def __init__(self, parent):
        self.parent = parent
        self.console = parent.machine.console

    def fork(self, count):
        parent, state = self.parent.machine, self.parent.path("state")
        disks = self.parent.disks(count)
        parent.capabilities(False)
        parent.qmp.execute("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        begin = parent.stop()
        parent.save(state)
        pause = parent.go_on() - begin
        clones = [vm.Machine(self.parent.guest, vm.Ram(self.parent.ram.mib), disk, "incoming")
                  for disk in disks]
        for clone in clones:
            clone.greet()
            clone.capabilities(False)
        vm.load(clones, state)
        resumed = [1e3 * (at - begin) for at in vm.go_on(clones)]
        reply = replies(clones, begin)
        size = os.stat(state).st_size

        def end():
            for clone in clones:
                clone.end()
            os.unlink(state)
        return Fork(1e3 * pause, resumed, reply, [c.pid for c in clones],
                    [c.console for c in clones], parent.pid, parent.console, size, size, end)


class SharedFile:
    """B7, B7w"""

    def __init__(self, parent, warm):
        self.parent, self.warm = parent, warm
        self.console = parent.machine.console
        self.name = "B7w" if warm else "B7"

    def _start(self, disks):
        ram = vm.Ram(self.parent.ram.mib, self.parent.ram.path, shared=False)
        machines = [vm.Machine(self.parent.guest, ram, disk, "incoming") for disk in disks]
        for machine in machines:
            machine.greet()
            machine.capabilities(True)
        return machines

    def fork(self, count):
        template, state = self.parent.machine, self.parent.path("state")
        disks = self.parent.disks(count + 1)
        template.capabilities(True)
        machines = self._start(disks) if self.warm else []
        begin = template.stop()
        template.save(state)
        machines = machines or self._start(disks)
        parent, clones = machines[0], machines[1:]
        vm.load([parent], state)
        pause = parent.go_on() - begin
        vm.load(clones, state)
        resumed = [1e3 * (at - begin) for at in vm.go_on(clones)]
        reply = replies(clones, begin)
        size = os.stat(state).st_size

        def end():
            for machine in machines:
                machine.end()
            os.unlink(state)
            template.go_on()
        return Fork(1e3 * pause, resumed, reply, [c.pid for c in clones],
                    [c.console for c in clones], parent.pid, parent.console, size, size, end)
