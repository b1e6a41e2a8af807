# SPDX-License-Identifier: GPL-2.0-or-later
"""What all measures share: the guest, the record, how often, and what runs just now."""
import os
import shutil
import sys
import time

from .rivals import Parent
from .vmfork import Daemon, Root, SystemdRoot

SLOW_RUNS = 3           # of what takes many seconds each, and of what is counted


class LoneRoot(Root):
    """Takes its daemon along when it ends."""

    def end(self):
        super().end()
        self.daemon.end()


class Bench:
    """Hands out machines and directories; ends what it started."""

    def __init__(self, build, directory, guest, record, runs):
        self.build, self.directory, self.guest = build, directory, guest
        self.record, self.runs = record, runs
        self.begin = time.monotonic()
        self.daemon = None
        self.open = []

    def start(self):
        directory = os.path.join(self.directory, "vmfork")
        os.mkdir(directory, 0o755)
        self.daemon = Daemon(self.build, directory)

    def say(self, text):
        print(f"bench: {time.monotonic() - self.begin:5.0f} s  {text}", file=sys.stderr, flush=True)

    def root(self, mib, name):
        return self._keep(Root(self.daemon, self.guest, mib, name))

    def root_systemd(self, mib, name):
        return self._keep(SystemdRoot(self.daemon, self.guest, mib, name))

    def root_apart(self, mib, name, *options):
        """Under a vmforkd of its own, with these options."""
        directory = os.path.join(self.directory, name)
        os.mkdir(directory, 0o755)
        return self._keep(LoneRoot(Daemon(self.build, directory, options), self.guest, mib, name))

    def parent(self, mib):
        return self._keep(Parent(self.guest, mib, self.scratch()))

    def scratch(self):
        """A new directory in memory."""
        path = os.path.join(self.directory, f"scratch{time.monotonic_ns()}")
        os.mkdir(path)
        return path

    def _keep(self, machine):
        self.open.append(machine)
        return machine

    def end_machine(self, machine):
        self.open.remove(machine)
        machine.end()

    def end_machines(self):
        """Between measures."""
        while self.open:
            self.open.pop().end()
        for name in os.listdir(self.directory):
            if name.startswith("scratch"):
                shutil.rmtree(os.path.join(self.directory, name))

    def end(self):
        try:
            self.end_machines()
        finally:
            if self.daemon:
                self.daemon.end()

    def turns(self, what, runs=None, first=-1):
        """-1 (warm-up, not recorded), 0, 1, ... with a line of progress each."""
        runs = runs or self.runs
        for run in range(first, runs):
            self.say(f"{what}: " + (f"run {run + 1} of {runs}" if run >= 0 else "warm-up"))
            yield run


def rotated(items, turn):
    """Each run begins with another one, so that none always follows the same."""
    at = turn % len(items)
    return items[at:] + items[:at]
