"""`mesh` commands in processes of their own that need not start from nothing.

A command imports for longer than it works, and the tests run hundreds. One process imports what commands import and
forks for each of them: arguments, folder, environment and outputs are the command's own, as if somebody had typed it.
What a command has imported beyond that (the clients of clusters and clouds come late) it says at its end, for the next.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

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

    def run(self, request: Mapping[str, Any]) -> int:
        """Exit code of one command."""
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
        request = {
            "words": list(words),
            "cwd": str(cwd),
            "environment": dict(environment),
            "out": out.name,
            "err": err.name,
        }
        code = _server().run(request)
        return subprocess.CompletedProcess(["mesh", *words], code, out.read(), err.read())


def _import() -> None:
    import meshctl

    for module in pkgutil.walk_packages(meshctl.__path__, "meshctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    importlib.import_module("mesh_components.federation.federation")
    _build_models()
    _share_a_key()
    _keep()


def _keep() -> None:
    # A fork has one thread: another one's locks would stay closed in it for ever.
    assert threading.active_count() == 1
    # What is there stays; to collect it again would copy its pages in each fork.
    gc.collect()
    gc.freeze()


def _build_models() -> None:
    """Those of the document: they are built when one is first read."""
    from mesh_components.settings.document import parse

    parse({"id": "mesh1", "clusters": [{"name": "cluster1", "network": "network1", "kubeconfig": {"file": "none"}}]})


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


def _serve() -> None:
    _import()
    for line in sys.stdin:
        heard, tell = os.pipe()
        child = os.fork()
        if child == 0:
            _become(json.loads(line), tell)
        os.close(tell)
        with os.fdopen(heard) as late:
            names = late.read().split()
        _, status = os.waitpid(child, 0)
        if names:
            _learn(names)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
