# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures for people and programs: summary.json, a table, a page for Documentation."""
import json

from .aims import AIMS
from .stats import median, p90

SUBJECTS = """\
vmfork  in-guest fork with a ticket asked for beforehand (warm stand-bys)
B0      cold boot: carries no state over
B1      savevm, a copy of the disk per clone, -loadvm
B2      migrate to a file in memory, -incoming from it
B7      RAM a shared file, x-ignore-shared; each clone maps it private, processes started at the
        fork; the parent goes on in a new process as well, for the file must not change
B7w     B7 with processes that wait already, as vmfork's stand-bys do
uffd    a bare userfaultfd loop in a process of its own, for page faults
off     M5: vmfork with no heuristic in the guest; "free set" and "set + hook" with the first and
        the first two, vmfork with all; "no hooks": with neither hook. Nothing is filled ahead
        there; in the rows "record: ..." vmfork is with records, which earlier forks filled, and
        "no record" without, both with all heuristics
no agent
        M12: a fork of the same machine while nobody in it completes identities: a bare resume
dropped M5: a fork before which the parent has dropped its page cache
oracle  M5: pages that the clone's processors read before they had written them (a TCG plugin)
B3 (mapped-ram), B6 (fast-snapshot-load) need a newer QEMU than Debian 12's; B4 (postcopy) and
B5 (background-snapshot) were not measured.
"resumed" is QEMU's RESUME event: the clone's first instruction. "first reply" is when a program
in the clone has done a unit of work and its answer has arrived. Times are ms after the parent's
stop. B1, B2 and B7 leave out what a fork needs besides: disks and identity of the clones."""


def spread(values):
    return (f"{number(median(values))} (p90 {number(p90(values))}, "
            f"{number(min(values))}..{number(max(values))})")


def number(value):
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


def entries(record):
    """summary.json: one entry per figure of vmfork and baseline."""
    result = []
    for measure, what, unit, case in record.keys("vmfork"):
        ours = record.values(measure, what, case, "vmfork")
        name = f"{what}, {case}" if case else what
        head = {"id": measure, "what": name, "unit": unit, "value": median(ours),
                "p90": p90(ours)}
        found = False
        for rival in record.subjects():
            theirs = record.values(measure, what, case, rival)
            if rival == "vmfork" or not theirs:
                continue
            found = True
            value = median(theirs)
            result.append({**head, "baseline": rival, "baseline_value": value,
                           "ratio": head["value"] / value if value else None, "n": len(ours)})
        if not found:
            result.append({**head, "baseline": None, "baseline_value": None, "ratio": None,
                           "n": len(ours)})
    return result


def write_summary(record, path):
    with open(path, "w", encoding="ascii") as out:
        json.dump(entries(record), out, indent=1)
        out.write("\n")


def rows(record):
    """(measure, what, unit, case, {subject: values}) of all that anybody has values of."""
    keys = dict.fromkeys(key for subject in record.subjects() for key in record.keys(subject))
    titles = list(dict.fromkeys(key[:3] for key in keys))
    for measure, what, unit, case in sorted(
            keys, key=lambda key: (int(key[0][1:]), titles.index(key[:3]))):
        found = {s: record.values(measure, what, case, s) for s in record.subjects()}
        yield measure, what, unit, case, {s: v for s, v in found.items() if v}


def rivals_text(found):
    """Medians of the others, each with its ratio to vmfork's."""
    ours = median(found["vmfork"]) if "vmfork" in found else None
    parts = []
    for subject, values in found.items():
        if subject == "vmfork":
            continue
        value = median(values)
        times = f" ({value / ours:.1f}x)" if ours else ""
        parts.append(f"{subject} {number(value)}{times}")
    return "  ".join(parts)


VERDICTS = {True: "yes", False: "NO", None: "no goal"}


def aim_rows(record):
    for aim in AIMS:
        verdict = aim.judge(record)
        sign = ">=" if aim.more else "<="
        goal = "-" if aim.limit is None else f"{sign} {aim.limit:g} {aim.unit}"
        if verdict is None:
            yield aim.text, goal, "-", "not measured"
        else:
            value, reached = verdict
            yield aim.text, goal, f"{number(value)} {aim.unit}", VERDICTS[reached]


def table(record, facts):
    """Plain text, for stdout."""
    lines = [f"{name}: {value}" for name, value in facts] + ["", SUBJECTS]
    head = None
    for measure, what, unit, case, found in rows(record):
        if (measure, what) != head:
            head = measure, what
            lines += ["", f"{measure}  {what} [{unit}]: median (p90, min..max); others: median "
                          "(times vmfork's)"]
        ours = spread(found["vmfork"]) if "vmfork" in found else "-"
        lines.append(f"  {case:<18} {ours:<38} {rivals_text(found)}")
    lines += ["", "Aims"]
    lines += [f"  {text:<56} {goal:<12} {value:<12} {reached}"
              for text, goal, value, reached in aim_rows(record)]
    return "\n".join(lines) + "\n"


def page(record, facts, plots):
    """Markdown, for Documentation/benchmarks."""
    lines = ["<!-- Generated by `make bench` and `make bench-docs`. -->", "# Results", ""]
    lines += [f"- {name}: {value}" for name, value in facts]
    lines += ["", "```", SUBJECTS, "```", "", "## Aims", "",
              "| aim | goal | measured | reached |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in aim_rows(record)]
    head = None
    for measure, what, unit, case, found in rows(record):
        if measure != head:
            head = measure
            lines += ["", f"## {measure}", ""]
            lines += [f"![{title}]({name})" for key, name, title in plots if key == measure]
            lines += ["", "| what | case | vmfork: median (p90, min..max) | n | others: median "
                          "(times vmfork's) |", "|---|---|---|---|---|"]
        ours = found.get("vmfork")
        lines.append(f"| {what} [{unit}] | {case} | {spread(ours) if ours else '-'} | "
                     f"{len(ours) if ours else '-'} | {rivals_text(found)} |")
    return "\n".join(lines) + "\n"
