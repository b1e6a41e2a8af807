# SPDX-License-Identifier: GPL-2.0-or-later
"""SVG plots, drawn by gnuplot."""
import os
import re
import subprocess

from .stats import median, p90

STYLE = """\
set terminal svg size 720,440 font "sans,12" background "white"
set key outside right top
set grid
set output "{path}"
set title "{title}"
set xlabel "{xlabel}"
set ylabel "{ylabel}"
"""


class Plot:
    """One figure: `what` of a measure, a line per subject, x the number in the case's name."""

    def __init__(self, name, measure, what, title, xlabel, ylabel, pick="", log="xy"):
        self.name, self.measure, self.what, self.title = name, measure, what, title
        self.xlabel, self.ylabel, self.pick, self.log = xlabel, ylabel, pick, log

    def points(self, record, subject):
        """(x, median, min, p90)"""
        for measure, what, _, case in record.keys(subject):
            x = re.search(r"\d+", case)
            if (measure, what) == (self.measure, self.what) and x and self.pick in case:
                values = record.values(measure, what, case, subject)
                yield int(x.group()), median(values), min(values), p90(values)

    def draw(self, record, directory):
        """Returns whether there was anything to draw."""
        data, curves = "", []
        for subject in record.subjects():
            points = sorted(self.points(record, subject))
            if points:
                block = f"$d{len(curves)}"
                data += f"{block} << EOD\n" + "".join(
                    "%g %g %g %g\n" % point for point in points) + "EOD\n"
                curves.append(f'{block} using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.5 '
                              f'title "{subject}"')
        if not curves:
            return False
        script = STYLE.format(path=os.path.join(directory, self.name), title=self.title,
                              xlabel=self.xlabel, ylabel=self.ylabel)
        script += f"set logscale {self.log} 2\n" if self.log == "x" else ""
        script += "set logscale x 2\nset logscale y 10\n" if self.log == "xy" else ""
        script += data + "plot " + ", ".join(curves) + "\n"
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
        return True


PLOTS = (
    Plot("m2-resumed.svg", "M2", "all clones resumed", "All clones run (median, min to p90)",
         "clones", "ms after the parent's stop"),
    Plot("m2-reply.svg", "M2", "first reply of the last clone",
         "All clones have answered (median, min to p90)", "clones",
         "ms after the parent's stop"),
    Plot("m2-pause.svg", "M2", "parent pause", "The parent's pause by number of clones",
         "clones", "ms"),
    Plot("m3-idle.svg", "M3", "parent pause", "The parent's pause by its RAM, idle", "MiB of RAM",
         "ms", pick="idle"),
    Plot("m3-dirty.svg", "M3", "parent pause", "The parent's pause by its RAM, 78 MiB/s dirtied",
         "MiB of RAM", "ms", pick="dirty"),
    Plot("m10-pause.svg", "M10", "parent pause", "Ten forks in a row", "fork", "pause, ms",
         log="y"),
)


def draw_all(record, directory):
    """(measure, file name, title) of those that were drawn."""
    return [(plot.measure, plot.name, plot.title) for plot in PLOTS
            if plot.draw(record, directory)]
