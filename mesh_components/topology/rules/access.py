"""Access: the credentials with which this program and the peers' istiods reach each cluster.

Nothing here quotes a kubeconfig: what a finding says of one is its place, its server's host, and what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding, KubeconfigSettings
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError
from mesh_components.topology.roles import kinds_of
from mesh_components.topology.rules.addresses import url
from mesh_components.topology.rules.context import Context, Kubeconfigs, at, error, warning

_FIX = "set one of `file`, `environment` and `secret`"


def unreadable(context: Context) -> Iterator[Finding]:
    """MESH501."""
    for index, cluster in context.clusters():
        if kinds_of(cluster) == () and cluster.name not in context.brought:
            yield error(
                "MESH501",
                at(index, "kubeconfig"),
                f'nothing says how this program reaches "{cluster.name}"',
                "add `kubeconfig` with one of `file`, `environment` and `secret`; or `create`, or `stackReference`",
            )
    for index, place, source in _sources(context):
        found = _kubeconfigs(context, place).get(index)
        if not _stated(source):
            yield error("MESH501", place, "it names no kubeconfig", _FIX)
        elif isinstance(found, KubeconfigError) and len(_stated(source)) == 1:
            yield error("MESH501", place, str(found), "correct the source or the context, or make the kubeconfig")


def ambiguous(context: Context) -> Iterator[Finding]:
    """MESH502."""
    for _, place, source in _sources(context):
        stated = _stated(source)
        if len(stated) > 1:
            yield error(
                "MESH502",
                place,
                f"it names {len(stated)} kubeconfigs, {' and '.join(stated)}; they may be of different clusters",
                f"{_FIX}, not several",
            )


def refused_by_istiod(context: Context) -> Iterator[Finding]:
    """MESH503 (https://istio.io/latest/docs/reference/commands/pilot-discovery/,
    PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS; istio#58335)."""
    for index, kubeconfig in _read(context.peer_kubeconfigs):
        if kubeconfig.refused:
            yield error(
                "MESH503",
                at(index, "peerKubeconfig"),
                f"istiod refuses this kubeconfig because of {', '.join(kubeconfig.refused)}: it would run programs or "
                "read files inside of istiod, and the peers would know nothing of this cluster",
                "leave `peerKubeconfig` out, then one with a token of the reader account is made; or name one with a "
                "token or with certificates as data",
            )


def same_server(context: Context) -> Iterator[Finding]:
    """MESH504. One cluster under two names: each endpoint twice, and a remote secret of a cluster about itself."""
    first: dict[object, int] = {}
    for index, _ in context.clusters():
        clash = None
        for place, identity in _identities(context, index):
            earlier = first.setdefault(identity, index)
            if earlier != index and clash is None:
                clash = place, earlier
        if clash:
            place, earlier = clash
            yield error(
                "MESH504",
                place,
                f'this is the API server of clusters[{earlier}], "{context.mesh.clusters[earlier].name}", too: one '
                "cluster would join the mesh twice and read itself",
                "name the kubeconfig, the context or the address of this cluster",
            )


def unverified(context: Context) -> Iterator[Finding]:
    """MESH505."""
    what = "it sets insecure-skip-tls-verify: whoever sits in between gets the"
    fix = "put the API server's CA into the kubeconfig as certificate-authority-data"
    for index, kubeconfig in _read(context.peer_kubeconfigs):
        if kubeconfig.insecure:
            yield error(
                "MESH505", at(index, "peerKubeconfig"), f"{what} peers' token and answers in this one's name", fix
            )
    for index, kubeconfig in _read(context.kubeconfigs):
        if kubeconfig.insecure:
            yield warning("MESH505", at(index, "kubeconfig"), f"{what} credentials that install Istio", fix)


def _sources(context: Context) -> Iterator[tuple[int, str, KubeconfigSettings]]:
    for index, cluster in context.clusters():
        if cluster.kubeconfig is not None:
            yield index, at(index, "kubeconfig"), cluster.kubeconfig
        if cluster.peer_kubeconfig is not None:
            yield index, at(index, "peerKubeconfig"), cluster.peer_kubeconfig


def _kubeconfigs(context: Context, place: str) -> Kubeconfigs:
    return context.peer_kubeconfigs if place.endswith("peerKubeconfig") else context.kubeconfigs


def _read(kubeconfigs: Kubeconfigs) -> Iterator[tuple[int, Kubeconfig]]:
    return ((index, found) for index, found in sorted(kubeconfigs.items()) if isinstance(found, Kubeconfig))


def _stated(source: KubeconfigSettings) -> tuple[str, ...]:
    return tuple(name for name in ("file", "environment", "secret") if getattr(source, name))


def _identities(context: Context, index: int) -> Iterator[tuple[str, object]]:
    """What no two clusters share: the server this program talks to, the one that a peer talks to, and, as long as the
    kubeconfig has not been read, where it is. Two peers may well use one private address for different clusters."""
    own = context.kubeconfigs.get(index)
    source = context.mesh.clusters[index].kubeconfig
    if isinstance(own, Kubeconfig):
        yield at(index, "kubeconfig"), ("server", _normal(own.server))
    elif source is not None and _stated(source):
        yield at(index, "kubeconfig"), ("source", source)
    for reader in ("", *(cluster.name for cluster in context.readers(index))):
        known = context.address(index, reader)
        if known:
            yield known[1], ("address", reader, _normal(known[0]))


def _normal(server: str) -> object:
    """The server so that two spellings of it are equal; as it is where it is no URL."""
    address = url(server)
    return server if isinstance(address, str) else address


RULES = (unreadable, ambiguous, refused_by_istiod, same_server, unverified)
