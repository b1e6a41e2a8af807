#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves a machine's balloon over a monitor of its own.

balloon.py MONITOR-SOCKET

Reads the machine's new size, in MiB, from each line of its input; answers with the size that the
machine has when the balloon stands still. The end of the input ends it.
"""
import json
import socket
import sys
import time


class Monitor:
    """QMP, as far as it is needed here."""

    def __init__(self, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        self.stream = sock.makefile("rw")
        self.stream.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        """The command's answer; events are passed over."""
        json.dump({"execute": command, "arguments": arguments}, self.stream)
        self.stream.flush()
        while True:
            line = self.stream.readline()
            if not line:
                sys.exit("balloon: the monitor is gone")
            message = json.loads(line)
            if "error" in message:
                sys.exit(f"balloon: {command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]

    def size(self):
        """MiB that the machine has."""
        return self.run("query-balloon")["actual"] >> 20


def move(monitor, wanted):
    """Until it is there, or has not moved for ten seconds."""
    monitor.run("balloon", value=wanted << 20)
    last, moved = monitor.size(), time.monotonic()
    while last != wanted and time.monotonic() < moved + 10:
        time.sleep(0.1)
        now = monitor.size()
        if now != last:
            last, moved = now, time.monotonic()
    return last


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    monitor = Monitor(sys.argv[1])
    for line in sys.stdin:
        print(move(monitor, int(line)), flush=True)


if __name__ == "__main__":
    main()
