# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines under QEMU's TCG with the oracle plugin: see ../oracle/oracle.c."""
import os
import struct

from .vmfork import Daemon, Root

PAGE = 4096
NEEDED = 2
# Static, so that the RAM library that is preloaded for QEMU does not begin its work in a shell.
WRAPPER = """#!/bin/busybox sh
# pages are of interest in clones only, and watching them makes a machine slow
case {mode}:$* in
count:*|*-incoming*) exec {qemu} "$@" -plugin {plugin},dir={directory},pages={pages},mode={mode} ;;
esac
exec {qemu} "$@"
"""


class Oracle:
    """A vmforkd of its own whose QEMUs carry the plugin."""

    def __init__(self, bench, mode, mib):
        self.bench = bench
        self.directory = bench.scratch()
        self.machines = []
        for name in ("run", "counts"):
            os.mkdir(os.path.join(self.directory, name), 0o755)
        self.counts = os.path.join(self.directory, "counts")
        os.chmod(self.counts, 0o1777)
        os.chmod(self.directory, 0o755)
        wrapper = os.path.join(self.directory, "qemu")
        plugin = os.path.join(self.directory, "liboracle.so")
        with open(f"{bench.build}/lib/liboracle.so", "rb") as source, open(plugin, "wb") as to:
            to.write(source.read())
        with open(wrapper, "w", encoding="ascii") as text:
            text.write(WRAPPER.format(
                qemu="/usr/bin/qemu-system-x86_64", plugin=plugin, directory=self.counts,
                pages=mib * 256 if mode == "pages" else 0, mode=mode))
        os.chmod(wrapper, 0o755)
        self.daemon = Daemon(bench.build, os.path.join(self.directory, "run"),
                             ("--fill", "none"), qemu=wrapper)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for machine in self.machines:
            machine.end()
        self.daemon.end()

    def root(self, mib, name):
        self.machines.append(Root(self.daemon, self.bench.guest, mib, name))
        return self.machines[-1]

    def instructions(self, pid):
        with open(os.path.join(self.counts, str(pid)), "rb") as file:
            return struct.unpack("=Q", file.read(8))[0]

    def needed(self, pid):
        with open(os.path.join(self.counts, str(pid)), "rb") as file:
            file.seek(PAGE)
            return file.read().count(bytes((NEEDED,)))
