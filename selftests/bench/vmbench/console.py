# SPDX-License-Identifier: GPL-2.0-or-later
"""The console of a guest that runs vmfork-bench-guest, and the ticker seen through it."""
import re
import selectors
import threading
import time

TIMEOUT_S = 90


class ConsoleError(Exception):
    """The guest gave no answer, or a refusal."""


class Console:
    """Sends commands and finds their answers between kernel messages and ticks."""

    def __init__(self, sock):
        self.sock = sock
        self.text = b""
        self.reader = None      # the Ticker that reads in our place, if there is one
        self.changed = threading.Condition(threading.RLock())

    def send(self, line):
        self.sock.sendall(line.encode() + b"\n")

    def ask(self, line, timeout=TIMEOUT_S):
        """The numbers of the answer to one command."""
        self.send(line)
        return self.answer(line.split()[0], timeout)[0]

    def answer(self, verb, timeout=TIMEOUT_S):
        """(numbers, time of arrival in seconds)."""
        if not self.reader:
            return gather([self], verb, timeout)[0]
        deadline = time.monotonic() + timeout
        while True:
            with self.changed:
                numbers = self.take(verb)
                if numbers is not None:
                    return numbers, time.time()
                if not self.changed.wait(deadline - time.monotonic()):
                    raise ConsoleError(f"no answer to {verb} in {timeout} s")

    def take(self, verb):
        """The numbers of the answer `verb` if it has come; None if not."""
        with self.changed:
            match = re.search(rb"\n\.*" + verb.encode() + rb" ([^\n]*)\n", self.text)
            if not match:
                return None
            self.text = self.text[match.end() - 1:]
        words = match.group(1).replace(b".", b"").split()
        if words[0] == b"failed":
            raise ConsoleError(f"{verb}: errno {words[1].decode()} in the guest")
        return [int(word) for word in words]

    def receive(self):
        chunk = self.sock.recv(65536)
        if not chunk:
            raise ConsoleError(f"the machine has ended: {self.text[-300:]!r}")
        with self.changed:
            self.text += chunk
            self.changed.notify_all()
        return chunk

    def close(self):
        self.sock.close()


def gather(consoles, verb, timeout=TIMEOUT_S):
    """Waits for the answer `verb` of all: a list of (numbers, time of arrival in seconds)."""
    answers = [None] * len(consoles)
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for index, console in enumerate(consoles):
            numbers = console.take(verb)
            if numbers is not None:
                answers[index] = (numbers, time.time())
            else:
                selector.register(console.sock, selectors.EVENT_READ, index)
        while None in answers:
            ready = selector.select(max(0, deadline - time.monotonic()))
            now = time.time()
            if not ready:
                lost = [c.text[-200:] for c, a in zip(consoles, answers) if a is None]
                raise ConsoleError(f"no answer to {verb} in {timeout} s; last words {lost[0]!r}")
            for key, _ in ready:
                console = consoles[key.data]
                console.receive()
                numbers = console.take(verb)
                if numbers is not None:
                    answers[key.data] = (numbers, now)
                    selector.unregister(console.sock)
    return answers


class Ticker:
    """Collects the arrival times of ticks while something else goes on.

    with Ticker(console, 2000) as ticker: ...
    ticker.gap_ms() is the longest standstill, ticker.pace_ms() the usual distance.
    """

    def __init__(self, console, pace_us):
        self.console = console
        self.pace_us = pace_us
        self.times = []
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.stop = threading.Event()

    def __enter__(self):
        self.console.ask(f"tick {self.pace_us}")
        self.console.reader = self
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.console.reader = None
        self.console.ask("tick 0")

    def _collect(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.console.sock, selectors.EVENT_READ)
            while not self.stop.is_set():
                if selector.select(0.05) and b"." in self.console.receive():
                    self.times.append(time.monotonic())

    def wait(self, ticks):
        """Until that many more have come."""
        goal = len(self.times) + ticks
        deadline = time.monotonic() + TIMEOUT_S
        while len(self.times) < goal:
            if time.monotonic() > deadline:
                raise ConsoleError("the ticker stands still")
            time.sleep(0.002)

    def gap_ms(self):
        return 1e3 * max(b - a for a, b in zip(self.times, self.times[1:]))

    def pace_ms(self):
        gaps = sorted(b - a for a, b in zip(self.times, self.times[1:]))
        return 1e3 * gaps[len(gaps) // 2]
