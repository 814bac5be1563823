"""From a stack's settings to the arguments of `MeshFederation`: the one place that reads configuration and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi

from mesh_components.federation import MeshFederationArgs
from mesh_components.settings import FindingsError, KubeconfigSettings, parse
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError, load, process_environment
from mesh_components.topology.findings import check


def from_stack(config: pulumi.Config, folder: Path) -> MeshFederationArgs:
    """Read the setting `mesh` of a stack and the kubeconfigs that it names, and check all of it.

    Args:
        config: the project's configuration.
        folder: the project's folder, where relative paths start.

    Raises:
        pulumi.RunError: with every error finding. Warnings are logged and the program goes on.
    """
    try:
        mesh = parse(config.get_object("mesh"))
        own = _kubeconfigs({i: c.kubeconfig for i, c in enumerate(mesh.clusters)}, config, folder)
        handed = _kubeconfigs({i: c.peer_kubeconfig for i, c in enumerate(mesh.clusters)}, config, folder)
        warnings = check(mesh, own, handed)
    except FindingsError as error:
        raise pulumi.RunError(str(error)) from None
    for warning in warnings:
        pulumi.log.warn(str(warning))
    return MeshFederationArgs(
        mesh=mesh,
        kubeconfigs={mesh.clusters[i].name: found for i, found in own.items() if isinstance(found, Kubeconfig)},
        peer_kubeconfigs={mesh.clusters[i].name: found for i, found in handed.items() if isinstance(found, Kubeconfig)},
    )


def _kubeconfigs(
    sources: Mapping[int, KubeconfigSettings | None], config: pulumi.Config, folder: Path
) -> dict[int, Kubeconfig | KubeconfigError]:
    return {i: _load(source, config, folder) for i, source in sources.items() if source is not None}


def _load(source: KubeconfigSettings, config: pulumi.Config, folder: Path) -> Kubeconfig | KubeconfigError:
    def secret(name: str) -> str | None:
        # Read in clear, since findings must look into it; what leaves the program is marked secret by AttachedCluster.
        value: str | None = pulumi.runtime.get_config(config.full_key(name))
        return value

    try:
        return load(source, folder=folder, secret=secret, environment=process_environment())
    except KubeconfigError as error:
        return error
