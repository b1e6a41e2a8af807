# SPDX-License-Identifier: GPL-2.0-or-later
"""M12: what a clone's identity costs: the delay in the clone, and nothing in the parent."""
from .bench import rotated
from .vmfork import AT_ONCE

MIB = 512
CLONES = (1, 8)
SUBJECTS = {"vmfork": 1, "no agent": 0}
# what the clone's program does before its message, and what that message is
KINDS = {"first step of user code": AT_ONCE, "first reply": 0}


def m12(bench):
    """One machine, a Debian with systemd, forked with its agent and without, in turns."""
    root = bench.root_systemd(MIB, "m12")
    for run in bench.turns("M12 identity of clones"):
        for count in CLONES:
            for kind, how in KINDS.items():
                for subject in rotated(list(SUBJECTS), run):
                    root.console.ask(f"agent {SUBJECTS[subject]}")
                    with root.fork(count, how) as fork:
                        add(bench.record, subject, count, run, kind, fork)


def add(record, subject, count, run, kind, fork):
    def put(what, value):
        record.add("M12", what, "ms", f"N={count}", subject, run, value)

    put("parent pause", fork.pause_ms)
    put("all clones resumed", max(fork.resumed_ms))
    put(f"{kind}, of the last clone", max(fork.reply_ms))
    put(f"from resumed to the {kind}, of the last clone",
        max(reply - resumed for reply, resumed in zip(fork.reply_ms, fork.resumed_ms)))
    gates = [vm["times"]["identity_ms"] for vm in fork.vms if "identity_ms" in vm["times"]]
    if gates:
        put("from resumed to the gate's opening, of the last clone", max(gates))
