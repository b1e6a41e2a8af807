#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs test suites that speak TAP, streams what they say and counts.

run.py [--logs DIR] [--timeout SECONDS] SUITE...

A suite is a program; it runs without stdin, in a process group of its own that ends with it. What it
prints goes to the terminal and to DIR/SUITE.log. A suite that says nothing, breaks its plan, fails
without a failed test or takes too long counts as one more failure. The last line is
"N passed, N failed, N skipped"; the exit status is 0 only if nothing failed and something passed.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time

RESULT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*SKIP\s*(.*))?", re.IGNORECASE)
SKIP = re.compile(r"#\s*SKIP\b", re.IGNORECASE)


class Suite:
    """One program and what it reported."""

    def __init__(self, path):
        self.path = path
        self.name = re.sub(r"\.(sh|py)$", "", os.path.basename(path))
        self.passed = self.failed = self.skipped = 0
        self.plan = None
        self.skip_all = False
        self.failures = []

    def fail(self, why):
        """Counts a failure that the suite did not report itself."""
        self.failed += 1
        self.failures.append(why)
        print(f"not ok - {self.name}: {why}", flush=True)

    def take(self, line):
        """Counts one line of TAP."""
        plan = PLAN.match(line)
        if plan:
            self.plan = int(plan.group(1))
            self.skip_all = plan.group(2) is not None
            return
        if line.startswith("Bail out!"):
            self.failed += 1
            self.failures.append(line)
            return
        result = RESULT.match(line)
        if not result:
            return
        if result.group(1):
            self.failed += 1
            self.failures.append(result.group(3))
        elif SKIP.search(result.group(3)):
            self.skipped += 1
        else:
            self.passed += 1

    def judge(self, status, timed_out):
        """Looks at what lines cannot tell."""
        seen = self.passed + self.failed + self.skipped
        if timed_out:
            self.fail("took too long and was stopped")
        elif self.skip_all and seen == 0 and status == 0:
            self.skipped += 1
        elif self.plan is None and not self.failed:
            self.fail(f"ended without a plan, status {status}")
        elif self.plan is not None and self.plan != seen and not self.failed:
            self.fail(f"planned {self.plan} tests and ran {seen}")
        elif status != 0 and not self.failed:
            self.fail(f"no test failed, but the status is {status}")


def end_group(process, grace):
    """Ends the suite's process group: asks, waits, then kills."""
    for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            continue


def run(suite, logs, limit):
    """Runs one suite."""
    started = time.monotonic()
    environment = dict(os.environ, LAB_LOGS=os.path.join(logs, suite.name),
                       CK_TAP_LOG_FILE_NAME="-", CK_VERBOSITY="silent")
    process = subprocess.Popen([suite.path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=environment, start_new_session=True)
    expired = threading.Event()

    def stop():
        expired.set()
        end_group(process, 20)

    timer = threading.Timer(limit, stop)
    timer.start()
    try:
        with open(os.path.join(logs, suite.name + ".log"), "wb") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                print(text, flush=True)
                suite.take(text)
        status = process.wait()
    except KeyboardInterrupt:
        end_group(process, 20)
        raise
    finally:
        timer.cancel()
    suite.judge(status, expired.is_set())
    print(f"# {suite.name}: {suite.passed} passed, {suite.failed} failed, {suite.skipped} skipped, "
          f"{time.monotonic() - started:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--logs", default="build/check")
    parser.add_argument("--timeout", type=float, default=900)
    parser.add_argument("suites", nargs="+")
    args = parser.parse_args()
    logs = os.path.abspath(args.logs)
    os.makedirs(logs, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    suites = [Suite(os.path.abspath(path)) for path in args.suites]
    for number, suite in enumerate(suites, 1):
        print(f"# [{number}/{len(suites)}] {suite.name}", flush=True)
        try:
            run(suite, logs, args.timeout)
        except KeyboardInterrupt:
            suite.fail("interrupted")
            break
        except OSError as error:
            suite.fail(f"cannot run: {error}")
    report(suites)


def report(suites):
    """Prints failures again, at the end where they are seen, and the totals."""
    for suite in suites:
        for failure in suite.failures:
            print(f"# FAILED {suite.name}: {failure}")
    passed, failed, skipped = (sum(getattr(suite, what) for suite in suites)
                               for what in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
