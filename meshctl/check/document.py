"""What a stack says, read as the program reads it, with everything that is wrong as findings instead of an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mesh_components.settings import Finding, FindingsError, KubeconfigSettings, MeshSettings, Severity, parse, place
from mesh_components.settings.facts import load as load_facts
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError, process_environment, read
from mesh_components.settings.kubeconfig import load as load_kubeconfig
from mesh_components.settings.place import PlaceError, PlaceSettings
from mesh_components.topology import material
from mesh_components.topology.certificates import pem
from mesh_components.topology.findings import findings
from mesh_components.topology.ibm import api_keys
from mesh_components.topology.plan import Topology, plan
from meshctl.document import document
from meshctl.local.passphrase import Crypter, PassphraseError, from_environment
from meshctl.local.project import Project

_ABOUT_ACCESS = ("MESH501", "MESH505")
"""Findings that keep a cluster from being asked, and nothing else from being looked at."""


@dataclass(frozen=True)
class Stated:
    """A document, with what is wrong with it."""

    topology: Topology | None
    """None where it cannot be built."""
    findings: tuple[Finding, ...]
    kubeconfigs: Mapping[str, Kubeconfig | KubeconfigError]
    """By cluster."""


def stated(project: Project, made: Mapping[str, str]) -> Stated:
    """Read the document of a stack, and the files that it names.

    Args:
        project: the stack.
        made: kubeconfigs of clusters that the program itself makes, by cluster, as the state has them.

    Raises:
        ProjectError: when there is no document.
    """
    try:
        mesh = parse(document(project))
    except FindingsError as failure:
        return Stated(None, failure.findings, {})
    reader = _Reader(project)
    own = reader.kubeconfigs({i: c.kubeconfig for i, c in enumerate(mesh.clusters)})
    found = findings(
        mesh,
        own,
        reader.kubeconfigs({i: c.peer_kubeconfig for i, c in enumerate(mesh.clusters)}),
        holds_chart=lambda folder, chart: (reader.path(folder) / chart / "Chart.yaml").is_file(),
        texts={where: reader.text(source) for where, source in (*material.places(mesh.trust), *api_keys(mesh))},
        now=datetime.now(UTC),
        facts={
            index: facts
            for index, other in enumerate(mesh.meshes)
            if (facts := load_facts(other.facts, lambda file: reader.path(file).read_text())) is not None
        },
    )
    broken = any(one.severity is Severity.ERROR and one.code not in _ABOUT_ACCESS for one in found)
    return Stated(None if broken else plan(mesh), found, _reached(mesh, own, made))


def _reached(
    mesh: MeshSettings, own: Mapping[int, Kubeconfig | KubeconfigError], made: Mapping[str, str]
) -> dict[str, Kubeconfig | KubeconfigError]:
    known: dict[str, Kubeconfig | KubeconfigError] = {}
    for index, cluster in enumerate(mesh.clusters):
        if index in own:
            known[cluster.name] = own[index]
        elif cluster.name in made:
            try:
                known[cluster.name] = read(made[cluster.name])
            except KubeconfigError as failure:
                known[cluster.name] = failure
    return known


class _Reader:
    """Files, environment variables and secrets that a document names."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = project.program.parent

    def path(self, file: str) -> Path:
        return self._folder / Path(file).expanduser()

    def kubeconfigs(self, sources: Mapping[int, KubeconfigSettings | None]) -> dict[int, Kubeconfig | KubeconfigError]:
        return {index: self._kubeconfig(source) for index, source in sources.items() if source is not None}

    def _kubeconfig(self, source: KubeconfigSettings) -> Kubeconfig | KubeconfigError:
        try:
            return load_kubeconfig(source, folder=self._folder, secret=self._secret, environment=process_environment())
        except KubeconfigError as failure:
            return failure
        except PassphraseError as failure:
            return KubeconfigError(str(failure))

    def text(self, source: PlaceSettings) -> str | PlaceError:
        try:
            found = place.read(source, folder=self._folder, secret=self._secret, environment=process_environment())
        except PlaceError as failure:
            return failure
        except PassphraseError as failure:
            return PlaceError(str(failure))
        return pem.decode(found)

    def _secret(self, name: str) -> str | None:
        return self._secrets().get(f"{self._project.name}:{name}")

    def _secrets(self) -> Mapping[str, str]:
        crypter = Crypter(from_environment(), self._project.salt, str(self._project.stack_file))
        return self._project.config(crypter).values
