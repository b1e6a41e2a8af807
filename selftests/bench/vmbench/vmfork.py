# SPDX-License-Identifier: GPL-2.0-or-later
"""vmfork itself, driven as its users do: vmforkctl on the host, /dev/vmfork in the guest."""
import base64
import dataclasses
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time

from . import process
from .console import Console
from .rivals import Fork

AT_ONCE, DROP_CACHE = 1, 2      # of the guest's command `fork`
TIMEOUT_S = 120
END_S = 20


class VmforkError(Exception):
    """vmforkd refused something or gave no sensible answer."""


class Daemon:
    """A vmforkd of the harness's own."""

    def __init__(self, build, directory, options=(), qemu=None):
        """@options: more of vmforkd's; @qemu: a program to run in place of QEMU."""
        self.build = build
        self.socket = os.path.join(directory, "control.sock")
        images = os.path.join(directory, "images")
        os.mkdir(images)
        self.log = open(os.path.join(directory, "vmforkd.log"), "w", encoding="utf-8")
        self.process = process.spawn(
            [f"{build}/bin/vmforkd", "--runtime-dir", directory, "--image-dir", images,
             "--user", qemu_user(), "--die-with-parent", *options],
            signal.SIGTERM, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env=dict(os.environ, VMFORK_QEMU=qemu) if qemu else None)
        deadline = time.monotonic() + TIMEOUT_S
        while not os.path.exists(self.socket):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise VmforkError(f"vmforkd did not start: see {self.log.name}")
            time.sleep(0.05)

    def call(self, *args):
        """The result of one vmforkctl command."""
        done = subprocess.run([f"{self.build}/bin/vmforkctl", "--socket", self.socket, "--json",
                               *args], capture_output=True, text=True, check=False)
        if done.returncode:
            raise VmforkError(f"vmforkctl {' '.join(args)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def end(self):
        try:
            self.call("shutdown")
            self.process.wait(END_S)
        except (VmforkError, subprocess.TimeoutExpired):
            pass
        process.end(self.process)
        self.log.close()


def qemu_user():
    """vmfork's own user where it is installed."""
    try:
        return pwd.getpwnam("vmfork").pw_name
    except KeyError:
        return "nobody"


def console(vm):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(vm["console"])
    return Console(sock)


def stages(parent, clones):
    """When each step was done, in ms; which figure belongs to which is in the benchmarks' page."""
    own = {name: parent["times"].get(f"{key}_ms") for name, key in (
        ("from the request to the stop", "rang_to_stopped"),
        ("device state saved", "saved"), ("snapshot process there", "snapped"))}
    last = {name: max(vm["times"].get(f"{key}_ms", 0) for vm in clones) for name, key in (
        ("last load begins", "load_begin"), ("last load ends", "loaded"))}
    return {name: value for name, value in {**own, **last}.items() if value is not None}


class Root:
    """A root VM that can be forked again and again."""

    name = "vmfork"

    def __init__(self, daemon, guest, mib, name, options=()):
        self.daemon, self.vm_name = daemon, name
        result = daemon.call("run", name, "--memory", f"{mib}M", "--accel", guest.accel,
                             "--kernel", guest.kernel, "--initrd", guest.initrd,
                             "--append", guest.append,
                             "--disk", f"{guest.disk},format={guest.disk_format}", *options)
        self.vm = result["vm"]
        self.console = console(self.vm)
        self._begin()

    def _begin(self):
        self._wait_said(r"^\.*ready \d")
        if self.console.ask("hello") != [1]:
            raise VmforkError("the guest has no /dev/vmfork")

    def _wait_said(self, pattern, timeout=TIMEOUT_S):
        """It may have been said before the console was there to hear it."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self._log(), re.M):
            if time.monotonic() > deadline:
                raise VmforkError(f"{self.vm_name} does not come up: {self._log()[-300:]!r}")
            time.sleep(0.05)

    def _log(self):
        try:
            with open(self.vm["log"], encoding="utf-8", errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    def fork(self, count, how=0):
        """The program in the guest forks; its clones' results end the measure.

        how: AT_ONCE: without a unit of work before them; DROP_CACHE: page cache is dropped before.
        """
        self.console.ask(f"ticket {count}")
        self._wait_standbys(count)
        call_us = self.console.ask(f"fork {how}")[2]
        self.console.ask(f"collect {count}")
        vms = self.daemon.call("stats")["vms"]
        parent = next(vm for vm in vms if vm["name"] == self.vm_name)
        clones = [vm for vm in vms if vm["parent"] == parent["handle"]]
        if len(clones) != count:
            raise VmforkError(f"{count} clones asked for, {len(clones)} there")
        checkpoints = self.daemon.call("ps")["checkpoints"]
        checkpoint = next(c for c in checkpoints if c["handle"] == clones[0]["checkpoint"])
        consoles = [console(vm) for vm in clones]

        def end():
            for clone_console in consoles:
                clone_console.close()
            self.console.ask("close")
            self._wait_gone()
        return Fork(parent["times"]["pause_ms"],
                    [vm["times"]["resumed_ms"] for vm in clones],
                    [vm["times"]["first_result_ms"] for vm in clones],
                    [vm["pid"] for vm in clones], consoles, parent["pid"], self.console,
                    checkpoint["descriptor_bytes"], checkpoint["descriptor_stored_bytes"], end,
                    {**stages(parent, clones), "the call in the parent": call_us / 1e3}, clones)

    def image(self):
        """The pager's counts of the image that its clones page from."""
        return self.daemon.call("stats")["checkpoints"][-1]["pager"]

    def stats(self):
        """All VMs with their pager counts, by name."""
        return {vm["name"]: vm for vm in self.daemon.call("stats")["vms"]}

    def _wait_standbys(self, count):
        """The ticket's machines are up: this is what makes clones warm."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            tickets = self.daemon.call("ps")["tickets"]
            ticket = next(t for t in tickets if t["parent"] == self.vm["handle"])
            if ticket["ready"] == count:
                return
            if time.monotonic() > deadline:
                raise VmforkError(f"{ticket['ready']} of {count} stand-bys are up")
            time.sleep(0.02)

    def _wait_gone(self):
        deadline = time.monotonic() + TIMEOUT_S
        while any(vm["parent"] for vm in self.daemon.call("ps")["vms"]):
            if time.monotonic() > deadline:
                raise VmforkError("clones outlive their ticket")
            time.sleep(0.01)

    def end(self):
        self.console.close()
        self.daemon.call("kill", self.vm_name)


class SystemdRoot(Root):
    """A Debian with systemd, its services and a network device; the program begins by a shell."""

    BOOT_S = 900
    APPEND = "vmfork.shell vmfork.init=systemd systemd.default_timeout_start_sec=1800"
    JOB = ("stty raw -echo -isig < /dev/ttyS0; "
           "exec /usr/lib/vmfork/bin/vmfork-bench-guest < /dev/ttyS0 > /dev/ttyS0 2>&1")

    def __init__(self, daemon, guest, mib, name):
        guest = dataclasses.replace(guest, append=guest.append.replace("vmfork.job=bench",
                                                                       self.APPEND))
        super().__init__(daemon, guest, mib, name, ("--net", "user"))

    def _begin(self):
        self._wait_said(r"^VMFORK-READY ", self.BOOT_S)
        self.console.send("run 1 " + base64.b64encode(self.JOB.encode()).decode())
        super()._begin()
