"""Discovery in a federation: readers' tokens, and the secrets that carry them to the istiods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import pulumi

from mesh_components.discovery.account import ReaderAccount, ReaderAccountArgs
from mesh_components.discovery.bundle import RemoteSecretBundle, RemoteSecretBundleArgs
from mesh_components.discovery.config_secret import ConfigSecret, ConfigSecretArgs
from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
from mesh_components.discovery.remote_secret import RemoteSecret, RemoteSecretArgs
from mesh_components.discovery.requested import RequestedToken, RequestedTokenArgs
from mesh_components.discovery.source import RemoteSource
from mesh_components.discovery.token import Token
from mesh_components.federation.member import Member, Site
from mesh_components.settings.discovery import TokenSettings
from mesh_components.settings.kubeconfig import authority, only
from mesh_components.topology import names, peers
from mesh_components.topology.edges import Edge
from mesh_components.topology.peers import reader_user
from mesh_components.topology.tokens import handed_out_elsewhere, tokens

Members = Mapping[str, Member]


def token(site: Site, member: Member) -> None:
    """The token with which others read this cluster; none where the document says otherwise how they authenticate, but
    rights for who does."""
    if not member.plan.source:
        return
    user = reader_user(member.plan.settings)
    if user is not None:
        member.reader = _account(site, member, user)
    if not member.plan.settings.reads_with_token:
        return
    planned = tokens(site.mesh, member.plan.name)
    account = _account(site, member) if planned.own else None
    for serial in planned.serials:
        name = names.numbered(f"{member.prefix}{planned.suffix}", serial)
        opts = site.inside(member, *member.ready, account)
        whose = {"namespace": site.mesh.istio.namespace, "account": planned.account, "serial": serial}
        member.token = made_token(site.mesh.discovery.tokens, member, name, whose, opts)


def _account(site: Site, member: Member, user: str | None = None) -> ReaderAccount:
    served = member.plan.control_plane != member.plan.name
    args = ReaderAccountArgs(
        served=served, namespace=site.mesh.istio.namespace, visibility=site.mesh.visibility, user=user
    )
    return ReaderAccount(f"{member.prefix}-reader-account", args, site.inside(member, *member.ready))


def made_token(
    stated: TokenSettings, member: Member, name: str, whose: Mapping[str, Any], opts: pulumi.ResourceOptions
) -> Token:
    """A token of the kind that is wanted; `whose` says namespace, account and serial."""
    if stated.kind == "long-lived":
        return ReaderToken(name, ReaderTokenArgs(**whose), opts)
    lives = {"lifetime_hours": stated.lifetime_hours, "renew_before_hours": stated.renew_before_hours}
    return RequestedToken(name, RequestedTokenArgs(cluster=member.cluster, **lives, **whose), opts)


def expires(members: Members) -> dict[str, Any]:
    """When those tokens end that do."""
    istiods = {name: made.token for name, made in members.items()}
    kiali = {name: made.kiali_token for name, made in members.items()}
    return {**_ends("tokens", istiods), **_ends("kialiTokens", kiali)}


def _ends(key: str, made: Mapping[str, Token | None]) -> dict[str, Any]:
    found = {name: token.expires for name, token in made.items() if isinstance(token, RequestedToken)}
    return {key: found} if found else {}


def config_secret(site: Site, config: Member, external: Member) -> ConfigSecret:
    """The way of an external istiod to the cluster that holds its configuration."""
    (revision,) = external.plan.revisions
    ready_made = _ready_made(site, config)
    reader = None
    if ready_made is None:
        account = ReaderTokenArgs(namespace=site.mesh.istio.namespace, account=names.istiod(revision.name))
        reader = ReaderToken(f"{config.prefix}-istiod-token", account, site.inside(config, *config.ready))
    args = ConfigSecretArgs(
        source_name=config.plan.name,
        reader=external.cluster,
        source=RemoteSource(
            token=reader,
            kubeconfig=ready_made,
            api_server=api_server(config, external.plan.name),
            tls_server_name=config.plan.settings.api_server.tls_server_name,
        ),
        namespace=site.mesh.istio.namespace,
    )
    return ConfigSecret(
        f"{site.name}-{config.plan.name}-to-{external.plan.name}",
        args,
        pulumi.ResourceOptions(parent=site.parent, depends_on=[*external.cluster.ready, external.namespace]),
    )


def remote_secrets(site: Site, members: Members, edges: Iterable[Edge]) -> None:
    """One Secret per edge, or one per reader, or none, as the document says."""
    if handed_out_elsewhere(site.mesh):
        return
    plain = sorted((edge for edge in edges if not edge.config), key=lambda edge: (edge.reader, edge.source))
    for reader, group in groupby(plain, key=lambda edge: edge.reader):
        sources = [members[edge.source] for edge in group]
        if site.mesh.discovery.secrets == "bundled":
            _bundle(site, members[reader], sources)
        else:
            for source in sources:
                _separate(site, members[reader], source)


def _separate(site: Site, reader: Member, source: Member) -> None:
    known = _source(site, source, reader)
    secret = RemoteSecret(
        f"{site.name}-{source.plan.name}-to-{reader.plan.name}",
        RemoteSecretArgs(
            source_name=source.plan.name,
            source=source.cluster,
            reader=reader.cluster,
            token=known.token,
            user=known.user,
            certificate_authority=known.certificate_authority,
            kubeconfig=known.kubeconfig,
            api_server=known.api_server,
            tls_server_name=known.tls_server_name,
            namespace=site.mesh.istio.namespace,
        ),
        _after(site, reader),
    )
    _known_to(source, reader, secret)


def _bundle(site: Site, reader: Member, sources: list[Member]) -> None:
    args = RemoteSecretBundleArgs(
        reader=reader.cluster,
        sources={source.plan.name: _source(site, source, reader) for source in sources},
        namespace=site.mesh.istio.namespace,
    )
    secret = RemoteSecretBundle(f"{reader.prefix}-sources", args, _after(site, reader))
    for source in sources:
        _known_to(source, reader, secret)


def _source(site: Site, source: Member, reader: Member) -> RemoteSource:
    user, authority = _otherwise(site, source)
    return RemoteSource(
        token=source.token,
        user=user,
        certificate_authority=authority,
        kubeconfig=_ready_made(site, source),
        api_server=api_server(source, reader.plan.name),
        tls_server_name=source.plan.settings.api_server.tls_server_name,
    )


def _otherwise(site: Site, source: Member) -> tuple[pulumi.Input[dict[str, Any]] | None, pulumi.Input[str | None]]:
    """Who istiods are where they do not show a token, and what signs the API server's certificate."""
    for index, place, stated in peers.authentications(site.mesh):
        if site.mesh.clusters[index].name == source.plan.name:
            user = pulumi.Output.secret(peers.user(place, stated, site.args.texts))
            if source.reader is not None:
                user = pulumi.Output.all(user, source.reader.account).apply(lambda known: known[0])
            return user, _authority(source, peers.authority(place, site.args.texts))
    return None, None


def _authority(source: Member, stated: str | None) -> pulumi.Input[str | None]:
    if stated is not None:
        return stated
    if source.cluster.kubeconfig is None:
        why = "it has no kubeconfig that says what signs its API server's certificate"
        raise pulumi.RunError(f"{source.plan.name}: {why}; name it in `peerAuthentication.certificateAuthority`")
    return source.cluster.kubeconfig.apply(authority)


def api_server(source: Member, reader: str) -> pulumi.Input[str]:
    """Where `reader` reaches the API server of `source`."""
    stated = source.plan.settings.api_server
    return stated.address_for.get(reader) or stated.address or source.cluster.api_server_for(reader)


def _ready_made(site: Site, source: Member) -> str | None:
    found = site.args.peer_kubeconfig(source.plan.name)
    return only(found.contents, found.context) if found else None


def _after(site: Site, reader: Member) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=site.parent, depends_on=[*reader.cluster.ready, *reader.ready])


def _known_to(source: Member, reader: Member, secret: pulumi.Resource) -> None:
    if reader.plan.name == source.plan.control_plane:
        source.credentials.append(secret)
