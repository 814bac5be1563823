"""`mesh` commands in processes of their own that need not start from nothing.

A command imports for longer than it works, and the tests run hundreds. One process imports what commands import and
forks for each of them: arguments, folder, environment and outputs are the command's own, as if somebody had typed it.
What a command has imported beyond that (the clients of clusters and clouds come late) it says at its end, for the next.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TextIO

from pydantic import BaseModel

_ROOT = Path(__file__).parents[2]
PASSPHRASE = "correct horse battery staple"
_HANGS = 300
"""Seconds after which a command is taken for one that never ends."""


class _Server:
    """The process that forks, as seen from the tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, words: Sequence[str], cwd: Path, environment: Mapping[str, str], out: str, err: str) -> int:
        """Process id of a command that has been started, with the files that its outputs go to."""
        request = {"words": list(words), "cwd": str(cwd), "environment": dict(environment), "out": out, "err": err}
        return self._answer(request)

    def wait(self, pid: int) -> int:
        """Its exit code; until it is asked for, nobody else gets that process id."""
        return self._answer({"pid": pid})

    def _answer(self, request: Mapping[str, Any]) -> int:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        with self._lock:
            asked.write(json.dumps(request) + "\n")
            asked.flush()
            answer = answers.readline()
        assert answer, "the process that runs commands has ended"
        return int(answer)


_server = cache(_Server)


def mesh(words: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `mesh` with these words to its end."""
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
        code = _server().wait(_server().start(words, cwd, environment, out.name, err.name))
        return subprocess.CompletedProcess(["mesh", *words], code, out.read(), err.read())


@dataclass
class Running:
    """A command that runs, with its progress to read while it does."""

    pid: int
    stderr: TextIO
    code: int | None = None
    """Its exit code, once it was waited for; that of a signal is negative."""

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for its end. Returns its exit code."""
        if self.code is None:
            self.code = _server().wait(self.pid)
        return self.code


@contextmanager
def running(words: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    """Run `mesh` with these words while something else is done; what still runs then is killed.

    What it prints on stdout is not kept.
    """
    with tempfile.TemporaryDirectory() as folder:
        progress = Path(folder) / "stderr"
        os.mkfifo(progress)
        pid = _server().start(words, cwd, environment, os.devnull, str(progress))
        with progress.open() as stderr:
            run = Running(pid, stderr)
            try:
                yield run
            finally:
                if run.code is None:
                    run.send_signal(signal.SIGKILL)
                    run.wait()


def _import(charts: Path) -> None:
    import meshctl

    for module in pkgutil.walk_packages(meshctl.__path__, "meshctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    importlib.import_module("mesh_components.federation.federation")
    _build_models()
    _share_a_key()
    _share_charts(charts)
    _keep()


def _keep() -> None:
    # A fork has one thread: another one's locks would stay closed in it for ever.
    assert threading.active_count() == 1
    # What is there stays; to collect it again would copy its pages in each fork.
    gc.collect()
    gc.freeze()


def _build_models() -> None:
    """Those of the document and of the components' arguments: each is built when one is first made of it."""
    models: list[type[BaseModel]] = BaseModel.__subclasses__()
    for model in models:
        models += model.__subclasses__()
        # Those of Istio's kinds are many, and a command needs few.
        if model.__module__.startswith("mesh_components.") and ".istio." not in model.__module__:
            model.model_rebuild()


def _learn(names: Sequence[str]) -> None:
    """Import what a command had to import late, from the libraries: modules of a program are its own."""
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)
    _keep()


def _late(before: set[str]) -> list[str]:
    """Modules of libraries that came since."""
    new = ((name, getattr(sys.modules[name], "__file__", None) or "") for name in set(sys.modules) - before)
    return sorted(name for name, file in new if file.startswith((sys.prefix, sys.base_prefix)))


def _share_a_key() -> None:
    """Most of what a short command computes is the key to its state. Here every new state gets one salt, and the key
    of that salt is derived once. Processes that are started anew do as Pulumi does."""
    from meshctl.local import passphrase

    salt, derive = passphrase.new_salt(), cache(passphrase.key)
    derive(PASSPHRASE, salt)
    passphrase.new_salt, passphrase.key = (lambda: salt), derive


def _share_charts(folder: Path) -> None:
    """Let helm render a chart once for the same options and the same files, and all commands have it. Processes that
    are started anew have it rendered each."""
    from meshctl.local.providers import helm

    render = helm._render

    def shared(options: Mapping[str, Any]) -> list[Any]:
        files = Path(str(options.get("path") or options.get("chart"))).resolve().rglob("*")
        asked = json.dumps([options, sorted((str(file), file.stat().st_mtime_ns) for file in files)], sort_keys=True)
        path = folder / hashlib.sha256(asked.encode()).hexdigest()
        if not path.exists():
            made = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            made.write_text(json.dumps(render(options)))
            made.rename(path)
        objects: list[Any] = json.loads(path.read_text())
        return objects

    helm._render = shared


def _become(request: Mapping[str, Any], tell: int) -> NoReturn:
    from meshctl.cli import main

    code: object = 1
    before = set(sys.modules)
    signal.alarm(_HANGS)
    try:
        for descriptor, name in ((1, request["out"]), (2, request["err"])):
            file = os.open(name, os.O_WRONLY)
            os.dup2(file, descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = ["mesh", *request["words"]]
        sys.path[0] = request["cwd"]
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does it
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(tell, "\n".join(_late(before)).encode())
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _start(request: Mapping[str, Any], heard: dict[int, int]) -> int:
    late, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _become(request, tell)
    os.close(tell)
    heard[child] = late
    return child


def _wait(pid: int, heard: dict[int, int]) -> int:
    with os.fdopen(heard.pop(pid)) as late:
        names = late.read().split()
    _, status = os.waitpid(pid, 0)
    if names:
        _learn(names)
    return os.waitstatus_to_exitcode(status)


def _serve() -> None:
    heard: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as charts:
        _import(Path(charts))
        for line in sys.stdin:
            request = json.loads(line)
            print(_wait(request["pid"], heard) if "pid" in request else _start(request, heard), flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
