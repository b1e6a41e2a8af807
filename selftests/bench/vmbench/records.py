# SPDX-License-Identifier: GPL-2.0-or-later
"""M5, records: what it gains, and what it wastes, that pages are filled which earlier clones used."""
from .bench import SLOW_RUNS, rotated
from .fetch import wait_filled

ALL_POLICIES = 7


def records(bench, roots, loads):
    """The same work in clones of a machine that keeps records, and of one that keeps none.

    Each load is run in two forks of a machine: the record that the first finds is of other work,
    the second's of the same. Before all that there was a fork for the last load.
    """
    turns = bench.turns("M5 records", min(bench.runs, SLOW_RUNS), 0)
    for root in roots.values():
        root.console.ask(f"policy {ALL_POLICIES}")
        one(bench.record, root, "", "", loads[list(loads)[-1]], -1)
    for run in turns:
        for load, commands in loads.items():
            for of_what in ("other work", "the same"):
                for subject in rotated(list(roots), run):
                    one(bench.record, roots[subject], subject, f"{load}, after {of_what}",
                        commands, run)


def one(record, root, subject, case, commands, run):
    def put(what, unit, value):
        record.add("M5", f"record: {what}", unit, case, subject, run, value)

    with root.fork(1) as fork:
        elapsed = sum(fork.consoles[0].ask(command, 900)[0] for command in commands)
        counts = root.stats()[fork.vms[0]["name"]]["pager"]
        wait_filled(root)
        image = root.image()
    ahead, probes = image["prefetched"], image["probes"]
    put("pages fetched on demand", "pages", counts["fetched"])
    put("pages put there ahead", "pages", ahead)
    put("pages fetched in all", "pages", counts["fetched"] + ahead)
    if ahead:
        put("pages held back", "pages", probes)
        put("pages held back and used", "pages", image["probes_used"])
        put("pages put there for nothing, by that sample", "pages",
            ahead * (1 - image["probes_used"] / max(probes, 1)))
    put("faults", "pages", counts["faults"])
    put("time", "ms", elapsed / 1e3)
