# SPDX-License-Identifier: GPL-2.0-or-later
"""M5: what the guest's heuristics save, against none and against an oracle; what the hooks cost."""
from .bench import SLOW_RUNS, rotated
from .cache import cache
from .memory import rollup
from .oracle import Oracle
from .records import records

MIB = 1024
DIRTY_MIB = 600         # written and freed before the fork: free pages are not zeros
POOL_MIB = 256          # in use at the fork, and a file as large
SETUP = (f"alloc {DIRTY_MIB}", f"pool {POOL_MIB}")
PAGE = 4096

# the module's switches: bit 0 free_set, 1 free_hook, 2 io_overwrite
POLICIES = {"off": 0, "free set": 1, "set + hook": 3, "vmfork": 7}
LOADS = {
    "allocation-heavy": ("drop 0", "alloc 500", "alloc 500"),
    "page-cache write": ("file 192",),
    "random read": ("read 3000",),
    "build": ("build 1",),
}
NEEDED_LOAD = ("drop 0", "alloc 300")      # the plugin makes it slow
COST_LOADS = {"fork + exec": "spawn 20", "page fault": "faults 8"}
COST_POLICIES = {"no hooks": 1, "vmfork": 7}
COST_ROUNDS = 20        # of short loops: the least has the fewest interrupts in it
COST_FORKS = 2


def m5(bench):
    needed(bench)
    cost(bench)
    cache(bench)
    root = set_up(bench, "m5", "--fill", "none")
    savings(bench, root)
    recorded = set_up(bench, "m5-records")
    records(bench, {"no record": root, "vmfork": recorded}, LOADS)
    bench.end_machine(recorded)
    bench.end_machine(root)


def set_up(bench, name, *options):
    root = bench.root_apart(MIB, name, *options)
    for command in SETUP:
        root.console.ask(command)
    return root


def savings(bench, root):
    """No record of an earlier round: what a clone needs is fetched for it, on demand."""
    for run in bench.turns("M5 pages fetched", min(bench.runs, SLOW_RUNS), 0):
        bench.record.add("M5", "resident memory of the parent", "MiB", "", "vmfork", run,
                         rollup(root.vm["pid"])["Rss"] / 2**20)
        for load, commands in LOADS.items():
            for subject in rotated(list(POLICIES), run):
                one(bench.record, root, subject, load, commands, run)


def one(record, root, subject, load, commands, run):
    """Forks under a policy, runs the load in the clone. All that its image took counts."""
    def put(what, unit, value):
        record.add("M5", what, unit, load, subject, run, value)

    root.console.ask(f"policy {POLICIES[subject]}")
    with root.fork(1) as fork:
        elapsed = sum(fork.consoles[0].ask(command, 900)[0] for command in commands)
        counts = root.stats()[fork.vms[0]["name"]]["pager"]
        fetched = counts["fetched"] + root.image()["prefetched"]
    put("fetched", "MiB", fetched * PAGE / 2**20)
    put("pages fetched", "pages", fetched)
    for name in ("avoided", "zero"):
        put(f"pages {name}", "pages", counts[name])
    put("faults", "pages", counts["faults"])
    put("time", "ms", elapsed / 1e3)


def needed(bench):
    """Pages that the clone's processors read before they had written them, by the oracle."""
    with Oracle(bench, "pages", MIB) as oracle:
        root = oracle.root(MIB, "m5pages")
        for command in SETUP:
            root.console.ask(command)
        root.console.ask(f"policy {POLICIES['vmfork']}")
        for run in bench.turns("M5 pages needed", min(bench.runs, SLOW_RUNS), 0):
            with root.fork(1) as fork:
                for command in NEEDED_LOAD:
                    fork.consoles[0].ask(command, 900)
                counts = root.stats()[fork.vms[0]["name"]]["pager"]
                asked = counts["fetched"] + counts["zero"] + root.image()["prefetched"]
                pages = oracle.needed(fork.vms[0]["pid"])
            for subject, value in (("vmfork", asked), ("oracle", pages)):
                bench.record.add("M5", "pages asked for", "pages", "allocation-heavy", subject, run,
                                 value)


def cost(bench):
    """Instructions of a loop with and without the hooks, in a parent and in a clone.

    What else runs can only add to them: the least of many rounds is what counts.
    """
    with Oracle(bench, "count", MIB) as oracle:
        root = oracle.root(256, "m5cost")
        for run in range(COST_FORKS):
            for subject in rotated(list(COST_POLICIES), run):
                bench.say(f"M5 cost of the hooks: {subject}, {run + 1} of {COST_FORKS}")
                root.console.ask(f"policy {COST_POLICIES[subject]}")
                count(bench.record, oracle, subject, "parent", root, run)
                with root.fork(1) as fork:
                    count(bench.record, oracle, subject, "clone", fork, run)


def count(record, oracle, subject, where, machine, run):
    console, pid = ((machine.console, machine.vm["pid"]) if where == "parent" else
                    (machine.consoles[0], machine.vms[0]["pid"]))
    for load, command in COST_LOADS.items():
        console.ask(command)
        counts = []
        for _ in range(COST_ROUNDS):
            before = oracle.instructions(pid)
            console.ask(command)
            counts.append((oracle.instructions(pid) - before) / 1e6)
        record.add("M5", f"instructions, the least of {COST_ROUNDS}", "million",
                   f"{load}, {where}", subject, run, min(counts))
