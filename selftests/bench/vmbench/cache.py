# SPDX-License-Identifier: GPL-2.0-or-later
"""M5, page cache: dropped before the fork, or left for the clones to fetch."""
from .bench import rotated
from .fetch import wait_filled
from .memory import rollup
from .vmfork import DROP_CACHE

MIB = 256
FILE_MIB = 64           # in the parent's page cache when it is forked
PAGE = 4096
ROUNDS = 5
SUBJECTS = {"vmfork": 0, "dropped": DROP_CACHE}


def cache(bench):
    """Nothing is fetched but on demand; what an image has that is filled is looked at afterwards."""
    root = bench.root_apart(MIB, "m5cache", "--fill", "none")
    root.console.ask(f"file {FILE_MIB}")
    for run in bench.turns("M5 page cache, left or dropped", min(bench.runs, ROUNDS)):
        for subject in rotated(list(SUBJECTS), run):
            one(bench.record, root, subject, run)
    bench.end_machine(root)


def one(record, root, subject, run):
    def put(what, unit, value, case=""):
        record.add("M5", f"page cache: {what}", unit, case, subject, run, value)

    root.console.ask("reread")
    with root.fork(1, SUBJECTS[subject]) as fork:
        put("fork in the parent", "ms", fork.stages["the call in the parent"])
        before = rollup(fork.pids[0])["Anonymous"]
        put(f"reading {FILE_MIB} MiB again", "ms", fork.consoles[0].ask("reread")[0] / 1e3, "clone")
        put("memory of its own that this took", "MiB",
            (rollup(fork.pids[0])["Anonymous"] - before) / 2**20, "clone")
        counts = root.stats()[fork.vms[0]["name"]]["pager"]
        put("fetched", "MiB", counts["fetched"] * PAGE / 2**20, "clone")
        put(f"reading {FILE_MIB} MiB again", "ms", root.console.ask("reread")[0] / 1e3, "parent")
        root.daemon.call("checkpoint", "fill", str(fork.vms[0]["checkpoint"]), "all")
        wait_filled(root)
        put("image that is filled", "MiB", root.image()["present"] * PAGE / 2**20)
