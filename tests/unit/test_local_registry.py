"""One configured provider is one instance, however many steps ask for it at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from meshctl.local.model import Progress, Provider
from meshctl.local.registry import Registry

THREADS = 8


def test_many_threads_get_the_same_provider() -> None:
    made: list[object] = []
    together = threading.Barrier(THREADS)

    def factory(inputs: Mapping[str, Any], _stack: str, _progress: Progress) -> Provider:
        made.append(inputs)
        # A second call that is let in meanwhile would find this one unfinished.
        threading.Event().wait(0.05)
        return cast("Provider", object())

    registry = Registry("mesh/test", lambda *_: None, {"kubernetes": factory})

    def ask(_: int) -> Provider:
        together.wait()
        return registry.configure("urn", "pulumi:providers:kubernetes", {"kubeconfig": "k"})

    with ThreadPoolExecutor(THREADS) as pool:
        answers = set(map(id, pool.map(ask, range(THREADS))))
    assert len(made) == len(answers) == 1
    assert id(registry.configure("urn", "pulumi:providers:kubernetes", {"kubeconfig": "another"})) not in answers
