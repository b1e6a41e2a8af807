# SPDX-License-Identifier: GPL-2.0-or-later
"""The raw figures: one line per value, kept in the order of their coming and as CSV."""
import csv
import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Sample:
    id: str         # of the measure: "M2"
    what: str       # "parent pause"
    unit: str
    case: str       # "N=8"; "" if there is but one
    subject: str    # "vmfork", "B7", ...
    run: int
    value: float


class Record:
    """Writes each sample out at once: an interrupted run leaves what it measured.

    What an earlier run left in the file stays, but for the measures `redo`.
    """

    def __init__(self, path, redo):
        self.samples = [s for s in earlier(path) if s.id not in redo]
        self.file = open(path, "w", newline="", encoding="ascii")
        self.csv = csv.writer(self.file)
        self.csv.writerow([field.name for field in dataclasses.fields(Sample)])
        self.csv.writerows(map(dataclasses.astuple, self.samples))

    def add(self, *fields):
        sample = Sample(*fields)
        if sample.run < 0:
            return      # warm-up
        self.samples.append(sample)
        self.csv.writerow(dataclasses.astuple(sample))
        self.file.flush()

    def values(self, measure, what, case, subject):
        return [s.value for s in self.samples
                if (s.id, s.what, s.case, s.subject) == (measure, what, case, subject)]

    def keys(self, subject):
        """(id, what, unit, case) of all that the subject has values of, in order."""
        return list(dict.fromkeys((s.id, s.what, s.unit, s.case) for s in self.samples
                                  if s.subject == subject))

    def subjects(self):
        return list(dict.fromkeys(s.subject for s in self.samples))

    def close(self):
        self.file.close()


def earlier(path):
    """The samples of a raw.csv, if there is one."""
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="ascii") as file:
        rows = csv.reader(file)
        next(rows, None)
        return [Sample(*row[:5], int(row[5]), float(row[6])) for row in rows if len(row) == 7]
