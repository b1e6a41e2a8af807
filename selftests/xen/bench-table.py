#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes tables and summary.json of what bench-forks.sh and bench-pause.sh said: bench-table.py LOG OUT.

Times come from an emulated machine: they are given as ratios to the baseline only.
"""
import json
import os
import re
import statistics
import sys

FIGURE = re.compile(r"^# FIGURE (\S+) (\d+) (\S+) ([0-9.]+)$")
PAUSE = re.compile(r"^# PAUSE (\S+) (\d+) (\d+) (\S+) ([0-9.]+)$")
PAUSES = [  # what, name in the log, unit
    ("pause", "pause_ms", "of the baseline's"),
    ("pages copied while it stood still", "late_pages", "pages"),
    ("pages copied", "copied_pages", "pages"),
    ("pages written a second, as it came to", "written_per_s", "pages/s"),
]
ROWS = [  # what, name in the log, unit, the baseline's if it is a time
    ("time to running clones, host's fork", "running_ms", "xl", "running_ms"),
    ("time until clones have answered, host's fork", "answered_ms", "xl", "answered_ms"),
    ("time until clones have answered, ticket before", "ticket_running_ms", "xl", "answered_ms"),
    ("time until the parent runs again", "pause_ms", "xl", "pause_ms"),
    ("bytes copied", "copied_bytes", "MiB", None),
    ("memory in use per clone", "clone_mib", "MiB", None),
    ("pages fetched on demand, all clones", "fetched_pages", "pages", None),
    ("pages given before they were asked for, all clones", "prefetched_pages", "pages", None),
    ("pages given as zeros, all clones", "zero_pages", "pages", None),
    ("pages left out of the copy as free", "free_pages", "pages", None),
    ("pages copied at the fork, ticket before", "ticket_late_pages", "pages", None),
    ("pages copied while the parent stood still", "copied_late_pages", "pages", None),
]


def p90(values):
    """The value that nine in ten do not exceed."""
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * 0.9))]


def read(path, pattern):
    """{(way, numbers..., name): [values]} of the lines that are like @pattern."""
    figures = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            m = pattern.match(line.strip())
            if m:
                *key, value = m.groups()
                key = tuple(int(k) if k.isdigit() else k for k in key)
                figures.setdefault(key, []).append(float(value))
    return figures


def pauses(figures):
    """Entries of summary.json: the parent's pause, its RAM, its rate. The baseline's is that of an idle machine."""
    entries = []
    for what, name, unit in PAUSES:
        for _, mib, rate, _ in sorted(k for k in figures if k[0] == "vmfork" and k[3] == name):
            own, base = figures["vmfork", mib, rate, name], figures.get(("xl", mib, 0, name))
            scale = statistics.median(base) if base else 1
            entries.append({"id": "B8", "what": f"{what}, {mib} MiB, {rate} pages/s asked for",
                            "unit": unit if base else unit.replace("of the baseline's", "ms"),
                            "value": statistics.median(own) / scale, "p90": p90(own) / scale,
                            "baseline": "xl save -c" if base else None,
                            "baseline_value": 1 if base else None,
                            "ratio": statistics.median(own) / scale if base else None,
                            "n": len(own)})
    return entries


def entry(figures, clones, row):
    """One entry of summary.json, or None if nothing was measured."""
    what, name, unit, time_of = row
    own = figures.get(("vmfork", clones, name))
    base = figures.get(("xl", clones, time_of or name))
    if not own or (time_of and not base):
        return None
    scale = statistics.median(base) if time_of else 2 ** 20 if name == "copied_bytes" else 1
    value = statistics.median(own) / scale
    base_value = statistics.median(base) / scale if base else None
    return {"id": "B8", "what": f"{what}, {clones} clone{'s' if clones > 1 else ''}",
            "unit": "of the baseline's" if time_of else unit, "value": value,
            "p90": p90(own) / scale, "baseline": "xl save -c, xl restore" if base else None,
            "baseline_value": base_value, "ratio": value / base_value if base_value else None,
            "n": len(own)}


def cell(number):
    """As people read it."""
    if number is None:
        return "-"
    return f"{number:.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def table(entries):
    """The entries as Markdown."""
    lines = ["| | unit | vmfork | p90 | xl | ratio | n |", "|---|---|---|---|---|---|---|"]
    for e in entries:
        lines.append(f"| {e['what']} | {e['unit']} | {cell(e['value'])} | {cell(e['p90'])} |"
                     f" {cell(e['baseline_value'])} | {cell(e['ratio'])} | {e['n']} |")
    return "\n".join(lines) + "\n"


def main():
    """Reads the log, writes both files, prints the table."""
    log, out = sys.argv[1:3]
    figures = read(log, FIGURE)
    clones = sorted({n for _, n, _ in figures})
    entries = [e for row in ROWS for n in clones if (e := entry(figures, n, row))]
    entries += pauses(read(log, PAUSE))
    if not entries:
        sys.exit(f"{log}: no figures")
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "summary.json"), "w", encoding="utf-8") as f:
        json.dump(entries, f, indent=1)
        f.write("\n")
    with open(os.path.join(out, "table.md"), "w", encoding="utf-8") as f:
        f.write(table(entries))
    print(table(entries), end="")


if __name__ == "__main__":
    main()
