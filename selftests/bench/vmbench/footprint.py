# SPDX-License-Identifier: GPL-2.0-or-later
"""M7: what a clone costs in memory over its life. M8: what the parent copies after a fork."""
from .bench import rotated
from .memory import minor_faults, rollup
from .rivals import MigrateFile, SharedFile
from .stats import median

MIB = 128
FILL_MIB = 32
CLONES = 8
STAGES = (("T=0", ()), ("after load", ("touch 32", "write 8")), ("at the end", ("write 32",)))
COLUMNS = (("Private_Dirty", "Private_Dirty of a clone"), ("Pss", "PSS of a clone"))


def machines(bench, name):
    root, parent = bench.root(MIB, name), bench.parent(MIB)
    for console in (root.console, parent.machine.console):
        console.ask(f"fill {FILL_MIB}")
    return [root, SharedFile(parent, True), MigrateFile(parent)]


def m7(bench):
    usual = machines(bench, "m7")
    for run in bench.turns(f"M7 memory of {CLONES} clones"):
        for subject in rotated(usual, run):
            with subject.fork(CLONES) as fork:
                for stage, commands in STAGES:
                    for command in commands:
                        for console in fork.consoles:
                            console.ask(command)
                    costs = [rollup(pid) for pid in fork.pids]
                    for key, what in COLUMNS:
                        bench.record.add("M7", what, "MiB", stage, subject.name, run,
                                         median(cost[key] for cost in costs) / 2**20)


def m8(bench):
    usual = machines(bench, "m8")
    for run in bench.turns("M8 parent's copies under write load"):
        for subject in rotated(usual, run):
            with subject.fork(1) as fork:
                for case in ("first write", "second write"):
                    write(bench.record, subject, fork, case, run)


def write(record, subject, fork, case, run):
    before = minor_faults(fork.parent_pid)
    elapsed, = fork.parent_console.ask(f"write {FILL_MIB}")
    record.add("M8", f"page faults of the parent, {FILL_MIB} MiB written", "faults", case,
               subject.name, run, minor_faults(fork.parent_pid) - before)
    record.add("M8", f"parent writes {FILL_MIB} MiB", "ms", case, subject.name, run,
               elapsed / 1e3)
