#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives vmforkctl's verbs for people in a terminal of its own: console, top, watch.

ctl_pty.py [-t SECONDS] VMFORKCTL VM: prints TAP. VM runs the lab's command shell.
"""
import argparse
import base64
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

SCREEN = b"\033[H\033[2J"


class Terminal:
    """A command in a pseudo terminal, and what it has printed."""

    def __init__(self, argv, patience):
        self.patience = patience
        self.text = b""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # what was started in the background of a shell ignores it
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvp(argv[0], argv)

    def read(self, seconds):
        """Takes what comes; False at its end."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:     # EIO: nobody has the terminal open any more
            chunk = b""
        self.text += chunk
        return bool(chunk)

    def says(self, pattern, times=1):
        """Waits until it has printed PATTERN so often."""
        end = time.monotonic() + self.patience
        while len(re.findall(pattern, self.text)) < times:
            if time.monotonic() > end or not self.read(0.5):
                return len(re.findall(pattern, self.text)) >= times
        return True

    def keys(self, data):
        os.write(self.fd, data)

    def modes(self):
        """The terminal's local flags: whether it echoes, sends signals, edits lines."""
        return termios.tcgetattr(self.fd)[3]

    def raw(self, wanted):
        """Waits until the terminal is (not) in a mode of its own."""
        end = time.monotonic() + self.patience
        while bool(self.modes() & termios.ICANON) == wanted:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def ended(self):
        """Waits for its end. Its exit status; 128 + the signal; None if it does not end."""
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.status = code if code >= 0 else 128 - code
                return self.status
            self.read(0.1)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None


class Tests:
    """The tests, and TAP's numbers."""

    def __init__(self, ctl, vm, patience):
        self.ctl, self.vm, self.patience = ctl, vm, patience
        self.count = self.failed = 0

    def ok(self, good, what, terminal=None):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)
        if good:
            return
        self.failed += 1
        if terminal:
            print(f"# status {terminal.status}, text {terminal.text[-600:]!r}", flush=True)

    def start(self, *args):
        return Terminal([self.ctl, *args], self.patience)

    def run(self, *args):
        return subprocess.run([self.ctl, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)

    def command(self, terminal, token, text):
        """A line for the command shell on the console."""
        data = base64.b64encode(text.encode()).decode()
        terminal.keys(f"run {token} {data}\n".encode())

    def console(self):
        one = self.start("console", self.vm)
        before = termios.ICANON | termios.ECHO | termios.ISIG
        self.ok(one.says(rb"Connected; Ctrl-\]"), "console: says how to leave", one)
        self.ok(one.raw(True), "console: the terminal is raw", one)
        self.command(one, "t1", "echo said-$((40 + 2))")
        self.ok(one.says(rb"said-42"), "console: a command goes in, its output comes out", one)
        self.command(one, "t2", "echo sleeping; exec sleep 1000")
        one.says(rb"sleeping")
        one.keys(b"\003")
        self.ok(one.says(rb"VMFORK-END t2 130"), "console: Ctrl-C is the guest's", one)
        one.keys(b"\x1d")
        self.ok(one.says(rb"Disconnected") and one.ended() == 0, "console: Ctrl-] leaves, status 0",
                one)
        two = self.start("console", self.vm)
        # the pseudo terminal is a new one: its first modes are those to come back to
        two.says(rb"Connected")
        two.raw(True)
        self.command(two, "t3", "echo again-$((40 + 2))")
        self.ok(two.says(rb"again-42"), "console: it can be attached again", two)
        self.command(two, "t4", "echo typed > /tmp/typed-before-leaving")
        two.keys(b"\x1d")
        two.says(rb"Disconnected")
        self.ok(two.modes() & before == before, "console: the terminal is as it was", two)
        self.ok(two.ended() == 0, "console: it leaves again", two)
        gone = self.start("console", "nobody")
        self.ok(gone.ended() == 1 and gone.says(rb"no VM named 'nobody'"),
                "console: no such VM", gone)

    def console_of_killed(self, clone):
        one = self.start("console", clone)
        one.says(rb"Connected")
        one.raw(True)
        self.run("kill", clone)
        self.ok(one.says(rb"Disconnected") and one.ended() == 0,
                "console: it ends with its VM", one)

    def top(self):
        one = self.start("top", "-d", "3600")
        self.ok(one.says(re.escape(SCREEN) + rb"\d+ VMs +\(q quits\)") and
                one.says(rb"RESUMED-MS") and one.says(self.vm.encode()),
                "top: a screen with the VM", one)
        self.ok(one.raw(True), "top: keys come at once", one)
        one.keys(b" ")
        self.ok(one.says(re.escape(SCREEN), 2), "top: a key shows it anew", one)
        one.keys(b"q")
        self.ok(one.ended() == 0, "top: q quits, status 0", one)
        two = self.start("top", "-d", "1")
        self.ok(two.says(re.escape(SCREEN), 3), "top: it goes on by itself", two)
        two.keys(b"\003")
        self.ok(two.raw(False) and two.modes() & termios.ECHO,
                "top: Ctrl-C gives the terminal back", two)
        self.ok(two.ended() == 0, "top: Ctrl-C ends it", two)
        bad = self.start("top", "-d", "0")
        self.ok(bad.ended() == 2 and bad.says(rb"not a number of seconds"),
                "top: no such pause", bad)

    def watch(self):
        one = self.start("watch")
        time.sleep(1)       # there is no line that says that it listens
        self.run("fork", self.vm)
        self.ok(one.says(rb"(?m)^ticket +granted +\d+"), "watch: the ticket", one)
        self.ok(one.says(rb"(?m)^checkpoint +made +\d+"), "watch: the checkpoint", one)
        self.ok(one.says(rb"(?m)^vm +started +\d+ +" + self.vm.encode() + rb"\.\d+\.1\r?$"),
                "watch: the clone has started", one)
        match = re.search(self.vm.encode() + rb"\.\d+\.1", one.text)
        clone = match.group(0).decode() if match else "nobody"
        self.console_of_killed(clone)
        self.ok(one.says(rb"(?m)^vm +ended +\d+ +" + re.escape(clone).encode()),
                "watch: the clone has ended", one)
        one.keys(b"\003")
        self.ok(one.ended() == 128 + signal.SIGINT, "watch: Ctrl-C ends it", one)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-t", "--timeout", type=float, default=120)
    parser.add_argument("ctl")
    parser.add_argument("vm")
    args = parser.parse_args()
    tests = Tests(args.ctl, args.vm, args.timeout)
    tests.console()
    tests.top()
    tests.watch()
    print(f"1..{tests.count}")
    sys.exit(tests.failed > 0)


if __name__ == "__main__":
    main()
