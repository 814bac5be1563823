"""From a stack's settings to the arguments of `MeshFederation`: the one place that reads configuration and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi
import yaml

from mesh_components.federation import MeshFederationArgs
from mesh_components.kubernetes import Plain
from mesh_components.settings import FindingsError, KubeconfigSettings, MeshSettings, parse, place
from mesh_components.settings.addons import AddonSettings
from mesh_components.settings.base import Settings
from mesh_components.settings.facts import FactsError, MeshFacts
from mesh_components.settings.facts import load as load_facts
from mesh_components.settings.istio import ChartSource
from mesh_components.settings.kubeconfig import (
    WITHOUT_CREDENTIALS,
    Kubeconfig,
    KubeconfigError,
    load,
    process_environment,
    stand_in,
)
from mesh_components.settings.place import PlaceError, PlaceSettings
from mesh_components.topology import material, peers
from mesh_components.topology.certificates import pem
from mesh_components.topology.ibm import api_keys
from mesh_components.topology.outside import certificates


def from_stack(config: pulumi.Config, folder: Path) -> MeshFederationArgs:
    """Read the setting `mesh` of a stack, and the kubeconfigs and certificates that it names. `MeshFederation` checks
    what is read.

    Args:
        config: the project's configuration.
        folder: the project's folder, where relative paths start.

    Raises:
        pulumi.RunError: when there is no document, or one that is not of a mesh's shape.
    """
    try:
        mesh = parse(config.get_object("mesh"))
    except FindingsError as error:
        raise pulumi.RunError(str(error)) from None
    return named_by(mesh, config, folder)


def named_by(mesh: MeshSettings, config: pulumi.Config, folder: Path) -> MeshFederationArgs:
    """The arguments of a document that was read: with the kubeconfigs, certificates and facts that it names."""
    return MeshFederationArgs(
        mesh=with_folder(mesh, folder),
        kubeconfigs=_kubeconfigs({i: c.kubeconfig for i, c in enumerate(mesh.clusters)}, config, folder),
        peer_kubeconfigs=_kubeconfigs({i: c.peer_kubeconfig for i, c in enumerate(mesh.clusters)}, config, folder),
        texts=_texts(mesh, config, folder),
        facts=_facts(mesh, folder),
        stack_facts={
            index: pulumi.StackReference(other.facts.stack).get_output("publicFacts")
            for index, other in enumerate(mesh.meshes)
            if other.facts.stack is not None
        },
        gateway_api=_gateway_api(mesh.istio.gateway_api, folder),
    )


def _facts(mesh: MeshSettings, folder: Path) -> dict[int, MeshFacts | FactsError]:
    """What other meshes say of themselves, as far as it stands in files."""
    found = {
        index: load_facts(other.facts, lambda file: (folder / Path(file).expanduser()).read_text())
        for index, other in enumerate(mesh.meshes)
    }
    return {index: facts for index, facts in found.items() if facts is not None}


def with_folder(mesh: MeshSettings, folder: Path) -> MeshSettings:
    """The document with the charts' folders made absolute: the provider that renders them runs elsewhere."""
    changed = {key: _charts_in(part, folder) for key, part in (("istio", mesh.istio), ("addons", mesh.addons))}
    return mesh.model_copy(update={key: part for key, part in changed.items() if part is not getattr(mesh, key)})


def _charts_in(part: Settings, folder: Path) -> Settings:
    """Part of the document, itself where no folder of charts is named in it."""
    changed: dict[str, Settings] = {}
    for key in type(part).model_fields:
        below = getattr(part, key)
        if isinstance(below, ChartSource) and below.folder is not None:
            changed[key] = below.model_copy(update={"folder": str(folder / Path(below.folder).expanduser())})
        elif isinstance(below, AddonSettings) and (found := _charts_in(below, folder)) is not below:
            changed[key] = found
    return part.model_copy(update=changed) if changed else part


def _gateway_api(file: str | None, folder: Path) -> tuple[Plain, ...]:
    """The CRDs of the Gateway API in a file; what else is in it, such as an admission policy, is applied too."""
    if file is None:
        return ()
    path = folder / Path(file).expanduser()
    try:
        found = [item for item in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader) if item]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no YAML"
        raise pulumi.RunError(
            f"mesh.istio.gatewayApi: {path} cannot be read: {reason}; ambient needs these CRDs; name the file "
            "standard-install.yaml of a release of the Gateway API, or leave the setting out where clusters have them"
        ) from None
    if not any(isinstance(item, dict) and item.get("kind") == "CustomResourceDefinition" for item in found):
        raise pulumi.RunError(
            f"mesh.istio.gatewayApi: {path} holds no CustomResourceDefinition; name the file standard-install.yaml of "
            "a release of the Gateway API"
        )
    return tuple(found)


def _kubeconfigs(
    sources: Mapping[int, KubeconfigSettings | None], config: pulumi.Config, folder: Path
) -> dict[int, Kubeconfig | KubeconfigError]:
    found = {i: _load(source, config, folder) for i, source in sources.items() if source is not None}
    if not process_environment().get(WITHOUT_CREDENTIALS):
        return found
    if not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(f"{WITHOUT_CREDENTIALS} is for previews: unset it, and give the kubeconfigs")
    return {i: item if isinstance(item, Kubeconfig) else stand_in(i) for i, item in found.items()}


def _texts(mesh: MeshSettings, config: pulumi.Config, folder: Path) -> dict[str, str | PlaceError]:
    """Certificates and keys, also of APIs; read in clear, as kubeconfigs are, and marked secret by what takes them."""

    def read(source: PlaceSettings) -> str | PlaceError:
        try:
            contents = place.read(
                source, folder=folder, secret=_secret_settings(config), environment=process_environment()
            )
        except PlaceError as error:
            return error
        return pem.decode(contents)

    keys = {where: read(source) for where, source in (*api_keys(mesh), *certificates(mesh), *peers.places(mesh))}
    if process_environment().get(WITHOUT_CREDENTIALS):
        # A preview asks IBM Cloud for nothing that it has not made before, and makes no Secret.
        keys = {where: found if isinstance(found, str) else place.NOT_AT_HAND for where, found in keys.items()}
    return {**{where: read(source) for where, source in material.places(mesh.trust)}, **keys}


def _secret_settings(config: pulumi.Config) -> place.Secrets:
    def secret(name: str) -> str | None:
        # Read in clear, since findings must look into it; what leaves the program is marked secret by who takes it.
        value: str | None = pulumi.runtime.get_config(config.full_key(name))
        return value

    return secret


def _load(source: KubeconfigSettings, config: pulumi.Config, folder: Path) -> Kubeconfig | KubeconfigError:
    try:
        return load(source, folder=folder, secret=_secret_settings(config), environment=process_environment())
    except KubeconfigError as error:
        return error
