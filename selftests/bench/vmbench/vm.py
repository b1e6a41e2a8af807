# SPDX-License-Identifier: GPL-2.0-or-later
"""The baselines' machines: stock QEMU with the arguments that vmfork gives it, less the channel."""
import dataclasses
import os
import shutil
import socket
import subprocess

from . import process
from .console import Console
from .qmp import Qmp

QEMU = "qemu-system-x86_64"


@dataclasses.dataclass
class Guest:
    """What all machines of a run have in common."""

    kernel: str
    initrd: str
    append: str
    disk: str
    disk_format: str
    release: str
    accel: str = "tcg"

    def accel_args(self):
        if self.accel == "tcg":
            return ["-accel", "tcg,thread=multi", "-cpu", "qemu64,-cx16"]
        return ["-accel", self.accel, "-cpu", "host"]


@dataclasses.dataclass
class Ram:
    """Where a machine's memory is: a file, shared or private, or with path None anonymous."""

    mib: int
    path: str = None
    shared: bool = False

    def args(self):
        if self.path is None:
            return ["-object", f"memory-backend-ram,id=ram,size={self.mib}M"]
        share = "on" if self.shared else "off"
        return ["-object", f"memory-backend-file,id=ram,mem-path={self.path},size={self.mib}M,"
                           f"share={share}"]


def overlay(base, base_format, path):
    """A new qcow2 file at `path` over `base`."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", base_format,
                    path], check=True)
    return path


class Machine:
    """One QEMU process with its QMP and console connections.

    kind: "boot" runs the kernel, "incoming" waits for a state, "loadvm" starts stopped from
    the disk's snapshot `bench`.
    """

    def __init__(self, guest, ram, disk, kind="boot"):
        self.ram, self.disk = ram, disk
        qmp, qmp_qemu = socket.socketpair()
        console, console_qemu = socket.socketpair()
        fds = (qmp_qemu.fileno(), console_qemu.fileno())
        args = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none",
                *guest.accel_args(), "-global", "PIIX4_PM.disable_s3=1",
                "-global", "PIIX4_PM.disable_s4=1",
                "-machine", "pc,usb=off,vmport=off,suppress-vmdesc=on,dump-guest-core=off,"
                            "memory-backend=ram",
                "-m", f"{ram.mib}M", *ram.args(), "-smp", "1",
                "-chardev", f"socket,id=qmp,fd={fds[0]}", "-mon", "chardev=qmp,mode=control",
                "-chardev", f"socket,id=con,fd={fds[1]}", "-serial", "chardev:con",
                "-drive", f"if=none,id=d0,file={disk},format=qcow2,backing.file.locking=off",
                "-device", "virtio-blk-pci,drive=d0", "-device", "vmgenid,guid=auto",
                "-device", "virtio-rng-pci", "-device", "pvpanic"]
        args += {"boot": ["-kernel", guest.kernel, "-initrd", guest.initrd,
                          "-append", guest.append],
                 "incoming": ["-incoming", "defer"],
                 "loadvm": ["-S", "-loadvm", "bench"]}[kind]
        self.process = process.spawn(args, pass_fds=fds, stdin=subprocess.DEVNULL)
        qmp_qemu.close()
        console_qemu.close()
        self.qmp = Qmp(qmp)
        self.console = Console(console)

    @property
    def pid(self):
        return self.process.pid

    def greet(self):
        """QMP is there; machines can be started side by side and greeted afterwards."""
        self.qmp.greet()

    def capabilities(self, ignore_shared):
        self.qmp.execute("migrate-set-capabilities", capabilities=[
            {"capability": "events", "state": True},
            {"capability": "x-ignore-shared", "state": ignore_shared}])

    def stop(self):
        """Returns QEMU's time of the stop."""
        since = len(self.qmp.events)
        self.qmp.execute("stop")
        return self.qmp.event("STOP", since)

    def go_on(self):
        """Returns QEMU's time of the resume."""
        return go_on([self])[0]

    def save(self, path):
        """Writes the state of the stopped machine to a file."""
        since = len(self.qmp.events)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self.qmp.execute("getfd", [fd], fdname="state")
            self.qmp.execute("migrate", uri="fd:state")
            self.qmp.migrated(since)
            # The event comes a moment before QEMU would take a `cont`.
            while self.qmp.execute("query-status")["status"] == "finish-migrate":
                pass
        finally:
            os.close(fd)

    def end(self):
        process.end(self.process)
        self.qmp.sock.close()
        self.console.close()


def load(machines, path):
    """Loads the state file into all, side by side."""
    since = [len(m.qmp.events) for m in machines]
    for machine in machines:
        fd = os.open(path, os.O_RDONLY)
        machine.qmp.post("getfd", [fd], fdname="state")
        machine.qmp.post("migrate-incoming", uri="fd:state")
        os.close(fd)
    for machine, mark in zip(machines, since):
        machine.qmp.result()
        machine.qmp.result()
        machine.qmp.migrated(mark)


def go_on(machines):
    """Continues all; QEMU's times of their resuming."""
    since = [len(m.qmp.events) for m in machines]
    for machine in machines:
        machine.qmp.post("cont")
    for machine in machines:
        machine.qmp.result()
    return [m.qmp.event("RESUME", mark) for m, mark in zip(machines, since)]


def copy(source, target):
    shutil.copyfile(source, target)
    return target
