"""A stand-in for `exec` in the clients of `mesh verify`: answers that a test has written down. It asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshctl.check.facts import Object
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.verify.asking import CannotAskError


class ScriptedAnswers:
    """By the name of the client's pod; a pod that is not in the script is refused, as a real exec may be."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self._lines = lines
        self.urls: set[str] = set()

    def ask(self, _transport: Transport, pod: Object, url: str, times: int) -> Sequence[str]:
        """The lines of the pod, again and again until there are enough."""
        self.urls.add(url)
        written = self._lines.get(pod["metadata"]["name"])
        if written is None:
            raise CannotAskError("exec into the pod failed: forbidden")
        return [written[number % len(written)] for number in range(times)]


def hello(version: str, pod: str) -> str:
    """What HelloWorld answers, with the status as the client's script adds it."""
    return f"Hello version: {version}, instance: {pod}  [200]"
