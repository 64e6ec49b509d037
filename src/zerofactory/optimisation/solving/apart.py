"""Run a solver in a process of its own, kept between calls.

OR-Tools and highspy each bring a HiGHS of another version under the same library name (``libhighs.so.1``): whichever is loaded
second in a process does not find its symbols. So OR-Tools is called here and never imported beside highspy (ADR 0025). What goes
in and out is pickled between this process and the child it started itself. A child ends with the pipe.
"""

from __future__ import annotations

import atexit
import os
import pickle  # only ever read from the pipe of a process of our own
import subprocess
import sys
import threading
from importlib import import_module
from typing import Any

from zerofactory.errors import Misuse

_START = "from zerofactory.optimisation.solving.apart import serve; serve()"
_idle: list[subprocess.Popen[bytes]] = []
_lock = threading.Lock()


def call(place: str, *arguments: object) -> Any:
    """Return what ``module:function`` returns in another process; what it raises is raised here.

    Examples
    --------
    >>> call("math:gcd", 12, 18)
    6
    """
    with _lock:
        child = _idle.pop() if _idle else _child()
    answered = False
    try:
        assert child.stdin is not None  # noqa: S101  # opened as pipes
        assert child.stdout is not None  # noqa: S101
        pickle.dump((place, arguments), child.stdin)
        child.stdin.flush()
        try:
            ok, value = pickle.load(child.stdout)  # noqa: S301
        except EOFError:
            raise Misuse(f"the process that ran {place} broke off") from None
        answered = True
    finally:
        if answered and child.poll() is None:
            with _lock:
                _idle.append(child)
        else:
            _end(child)
    if not ok:
        raise value
    return value


def _child() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # this very interpreter and package
        [sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # what was still to be written has no reader
                continue
    child.wait()


@atexit.register
def close() -> None:
    """End the processes that are kept."""
    with _lock:
        while _idle:
            _end(_idle.pop())


def serve() -> None:
    """Answer calls from the pipe until it is closed; what functions print goes to the error stream."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            place, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301
        except EOFError:
            return
        module, _, name = place.partition(":")
        try:
            told: tuple[bool, object] = (True, getattr(import_module(module), name)(*arguments))
        except Exception as fault:  # told to the caller as it is
            told = (False, fault)
        pickle.dump(told, answers)
        answers.flush()
