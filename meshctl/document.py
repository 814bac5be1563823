"""The mesh document of a stack, and the kubeconfigs that it names, for commands that do not run the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.settings import FindingsError, MeshSettings, parse
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError, process_environment
from mesh_components.settings.kubeconfig import load as load_kubeconfig
from meshctl.local.passphrase import Crypter, from_environment
from meshctl.local.project import Project, ProjectError

_NAME = "mesh"
"""The setting that holds the document."""


def keys(project: Project) -> tuple[str, str]:
    """Under which the document may stand in a stack file: the short key, and the full one with the project's name."""
    return _NAME, f"{project.name}:{_NAME}"


def document(project: Project) -> Mapping[str, Any]:
    """The document as it is written, without any of the settings beside it; so no passphrase is needed.

    Raises:
        ProjectError: when there is none.
    """
    for settings in (project.stack_settings, project.settings):
        config = settings.get("config") or {}
        found = next((config[key] for key in keys(project) if key in config), None)
        if isinstance(found, Mapping) and settings is project.settings:
            found = found.get("value", found.get("default"))  # a declaration, as Pulumi.yaml has them
        if isinstance(found, Mapping):
            return found
    message = f"{project.stack_file}: has no mesh document; set `{keys(project)[1]}` to a mapping, as in stacks/"
    raise ProjectError(message)


def mesh(project: Project) -> MeshSettings:
    """The document as settings.

    Raises:
        ProjectError: when there is none, or one that is not of a mesh's shape.
    """
    try:
        return parse(document(project))
    except FindingsError as error:
        raise ProjectError(str(error)) from None


def kubeconfigs(project: Project, chosen: Mapping[int, str], mesh: MeshSettings) -> dict[str, Kubeconfig]:
    """The kubeconfigs of some clusters (position to name), by name; relative paths start where the program is.

    Raises:
        ProjectError: with all that are missing or cannot be used.
        PassphraseError: when one is a secret of the stack that cannot be opened.
    """
    found, missing = kubeconfigs_at_hand(project, chosen, mesh)
    if missing:
        raise ProjectError("\n".join(missing.values()))
    return found


def kubeconfigs_at_hand(
    project: Project, chosen: Mapping[int, str], mesh: MeshSettings
) -> tuple[dict[str, Kubeconfig], dict[str, str]]:
    """The same as far as they are there, and why the others are not.

    Raises:
        PassphraseError: when one is a secret of the stack that cannot be opened.
    """
    crypter = Crypter(from_environment(), project.salt, str(project.stack_file))

    def secret(name: str) -> str | None:
        return project.config(crypter).values.get(f"{project.name}:{name}")

    folder, environment = project.program.parent, process_environment()
    found: dict[str, Kubeconfig] = {}
    missing: dict[str, str] = {}
    for index, name in chosen.items():
        source = mesh.clusters[index].kubeconfig
        try:
            if source is None:
                raise KubeconfigError("nothing says how it is reached; add `kubeconfig`, or name other clusters")
            found[name] = load_kubeconfig(source, folder=folder, secret=secret, environment=environment)
        except KubeconfigError as error:
            missing[name] = f"clusters[{index}].kubeconfig, of {name}: {error}"
    return found, missing
