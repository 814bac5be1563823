"""One side of a comparison: where its document is, what it says, and what it leads to.

A side is a file, or a revision of git. Of a revision the stack's file is read, with `git show`, and nothing else:
nothing is checked out, and the library is the one that is installed here.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mesh_components.settings import Finding, FindingsError, MeshSettings, parse
from mesh_components.settings.findings import Severity
from mesh_components.topology.findings import findings
from meshctl.document import document, keys
from meshctl.local.foresight import NOTHING, Foreseen, foresee
from meshctl.local.project import Project, ProjectError, located, mapping

_ENDINGS = (".yaml", ".yml", ".json")
_POSITION = re.compile(r"\b(clusters|meshes)\[(\d+)\]")


@dataclass(frozen=True)
class Side:
    """What is known of it."""

    label: str
    """As it was asked for."""
    mesh: MeshSettings | None
    """None where there is no document, or one with errors."""
    findings: tuple[Finding, ...]
    foreseen: Foreseen | None
    """None where the document has errors: nobody can tell what it leads to."""
    exists: bool = True

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that stop before anything is created."""
        return tuple(item for item in self.findings if item.severity is Severity.ERROR)


@dataclass(frozen=True)
class Source:
    """Where documents are looked for."""

    cwd: Path
    stack: str | None
    charts: bool = False

    def side(self, word: str) -> Side:
        """Read one side, by its name: a file, or a revision.

        Raises:
            ProjectError: when it cannot be read; where, why, and what to do.
        """
        path = self.cwd / word
        if path.is_file() or word.endswith(_ENDINGS):
            return self._foreseen(word, _document(_text(path, word), word))
        return self._foreseen(word, self._committed(word))

    def working_tree(self) -> Side:
        """The stack's file as it lies there."""
        project = self._project("the working tree")
        label = "the working tree"
        if not project.stack_file.is_file():
            return Side(label, None, (), NOTHING, exists=False)
        return self._foreseen(label, _of_stack(project, _text(project.stack_file, label), str(project.stack_file)))

    def _committed(self, revision: str) -> Mapping[str, Any] | None:
        project = self._project(revision)
        folder, name = project.stack_file.parent, project.stack_file.name
        asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        found = _git(project.root, *asked)
        if found.returncode:
            raise ProjectError(_no_revision(project, revision))
        commit = found.stdout.decode().strip()
        inside = folder.resolve().relative_to(project.root.resolve()).as_posix()
        shown = _git(project.root, "show", f"{commit}:./{inside}/{name}".replace("/./", "/"))
        if shown.returncode:
            return None
        where = f"{revision}:{inside}/{name}"
        return _of_stack(project, shown.stdout.decode("utf-8", "replace"), where)

    def _project(self, word: str) -> Project:
        if self.stack is None:
            message = f"{word!r} is no file, and to read it as a revision of git needs the stack: add --stack NAME"
            raise ProjectError(message)
        return located(self.cwd, self.stack)

    def _foreseen(self, label: str, found: Mapping[str, Any] | None) -> Side:
        if found is None:
            return Side(label, None, (), NOTHING, exists=False)
        try:
            mesh = parse(found)
        except FindingsError as error:
            return Side(label, None, error.findings, None)
        # What a document names, such as a kubeconfig, is not at hand; the rules about it are for whoever builds.
        said = tuple(_named(item, mesh) for item in findings(mesh, brought=_names(mesh)))
        if any(item.severity is Severity.ERROR for item in said):
            return Side(label, None, said, None)
        return Side(label, mesh, said, self._led_to(mesh))

    def _led_to(self, mesh: MeshSettings) -> Foreseen:
        if not self.charts:
            return foresee(mesh)
        from mesh_components.stack import with_folder

        folder = self.cwd if self.stack is None else located(self.cwd, self.stack).root
        return foresee(with_folder(mesh, folder.resolve()), charts=True)


def _names(mesh: MeshSettings) -> frozenset[str]:
    return frozenset(cluster.name for cluster in mesh.clusters)


def _named(finding: Finding, mesh: MeshSettings) -> Finding:
    """With names in the place of positions, which another order would change."""

    def name(found: re.Match[str]) -> str:
        listed = mesh.clusters if found[1] == "clusters" else mesh.meshes
        position = int(found[2])
        return f"{found[1]}[{listed[position].name}]" if position < len(listed) else found[0]

    place, reason, fix = (_POSITION.sub(name, text) for text in (finding.place, finding.reason, finding.fix))
    return replace(finding, place=place, reason=reason, fix=fix)


def _text(path: Path, word: str) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        message = f"{word}: there is no such file; name a document, a stack's file, or a revision of git with --stack"
        raise ProjectError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{word}: cannot be read: {' '.join(str(error).split())}"
        raise ProjectError(message) from None


def _document(text: str, word: str) -> Mapping[str, Any]:
    """A bare document, or the one in a stack's file."""
    data = mapping(text, word)
    if "config" not in data:
        return data
    config = data.get("config") or {}
    found = next((value for key, value in config.items() if key == "mesh" or str(key).endswith(":mesh")), None)
    if isinstance(found, Mapping):
        return found
    message = f"{word}: is a stack's file without a mesh document; set `mesh:mesh` to a mapping, as in stacks/"
    raise ProjectError(message)


def _of_stack(project: Project, text: str, where: str) -> Mapping[str, Any]:
    settings = mapping(text, where)
    config = settings.get("config")
    if not isinstance(config, Mapping) or not any(key in config for key in keys(project)):
        message = f"{where}: has no mesh document; set `{keys(project)[1]}` to a mapping, as in stacks/"
        raise ProjectError(message)
    return document(replace(project, stack_settings=settings))


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)  # noqa: S607
    except OSError:
        message = "a revision is read with git, which is not on PATH; install it, or name two files"
        raise ProjectError(message) from None


def _no_revision(project: Project, revision: str) -> str:
    if _git(project.root, "rev-parse", "--git-dir").returncode:
        return f"{project.root}: is not in a repository of git, so it has no revision {revision!r}; name two files"
    return (
        f"{revision!r} is neither a file nor a revision of this repository; in a shallow clone, fetch it first "
        "(`fetch-depth: 0` of actions/checkout, `git fetch --unshallow`)"
    )
