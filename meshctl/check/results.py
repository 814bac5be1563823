"""What checks say: a problem with its cause and the next step, or that something could not be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mesh_components.settings import Severity

DOCS = "docs/checks"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    code: str
    severity: Severity
    where: str
    """A cluster, an edge `source -> reader`, or a place of the document."""
    cause: str
    """What is wrong, and what comes of it."""
    fix: str
    """The next step."""
    about: tuple[str, ...] = ()
    """The objects that it is about, `cluster Kind namespace/name`: what is said of them once is not said again."""

    @property
    def page(self) -> str:
        """The page that explains the check."""
        return f"{DOCS}/{self.code}.md"

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "where": self.where,
            "cause": self.cause,
            "fix": self.fix,
            "page": self.page,
        }


@dataclass(frozen=True)
class Unknown:
    """A check that could not be made."""

    code: str
    where: str
    why: str

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return vars(self)


Result = Problem | Unknown


def about(cluster: str, kind: str, name: str, namespace: str = "") -> str:
    """An object, for `Problem.about`."""
    return f"{cluster} {kind} {namespace}/{name}" if namespace else f"{cluster} {kind} {name}"


def error(code: str, where: str, cause: str, fix: str, objects: Iterable[str] = ()) -> Problem:
    """A problem that keeps the mesh from working."""
    return Problem(code, Severity.ERROR, where, cause, fix, tuple(objects))


def warning(code: str, where: str, cause: str, fix: str, objects: Iterable[str] = ()) -> Problem:
    """A problem that will, or may."""
    return Problem(code, Severity.WARNING, where, cause, fix, tuple(objects))
