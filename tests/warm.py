"""`gitforge` forked from a process that has everything imported: half of a short command is its imports.

Each run is a process of its own all the same, with its own arguments, folder, environment, streams and exit code. What
a fork could not be true to is started anew (see `is_true`), as is everything in tests of the start itself: terminals,
killed processes, scripts that call `gitforge`. `FRESH=1 pytest` starts every process anew.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import pkgutil
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import dying

PATIENCE = 120.0  # seconds without a word until a run counts as hanging: a guard, not a measurement

_PROCESSES = 2
"""Taken in turns: each has its own hash seed, so that the order of a set is not mistaken for an order."""
_PLACE = ("PATH", "LC_", "LANG")
_START = ("PYTHON", "GIT_PYTHON_", "OPENAI_LOG", "FORCE_COLOR", "TERMINAL_WIDTH")
"""The environment that is read at the start: by Python, and by modules when they are imported."""
_ENVIRONMENT = {
    **{name: os.environ[name] for name in os.environ if name.startswith(_PLACE)},
    "LC_ALL": "C.UTF-8",
}
_LATER = (
    "genai_prices", "git", "jinja2.sandbox", "jsonschema_rs", "openai.resources.chat.completions", "ruamel.yaml",
)  # fmt: skip
"""What gitforge imports when it needs it; what is for terminals or agents stays away."""
_NEVER = ("gitforge.__main__", "gitforge.cli.mcp_", "gitforge.cli.prompts", "gitforge.cli.wizard")
_NUMBER = 8  # bytes of a number on a connection


def is_on() -> bool:
    """Whether this system can fork what has been imported: elsewhere not all libraries survive it."""
    return sys.platform == "linux" and "FRESH" not in os.environ


def is_true(environment: Mapping[str, str]) -> bool:
    """Whether a fork with that environment is as a process that is started with it."""
    return is_on() and _of_start(environment) == _ENVIRONMENT


def run(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], *, is_dying: bool = False
) -> tuple[int, bytes, bytes]:
    """Runs `gitforge` to its end, with nobody at standard input; returns its exit code and what it said.

    Args:
        arguments: The command line, without the program.
        cwd: Where it runs.
        environment: All of it.
        is_dying: Whether it is killed at a step, as `dying.py` says, in a process group of its own.
    """
    message = json.dumps([list(arguments), dict(environment), _umask(), is_dying]).encode()
    folder, nobody = os.open(cwd, os.O_PATH | os.O_DIRECTORY), os.open(os.devnull, os.O_RDONLY)
    (out, its_out), (err, its_err) = os.pipe(), os.pipe()
    ours, theirs = socket.socketpair()
    try:
        given = [theirs.fileno(), nobody, its_out, its_err, folder]
        socket.send_fds(_processes.next(), [b"."], given)
    finally:
        theirs.close()
        for one in given[1:]:
            os.close(one)
    with ours, os.fdopen(out, "rb") as output, os.fdopen(err, "rb") as errors:
        ours.sendall(len(message).to_bytes(_NUMBER) + message)
        process = _number(ours)
        said = _read(process, output.fileno(), errors.fileno())
        return os.waitstatus_to_exitcode(_number(ours)), said[0], said[1]


def _of_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_PLACE + _START)}


def _umask() -> int:
    """That of this process, read without changing it: other threads make files meanwhile."""
    (found,) = re.findall(r"(?m)^Umask:\s*(\d+)$", Path("/proc/self/status").read_text())
    return int(found, 8)


def _read(process: int, *descriptors: int) -> list[bytes]:
    """All that comes out of some pipes."""
    texts = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as ready:
        for one in descriptors:
            ready.register(one, selectors.EVENT_READ)
        while ready.get_map():
            if not (found := ready.select(PATIENCE)):
                os.kill(process, signal.SIGKILL)
                raise AssertionError(f"nothing happens any more: {texts}")
            for key, _ in found:
                chunk = os.read(key.fd, 1 << 16)
                texts[key.fd] += chunk
                if not chunk:
                    ready.unregister(key.fd)
    return list(texts.values())


def _number(connection: socket.socket) -> int:
    got = connection.recv(_NUMBER, socket.MSG_WAITALL)
    assert len(got) == _NUMBER, "the warm process has ended"
    return int.from_bytes(got)


class _Processes:
    """The warm processes, started when they are first needed; they end with the one that asks them.

    None is a child of this one: some tests say that no child is left.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._turns = itertools.count()

    def next(self) -> socket.socket:
        """A connection to one of them."""
        with self._lock:
            turn = next(self._turns) % _PROCESSES
            if turn == len(self._connections):
                self._connections.append(self._start())
            return self._connections[turn]

    @staticmethod
    def _start() -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            subprocess.run(
                [sys.executable, __file__, str(theirs.fileno())], check=True, pass_fds=[theirs.fileno()],
                env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        return ours


_processes = _Processes()


# In the warm process


def _serve(requests: socket.socket) -> None:
    """Forks for each request, until nobody is there who could ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for pytest
    _import_everything()
    running: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as ready:
        ready.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd in running:
                    ready.unregister(key.fd)
                    process, connection = running.pop(key.fd)
                    with connection:
                        connection.sendall(os.waitpid(process, 0)[1].to_bytes(_NUMBER))
                    os.close(key.fd)
                    continue
                _, given, _, _ = socket.recv_fds(requests, 1, 5)
                if not given:
                    return
                connection = socket.socket(fileno=given[0])
                process = _fork(connection, given[1:])
                connection.sendall(process.to_bytes(_NUMBER))
                watched = os.pidfd_open(process)
                running[watched] = process, connection
                ready.register(watched, selectors.EVENT_READ)


def _fork(connection: socket.socket, given: list[int]) -> int:
    size = _number(connection)
    arguments, environment, umask, is_dying = json.loads(connection.recv(size, socket.MSG_WAITALL))
    process = os.fork()
    if process == 0:
        os.umask(umask)
        _become(arguments, environment, given, is_dying=is_dying)
    for one in given:
        os.close(one)
    return process


def _become(
    arguments: list[str], environment: dict[str, str], given: list[int], *, is_dying: bool
) -> NoReturn:
    """Makes of this process what `python -m gitforge` would be."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, one in enumerate(given[:3]):
            os.dup2(one, number)
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            old, buffering = getattr(sys, name), 1 if name == "stderr" else -1
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, buffering, encoding=old.encoding, errors=old.errors))
        os.fchdir(given[3])
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        tempfile.tempdir = None
        if is_dying:
            os.setsid()
            dying.arm()
        entry = importlib.import_module("gitforge.cli.entry")
        sys.argv[:] = [str(Path(str(entry.__file__)).parents[1] / "__main__.py"), *arguments]
        sys.path[0] = str(Path.cwd())
        entry.entry()
    except BaseException:  # noqa: BLE001 -- as at the end of any process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


def _import_everything() -> None:
    import gitforge  # noqa: PLC0415 -- not where the tests are

    for module in pkgutil.walk_packages(gitforge.__path__, "gitforge."):
        if not module.name.startswith(_NEVER):
            importlib.import_module(module.name)
    for name in _LATER:
        importlib.import_module(name)
    gc.freeze()


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # the process that goes on is nobody's child
    _serve(socket.socket(fileno=int(sys.argv[1])))
