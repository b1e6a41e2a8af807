# SPDX-License-Identifier: GPL-2.0-or-later
"""What vmfork aims for on a two-core machine without KVM, and whether it got there."""
import dataclasses
import typing

from .avoidance import COST_ROUNDS
from .stats import median


@dataclasses.dataclass
class Aim:
    text: str
    unit: str
    limit: typing.Optional[float]   # None: there is no goal, but a figure that is asked for
    value: typing.Callable  # of a Record; raises StatisticsError when not measured
    more: bool = False      # the aim is to exceed the limit

    def judge(self, record):
        """(value, reached) or None if it was not measured; reached is None without a goal."""
        try:
            value = self.value(record)
        except (ValueError, ZeroDivisionError):     # StatisticsError is a ValueError
            return None
        if self.limit is None:
            return value, None
        return value, value >= self.limit if self.more else value <= self.limit


def of(measure, what, case, subject="vmfork"):
    return lambda record: median(record.values(measure, what, case, subject))


def ratio(above, below):
    return lambda record: above(record) / below(record)


def worst(*values):
    return lambda record: max(value(record) for value in values)


def least(*values):
    return lambda record: min(value(record) for value in values)


def against(rival, what, cases=("N=1", "N=8", "N=32")):
    """How many times longer than vmfork the rival takes, where it does best."""
    return least(*(ratio(of("M2", what, case, rival), of("M2", what, case)) for case in cases))


def hooks(case):
    """What the module's hooks add to a loop."""
    what = f"instructions, the least of {COST_ROUNDS}"
    return lambda record: (min(record.values("M5", what, case, "vmfork")) /
                           min(record.values("M5", what, case, "no hooks")))


def identity(what, case):
    """How many times longer it is where an agent completes the clones' identity."""
    return ratio(of("M12", what, case), of("M12", what, case, "no agent"))


AIMS = (
    Aim("parent pause, 128 MiB, idle", "ms", 12, of("M3", "parent pause", "128 MiB idle")),
    Aim("parent pause, 2 GiB, idle", "ms", 12, of("M3", "parent pause", "2048 MiB idle")),
    Aim("parent pause, 2 GiB over 128 MiB, idle", "x", 1.2,
        ratio(of("M3", "parent pause", "2048 MiB idle"),
              of("M3", "parent pause", "128 MiB idle"))),
    Aim("parent pause, 2 GiB over 128 MiB, under load", "x", 1.2,
        ratio(of("M3", "parent pause", "2048 MiB dirty"),
              of("M3", "parent pause", "128 MiB dirty"))),
    Aim("a warm clone resumed after the parent's stop", "ms", 30,
        of("M2", "all clones resumed", "N=1")),
    Aim("32 warm clones all resumed", "ms", 400, of("M2", "all clones resumed", "N=32")),
    Aim("local page fault, read, over the bare userfaultfd's", "x", 1.5,
        ratio(of("M4", "page fault", "read, same CPU"), of("M4", "page fault", "read, same CPU",
                                                       "uffd"))),
    Aim("local page fault, write, over the bare userfaultfd's", "x", 1.5,
        ratio(of("M4", "page fault", "write, same CPU"), of("M4", "page fault", "write, same CPU",
                                                       "uffd"))),
    Aim("descriptor", "KiB", 128,
        lambda record: of("M1", "state, as kept", "N=1")(record) / 1024),
    Aim("allocation-heavy, no record: resident memory over all bytes fetched", "x", 25,
        ratio(of("M5", "resident memory of the parent", ""),
              of("M5", "fetched", "allocation-heavy")), True),
    Aim("allocation-heavy: pages asked for over those needed", "x", 1.1,
        ratio(of("M5", "pages asked for", "allocation-heavy"),
              of("M5", "pages asked for", "allocation-heavy", "oracle"))),
    Aim("hooks, fork + exec in a clone: instructions with over without", "x", 1.01,
        hooks("fork + exec, clone")),
    Aim("hooks, page faults in a clone: instructions with over without", "x", 1.01,
        hooks("page fault, clone")),
    Aim("hooks, fork + exec in a parent: instructions with over without", "x", 1.01,
        hooks("fork + exec, parent")),
    Aim("hooks, page faults in a parent: instructions with over without", "x", 1.01,
        hooks("page fault, parent")),
    Aim("Private_Dirty of an idle clone", "MiB", 20,
        of("M7", "Private_Dirty of a clone", "T=0")),
    Aim("pause of forks 8 to 10 over forks 1 to 3", "x", 1.2,
        of("M10", "pause of forks 8 to 10 over 1 to 3", "")),
    Aim("identity: parent pause, with the agent over without, N=1", "x", 1.1,
        identity("parent pause", "N=1")),
    Aim("identity: parent pause, with the agent over without, N=8", "x", 1.1,
        identity("parent pause", "N=8")),
    Aim("identity: first step of user code, with the agent over without, N=1", "x", None,
        identity("first step of user code, of the last clone", "N=1")),
    Aim("identity: first step of user code, with the agent over without, N=8", "x", None,
        identity("first step of user code, of the last clone", "N=8")),
    Aim("ahead of B7: parent pause", "x", 1, against("B7", "parent pause"), True),
    Aim("ahead of B7: all clones resumed", "x", 1, against("B7", "all clones resumed"), True),
    Aim("ahead of B7: last clone's first reply", "x", 1,
        against("B7", "first reply of the last clone"), True),
    Aim("ahead of B7 with stand-bys: parent pause", "x", 1, against("B7w", "parent pause"), True),
    Aim("ahead of B7 with stand-bys: all clones resumed", "x", 1,
        against("B7w", "all clones resumed"), True),
    Aim("ahead of B7 with stand-bys: last clone's first reply", "x", 1,
        against("B7w", "first reply of the last clone"), True),
    Aim("ahead of B2, ten times: parent pause, 128 MiB", "x", 10,
        against("B2", "parent pause"), True),
    Aim("ahead of B2, ten times: parent pause, 2 GiB", "x", 10,
        ratio(of("M3", "parent pause", "2048 MiB idle", "B2"),
              of("M3", "parent pause", "2048 MiB idle")), True),
    Aim("ahead of B2, ten times: all clones resumed", "x", 10,
        against("B2", "all clones resumed"), True),
    Aim("ahead of B2, ten times: last clone's first reply", "x", 10,
        against("B2", "first reply of the last clone"), True),
)
