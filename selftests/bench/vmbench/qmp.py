# SPDX-License-Identifier: GPL-2.0-or-later
"""A QMP connection. Events carry QEMU's own time stamps, so reading them late does no harm."""
import json
import socket

TIMEOUT_S = 180


class QmpError(Exception):
    """QEMU refused a command or went away."""


class Qmp:
    """One blocking connection; events are kept in the order of their coming."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(TIMEOUT_S)
        self.text = b""
        self.events = []

    def greet(self):
        """Takes the greeting and leaves the negotiation: from then on events come."""
        self._line()
        self.execute("qmp_capabilities")

    def execute(self, command, fds=(), **arguments):
        self.post(command, fds, **arguments)
        return self.result()

    def post(self, command, fds=(), **arguments):
        """Sends without waiting, so that several machines can work side by side."""
        message = json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n"
        if fds:
            socket.send_fds(self.sock, [message], list(fds))
        else:
            self.sock.sendall(message)

    def result(self):
        while True:
            message = self._line()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(message["error"]["desc"])
            else:
                return message["return"]

    def event(self, name, since=0, accept=lambda data: True):
        """The time, in seconds, of the first such event among self.events[since:]."""
        at = since
        while True:
            while at < len(self.events):
                event = self.events[at]
                at += 1
                if event["event"] == name and accept(event.get("data", {})):
                    stamp = event["timestamp"]
                    return stamp["seconds"] + stamp["microseconds"] / 1e6
            message = self._line()
            if "event" in message:
                self.events.append(message)

    def migrated(self, since):
        """Waits for the end of a migration, outgoing or incoming."""
        def ended(data):
            if data.get("status") == "failed":
                raise QmpError("the migration failed")
            return data.get("status") == "completed"
        return self.event("MIGRATION", since, ended)

    def monitor(self, line):
        """An HMP command; they report errors as text only."""
        text = self.execute("human-monitor-command", **{"command-line": line})
        if text.strip():
            raise QmpError(f"{line}: {text.strip()}")

    def _line(self):
        while b"\n" not in self.text:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise QmpError("QEMU has ended")
            self.text += chunk
        line, self.text = self.text.split(b"\n", 1)
        return json.loads(line)
