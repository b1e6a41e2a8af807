# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts about the machine that the figures were measured on."""
import os
import re
import subprocess

from .vm import QEMU


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True) \
        .stdout.splitlines()[0]


def read(path):
    with open(path, encoding="ascii", errors="replace") as text:
        return text.read()


def load():
    return "%.1f %.1f %.1f" % os.getloadavg()


def facts(guest, runs):
    """(name, value) pairs, to be printed beside each table."""
    model = re.search(r"^model name\s*: (.*)", read("/proc/cpuinfo"), re.M)
    memory = int(re.search(r"^MemTotal:\s+(\d+)", read("/proc/meminfo"), re.M).group(1))
    pages = read("/sys/kernel/mm/transparent_hugepage/enabled").split("[")[1].split("]")[0]
    return [
        ("host", f"{os.cpu_count()} x {model.group(1) if model else os.uname().machine}, "
                 f"{memory >> 20} GiB"),
        ("host kernel", f"{os.uname().release}, transparent huge pages {pages}"),
        ("load average when started (1, 5, 15 min)", load()),
        ("QEMU", first_line(QEMU, "--version").removeprefix("QEMU emulator version ")),
        ("accelerator", guest.accel),
        ("guest kernel", guest.release),
        ("runs", str(runs)),
    ]
