# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that cannot outlive the harness."""
import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def spawn(args, death=signal.SIGKILL, **options):
    """Popen() in a session of its own that gets the signal `death` when the harness dies."""
    parent = os.getpid()

    def tie():
        LIBC.prctl(PR_SET_PDEATHSIG, death)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(args, preexec_fn=tie, start_new_session=True, **options)


def end(process):
    """Kills and reaps."""
    if process.poll() is None:
        process.kill()
    process.wait()
