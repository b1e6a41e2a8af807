# SPDX-License-Identifier: GPL-2.0-or-later
"""M1: bytes of state. M2: how long a fork into N clones takes."""
from .bench import SLOW_RUNS, rotated
from .rivals import ColdBoot, MigrateFile, SaveVm, SharedFile

CLONES = (1, 2, 4, 8, 16, 32)
MIB = 128
FILL_MIB = 32
SAVEVM_CLONES = (1, 8, 32)


def m2(bench):
    """M1 comes along: the forks are the same.

    Each round has a new root VM: what earlier forks cost later ones is M10's question.
    """
    parent = bench.parent(MIB)
    parent.machine.console.ask(f"fill {FILL_MIB}")
    rivals = [SharedFile(parent, True), SharedFile(parent, False), MigrateFile(parent)]
    savevm, boot = SaveVm(parent), ColdBoot(bench.guest, MIB, bench.scratch())
    for run in bench.turns("M1, M2 fork latency"):
        root = bench.root(MIB, f"m2-{run + 1}")
        root.console.ask(f"fill {FILL_MIB}")
        for count in CLONES:
            subjects = rotated([root, *rivals], run)
            if run in range(SLOW_RUNS):
                subjects += [savevm] if count in SAVEVM_CLONES else []
                subjects += [boot] if count == 1 else []
            for subject in subjects:
                with subject.fork(count) as fork:
                    add(bench.record, subject, count, run, fork)
        bench.end_machine(root)


def add(record, subject, count, run, fork):
    case = f"N={count}"

    def put(what, value, measure="M2", unit="ms"):
        record.add(measure, what, unit, case, subject.name, run, value)

    if fork.pause_ms is not None:
        put("parent pause", fork.pause_ms)
    for name, value in fork.stages.items():
        put(f"step: {name}", value)
    put("first clone resumed", min(fork.resumed_ms))
    put("all clones resumed", max(fork.resumed_ms))
    put("first reply of the last clone", max(fork.reply_ms))
    if count == 1 and fork.state_bytes:
        put("state, as loaded", fork.state_bytes, "M1", "B")
        put("state, as kept", fork.stored_bytes, "M1", "B")
