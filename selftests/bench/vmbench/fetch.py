# SPDX-License-Identifier: GPL-2.0-or-later
"""M4: what fetching a page costs, by itself and in a clone that reads 128 MiB."""
import json
import subprocess

from .bench import rotated
from .rivals import MigrateFile, SharedFile

MIB = 256
TOUCH_MIB = 128
FAULTS = {"bare": ("uffd", "page fault"), "pager": ("vmfork", "page fault"),
          "avoid": ("vmfork", "page fault, page avoided")}


def m4(bench):
    faults(bench)
    touch(bench)


def faults(bench):
    """The pager's own benchmark: the same faults, served by it and by a bare loop."""
    for run in bench.turns("M4 page fault, against bare userfaultfd"):
        lines = subprocess.run([f"{bench.build}/bin/vmfork-pager-bench"], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        for line in map(json.loads, lines):
            subject, what = FAULTS[line["what"]]
            case = f"{line['fault']}, {line['cpu']} CPU"
            bench.record.add("M4", what, "us", case, subject, run, line["median_ns"] / 1e3)


def touch(bench):
    root, parent = bench.root(MIB, "m4"), bench.parent(MIB)
    for console in (root.console, parent.machine.console):
        console.ask(f"fill {TOUCH_MIB}")
    usual = [root, SharedFile(parent, True), MigrateFile(parent)]
    for run in bench.turns(f"M4 reading {TOUCH_MIB} MiB after the fork"):
        for subject in rotated(usual, run):
            with subject.fork(2) as fork:
                for case, console in (("first clone", fork.consoles[0]),
                                      ("second clone", fork.consoles[1])):
                    elapsed, _ = console.ask(f"touch {TOUCH_MIB}")
                    bench.record.add("M4", f"reading {TOUCH_MIB} MiB", "ms", case, subject.name,
                                     run, elapsed / 1e3)
                if subject is root:
                    pages(bench.record, root, fork, run)


def pages(record, root, fork, run):
    """Where the clones' pages came from: exact."""
    stats = root.stats()
    for case, vm in zip(("first clone", "second clone"), fork.vms):
        counts = stats[vm["name"]]["pager"]
        for name in ("fetched", "shared", "avoided", "zero"):
            record.add("M4", f"pages {name}", "pages", case, root.name, run, counts[name])
