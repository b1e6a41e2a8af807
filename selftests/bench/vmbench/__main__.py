# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m vmbench BUILD OUT DIRECTORY: see ../run, which calls it."""
import os
import shutil
import signal
import subprocess
import sys

from . import host, plot, report
from .avoidance import m5
from .bench import Bench
from .fetch import m4
from .footprint import m7, m8
from .identity import m12
from .latency import m2
from .pause import m3, m10
from .record import Record
from .vm import Guest

MEASURES = {"m2": m2, "m3": m3, "m4": m4, "m5": m5, "m7": m7, "m8": m8, "m10": m10,
            "m12": m12}


def guest(build, directory):
    """The lab's guest, with the benchmarks' program as its job; QEMU's user may read it.

    Its kernel must not take a busy host for a broken timer.
    """
    with open(f"{build}/lab/env", encoding="utf-8") as text:
        env = dict(line.strip().split("=", 1) for line in text)
    initrd = shutil.copy(env["LAB_INITRD"], os.path.join(directory, "initrd.img"))
    return Guest(env["LAB_KERNEL"], initrd,
                 env["LAB_APPEND"].strip('"') + " vmfork.job=bench", env["LAB_DISK"],
                 env["LAB_DISK_FORMAT"], env["LAB_RELEASE"])


def chosen():
    """BENCH_ONLY=m2,m3; M1 is a by-product of M2."""
    names = os.environ.get("BENCH_ONLY", "").replace(",", " ").lower().split()
    names = ["m2" if name == "m1" else name for name in names] or list(MEASURES)
    unknown = set(names) - set(MEASURES)
    if unknown:
        sys.exit(f"bench: no measure {', '.join(sorted(unknown))}; there are m1, "
                 + ", ".join(MEASURES))
    return [name for name in MEASURES if name in names]


def runs():
    return int(os.environ.get("BENCH_RUNS") or (3 if os.environ.get("BENCH_QUICK") else 10))


def measure(bench, names):
    """Returns what failed; a measure that fails does not keep the others from running."""
    failed = []
    for name in names:
        try:
            MEASURES[name](bench)
        except Exception as error:      # whatever it is, the others are worth having
            bench.say(f"{name} FAILED: {error!r}")
            failed.append(name)
        bench.end_machines()
    return failed


def publish(record, facts, out):
    """Everything that is made of the raw figures."""
    for name in os.listdir(out):
        if name.endswith(".svg"):
            os.unlink(os.path.join(out, name))
    plots = plot.draw_all(record, out)
    report.write_summary(record, os.path.join(out, "summary.json"))
    text = report.table(record, facts)
    with open(os.path.join(out, "table.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(out, "results.md"), "w", encoding="utf-8") as file:
        file.write(report.page(record, facts, plots))
    print(text, end="", flush=True)


def main():
    build, out, directory = (os.path.abspath(path) for path in sys.argv[1:])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.setswitchinterval(0.0005)       # the ticker's time stamps
    names = chosen()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "vmfork-bench", directory],
                   check=True)
    machine = guest(build, directory)
    facts = host.facts(machine, runs())
    redo = {name.upper() for name in names} | ({"M1"} if "m2" in names else set())
    record = Record(os.path.join(out, "raw.csv"), redo)
    bench = Bench(build, directory, machine, record, runs())
    status = 0
    try:
        bench.start()
        failed = measure(bench, names)
        status = 1 if failed else 0
    except KeyboardInterrupt:
        bench.say("interrupted: ending what runs")
        status = 130
    finally:
        bench.end()
        record.close()
        shutil.copyfile(os.path.join(directory, "vmfork", "vmforkd.log"),
                        os.path.join(out, "vmforkd.log"))
    facts.append(("load average when ended", host.load()))
    if record.samples:
        publish(record, facts, out)
    return status


if __name__ == "__main__":
    sys.exit(main())
