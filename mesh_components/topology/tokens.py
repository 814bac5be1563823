"""The tokens with which clusters are read: which there are, which one is handed out, and what a change of one asks for.

A token is replaced without a gap: the next one is made and written into the remote secrets, and only then does the
Secret of the one before go, and every token of it with it. `up` deletes last, so raising a serial is enough;
`keepPrevious` puts the deleting off to a later `up`, for istiods that have to be restarted in between.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh_components.settings import MeshSettings
from mesh_components.settings.discovery import MountedSettings, TokenSettings
from mesh_components.topology import names
from mesh_components.topology.versions import ROTATES, KnownBug, bugs, parse


@dataclass(frozen=True)
class Tokens:
    """The tokens of one cluster."""

    requested: bool
    """From the TokenRequest API, with an end."""
    serials: tuple[int, ...]
    """Those that exist, oldest first; the last one is handed out."""
    own: bool = False
    """Of an account of this program."""

    @property
    def account(self) -> str:
        """Whose they are."""
        return names.OWN_READER if self.own else names.READER_ACCOUNT

    @property
    def suffix(self) -> str:
        """What follows the cluster's name in the resource's, of the first serial. Another account's token is another
        resource: replaced in place, the Secret before would go before what carries its token has changed."""
        return "-own-reader" if self.own else "-reader"


def tokens(mesh: MeshSettings, cluster: str) -> Tokens:
    """The tokens with which `cluster` is read."""
    if handed_out_elsewhere(mesh):
        return Tokens(False, ())
    stated = mesh.discovery.tokens
    return Tokens(stated.kind == "requested", serials(stated, cluster), mesh.discovery.account == "own")


def serials(stated: TokenSettings, cluster: str) -> tuple[int, ...]:
    """The generations of a cluster's token that exist, oldest first."""
    serial = stated.serials.get(cluster, 1)
    return (serial - 1, serial) if stated.keep_previous and serial > 1 else (serial,)


def handed_out_elsewhere(mesh: MeshSettings) -> bool:
    """Whether somebody else hands out what clusters are read with."""
    return mesh.discovery.secrets == "mounted"


def mounted(mesh: MeshSettings) -> MountedSettings | None:
    """The folder from which istiods read clusters; None where they read Secrets of this program."""
    return mesh.discovery.mounted if handed_out_elsewhere(mesh) else None


def replaced(mesh: MeshSettings, *clusters: str, keep: bool) -> MeshSettings:
    """The document that replaces the tokens of `clusters`; with `keep` the ones before stay valid for now."""
    stated = mesh.discovery.tokens
    serials = {**stated.serials, **{name: stated.serials.get(name, 1) + 1 for name in clusters}}
    changed = stated.model_copy(update={"serials": serials, "keep_previous": keep})
    return mesh.model_copy(update={"discovery": mesh.discovery.model_copy(update={"tokens": changed})})


def withdrawn(mesh: MeshSettings) -> MeshSettings:
    """The document in which the tokens before are not valid any more."""
    changed = mesh.discovery.tokens.model_copy(update={"keep_previous": False})
    return mesh.model_copy(update={"discovery": mesh.discovery.model_copy(update={"tokens": changed})})


def restarts(mesh: MeshSettings, version: str) -> tuple[KnownBug, ...]:
    """The bugs for which istiods of that version are restarted after a remote secret has changed; with none there is no
    need to, as istiod connects anew by itself."""
    parsed = parse(version)
    if parsed is None:
        return ()
    return tuple(bug for bug, _ in bugs(parsed, replaced(mesh, keep=True)) if bug.whom == ROTATES[0])
