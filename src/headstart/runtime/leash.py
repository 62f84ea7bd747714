"""Ties a process's life to its parent's, then becomes the program it was asked to run.

Run as a script: `python -I -S leash.py PARENT_PID PROGRAM [ARGUMENT…]`. On Linux the kernel then
kills the process when the parent dies, however it dies. Elsewhere the program just runs, and the
next start of the server ends what was left. A script of its own, since code between fork and exec
of a threaded process may deadlock.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            sys.exit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606 - an argv of our own
    except OSError as error:
        sys.exit(f"cannot run {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
