# SPDX-License-Identifier: GPL-2.0-or-later
"""M4: what fetching a page costs, by itself and in a clone that reads 128 MiB."""
import json
import subprocess
import time

from .bench import rotated
from .rivals import MigrateFile, SharedFile

MIB = 256
TOUCH_MIB = 128
FAULTS = {"bare": ("uffd", "page fault"), "pager": ("vmfork", "page fault"),
          "avoid": ("vmfork", "page fault, page avoided"),
          "run": ("vmfork", "page touched upwards, page avoided"),
          "ahead": ("vmfork", "page touched upwards"),
          "filled": ("vmfork", "page touched, filled before")}
MEANS = ("run", "ahead", "filled")      # not each touch is a fault
FILLS = ("none", "record", "all")


def m4(bench):
    faults(bench)
    touch(bench)
    fill(bench)


def faults(bench):
    """The pager's own benchmark: the same faults, served by it and by a bare loop."""
    for run in bench.turns("M4 page fault, against bare userfaultfd"):
        lines = subprocess.run([f"{bench.build}/bin/vmfork-pager-bench"], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        for line in map(json.loads, lines):
            subject, what = FAULTS[line["what"]]
            case = f"{line['fault']}, {line['cpu']} CPU"
            value = line["mean_ns" if line["what"] in MEANS else "median_ns"]
            bench.record.add("M4", what, "us", case, subject, run, value / 1e3)


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
    """Where the clones' pages came from: exact. What the record had is ahead of both."""
    stats = root.stats()
    record.add("M4", "pages put there ahead", "pages", "both clones", root.name, run,
               root.image()["prefetched"])
    for case, vm in zip(("first clone", "second clone"), fork.vms):
        counts = stats[vm["name"]]["pager"]
        for name, key in (("fetched on demand", "fetched"), ("shared", "shared"),
                          ("avoided", "avoided"), ("zero", "zero")):
            record.add("M4", f"pages {name}", "pages", case, root.name, run, counts[key])


def fill(bench):
    """The same reading under each policy of filling images: what it gains, and what it wastes.

    The clone of one fork reads at once, side by side with the fill; that of the next when
    nothing is filled any more.
    """
    roots = {policy: bench.root_apart(MIB, f"m4-{policy}", "--fill", policy) for policy in FILLS}
    for root in roots.values():
        root.console.ask(f"fill {TOUCH_MIB}")
    for run in bench.turns(f"M4 reading {TOUCH_MIB} MiB, by what is filled before"):
        for policy in rotated(list(FILLS), run):
            fill_one(bench.record, policy, roots[policy], run)


def fill_one(record, policy, root, run):
    with root.fork(1) as fork:
        elapsed, _ = fork.consoles[0].ask(f"touch {TOUCH_MIB}")
        record.add("M4", f"fill: reading {TOUCH_MIB} MiB", "ms", f"{policy}, at once", "vmfork",
                   run, elapsed / 1e3)
        fill_pages(record, f"{policy}, at once", root, fork, run)
    with root.fork(1) as fork:
        wait_filled(root)
        elapsed, _ = fork.consoles[0].ask(f"touch {TOUCH_MIB}")
        record.add("M4", f"fill: reading {TOUCH_MIB} MiB", "ms", f"{policy}, filled", "vmfork",
                   run, elapsed / 1e3)
        fill_pages(record, f"{policy}, filled", root, fork, run)


def wait_filled(root):
    """Until nothing is put into the image any more."""
    before, now = -1, 0
    while now != before:
        time.sleep(0.3)
        before, now = now, root.image()["prefetched"]


def fill_pages(record, case, root, fork, run):
    """On demand, ahead, and the sample that says how much of that is used: exact."""
    fetched = root.stats()[fork.vms[0]["name"]]["pager"]["fetched"]
    image = root.image()
    for name, value in (("fetched on demand", fetched), ("put there ahead", image["prefetched"]),
                        ("held back", image["probes"]),
                        ("held back, but used", image["probes_used"]),
                        ("in the image", image["present"])):
        record.add("M4", f"fill: pages {name}", "pages", case, "vmfork", run, value)
