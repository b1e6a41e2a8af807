# SPDX-License-Identifier: GPL-2.0-or-later
"""M3: the parent's pause against its RAM and its dirty rate. M10: ten forks in a row."""
from .bench import SLOW_RUNS, rotated
from .console import Ticker
from .memory import rollup
from .rivals import MigrateFile, SaveVm, SharedFile
from .stats import median

SIZES_MIB = (128, 256, 512, 1024, 2048)
DIRTY_PAGES_S = 20000
TICK_US = 2000
TICKS_AROUND = 25
FORKS = 10
SERIES = 3


def m3(bench):
    for mib in SIZES_MIB:
        root = bench.root(mib, f"m3-{mib}")
        parent = bench.parent(mib)
        for console in (root.console, parent.machine.console):
            console.ask(f"fill {mib // 2 - 32}")
        usual = [root, SharedFile(parent, True), MigrateFile(parent)]
        for load, rate in (("idle", 0), ("dirty", DIRTY_PAGES_S)):
            case = f"{mib} MiB {load}"
            for run in bench.turns(f"M3 parent pause, {case}"):
                slow = [SaveVm(parent)] if run in range(SLOW_RUNS) else []
                for subject in rotated(usual, run) + slow:
                    one_pause(bench.record, subject, case, rate, run)
        bench.end_machines()


def one_pause(record, subject, case, rate, run):
    """The rivals make no clones here; vmfork makes one. B7's parent goes on elsewhere, where
    the ticker cannot be followed."""
    console = subject.console
    console.ask(f"dirty {rate}")
    try:
        with Ticker(console, TICK_US) as ticker:
            ticker.wait(TICKS_AROUND)
            with subject.fork(1 if subject.name == "vmfork" else 0) as fork:
                if fork.parent_console is console:
                    ticker.wait(TICKS_AROUND)
                    record.add("M3", "longest gap in the ticker", "ms", case, subject.name, run,
                               ticker.gap_ms())
                record.add("M3", "parent pause", "ms", case, subject.name, run, fork.pause_ms)
    finally:
        console.ask("dirty 0")


def m10(bench):
    parent = bench.parent(128)
    parent.machine.console.ask("fill 32")
    for series in range(SERIES):
        root = bench.root(128, f"m10-{series}")
        root.console.ask("fill 32")
        bench.say(f"M10 ten forks in a row: series {series + 1} of {SERIES}")
        for subject in (root, MigrateFile(parent)):
            pauses = [one_of_ten(bench.record, subject, number, series)
                      for number in range(1, FORKS + 1)]
            bench.record.add("M10", "pause of forks 8 to 10 over 1 to 3", "x", "", subject.name,
                             series, median(pauses[-3:]) / median(pauses[:3]))


def one_of_ten(record, subject, number, series):
    case = f"fork {number}"
    with subject.fork(4) as fork:
        record.add("M10", "parent pause", "ms", case, subject.name, series, fork.pause_ms)
        record.add("M10", "all clones resumed", "ms", case, subject.name, series,
                   max(fork.resumed_ms))
        record.add("M10", "parent's PSS", "MiB", case, subject.name, series,
                   rollup(fork.parent_pid)["Pss"] / 2**20)
    return fork.pause_ms
