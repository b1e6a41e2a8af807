#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command in a guest over its console (see image/guest-shell).

guest_exec.py [-t SECONDS] CONSOLE-SOCKET COMMAND

Prints the command's output and exits with its status; 124 when the time is over, 125 when the
console is gone. Ctrl-C is passed on to the command, once; a second one gives up.
"""
import argparse
import base64
import os
import re
import select
import socket
import sys
import time

LINE_MAX = 3000     # the guest's tty drops what exceeds its 4 KiB buffer
MARKER = b"\nVMFORK-END "


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-t", "--timeout", type=float, default=120)
    parser.add_argument("console")
    parser.add_argument("command")
    args = parser.parse_args()
    data = base64.b64encode(args.command.encode()).decode()
    if len(data) > LINE_MAX:
        sys.exit("guest_exec: the command is too long")
    token = os.urandom(6).hex()
    try:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(args.console)
        sock.sendall(f"run {token} {data}\n".encode())
        sys.exit(answer(sock, token, time.monotonic() + args.timeout))
    except OSError as error:
        print(f"guest_exec: {args.console}: {error.strerror}", file=sys.stderr)
        sys.exit(125)


def answer(sock, token, deadline):
    """Copies what comes between the two marker lines to stdout; returns the status."""
    begin = f"VMFORK-BEGIN {token}\n".encode()
    end = re.compile(rb"\n?VMFORK-END " + token.encode() + rb" (\d+)\r?\n")
    text, begun, interrupted = b"", False, False
    while True:
        try:
            ready, _, _ = select.select([sock], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                print("guest_exec: no answer in time", file=sys.stderr)
                return 124
            chunk = sock.recv(65536)
        except KeyboardInterrupt:
            if interrupted:
                return 130
            interrupted = True
            sock.sendall(b"\x03")
            continue
        if not chunk:
            return 125
        text += chunk
        if not begun and begin in text:
            text = text.split(begin, 1)[1]
            begun = True
        if not begun:
            continue
        match = end.search(text)
        if match:
            put(text[:match.start()])
            return int(match.group(1))
        # What could be the beginning of the end marker stays.
        keep = text.rfind(b"\n")
        tail = text[keep:] if keep >= 0 else b""
        if not (MARKER.startswith(tail) or tail.startswith(MARKER)):
            tail = b""
        put(text[:len(text) - len(tail)])
        text = tail


def put(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
