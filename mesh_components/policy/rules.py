"""The rules. Each takes all resources of a program and yields what breaks it; `RULES` has them with their level."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mesh_components.policy.resource import Resource, Violation, items, mapping, texts
from mesh_components.topology import names, versions
from mesh_components.topology.load_balancers import is_internal

Level = Literal["mandatory", "advisory"]
Found = Iterator[tuple[Resource, str, str]]
"""Resource, reason, fix."""

_SECRETS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|eyJhbGciOi[\w-]+\.[\w-]+\.[\w-]+")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_RBAC_NAME = re.compile(r"[^/%]+")
_READS = frozenset({"get", "list", "watch"})
_ASKED: Mapping[str, frozenset[str]] = {
    # What istiod asks of a reader beside reading; the role of Istio's chart grants it.
    "tokenreviews": frozenset({"create"}),
    "subjectaccessreviews": frozenset({"create"}),
    "serviceexports": frozenset({"create", "delete"}),
}
_READER = re.compile(rf"{names.OWN_READER}|istio-reader")
_GATEWAY_LABELS = ("eastwestgateway", "crossmeshgateway")
_HAS_SECRETS: Mapping[str, frozenset[str]] = {
    "Secret": frozenset({"data", "stringData"}),
    "tls": frozenset({"privateKeyPem", "caPrivateKeyPem"}),
    "pulumi:providers": frozenset({"kubeconfig"}),
}


@dataclass(frozen=True)
class Rule:
    """One rule."""

    name: str
    title: str
    level: Level
    """`mandatory` stops; `advisory` is said. A policy pack may be told otherwise."""
    look: Callable[[Sequence[Resource]], Found]

    def violations(self, resources: Sequence[Resource]) -> Iterator[Violation]:
        """What breaks it."""
        for resource, reason, fix in self.look(resources):
            yield Violation(self.name, resource.urn, resource.name, reason, fix)


def violations(resources: Iterable[Resource], allowed: Iterable[str] = ()) -> list[Violation]:
    """What breaks any rule but those that are allowed to be broken."""
    found, left_out = list(resources), frozenset(allowed)
    return [item for rule in RULES if rule.name not in left_out for item in rule.violations(found)]


def _no_secret_in_clear(resources: Sequence[Resource]) -> Found:
    for item in resources:
        may = _may_hold(item)
        for key, value in item.inputs.items():
            if item.secret is not None and key in item.secret:
                continue
            if item.secret is not None and key in may and item.kind == "Secret" and value:
                fix = "make it of an output that is secret, or wrap it in pulumi.Output.secret"
                yield item, f"{key} is not marked secret, so the state and previews show it", fix
                continue
            if item.secret is None and key in may:
                continue
            for path, text in texts(value, key):
                if _SECRETS.search(text) or _SECRETS.search(_decoded(text)):
                    fix = "take it out, replace it, for it is known now, and hand it over in a Secret"
                    yield item, f"{path} holds a private key or a token in clear", fix


def _may_hold(item: Resource) -> frozenset[str]:
    for what, keys in _HAS_SECRETS.items():
        if item.kind == what or item.type.startswith(f"{what}:"):
            return keys
    return frozenset()


def _decoded(text: str) -> str:
    """What base64 hides; empty where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _reader_only_reads(resources: Sequence[Resource]) -> Found:
    for item in resources:
        if item.kind not in ("Role", "ClusterRole") or not _READER.match(str(item.metadata.get("name", ""))):
            continue
        for rule in map(mapping, items(item.inputs.get("rules"))):
            wanted, verbs = set(map(str, items(rule.get("resources")))), set(map(str, items(rule.get("verbs"))))
            if "*" in wanted and set(items(rule.get("apiGroups"))) & {"*", ""}:
                yield item, "the reader of a cluster may read every kind, Secrets of all namespaces among them", _RIGHTS
            elif extra := sorted(verbs - _READS - _asked(wanted)):
                yield item, f"the reader of a cluster may {', '.join(extra)} {', '.join(sorted(wanted))}", _RIGHTS


def _asked(wanted: set[str]) -> frozenset[str]:
    """Verbs beside reading that istiod needs for all these resources."""
    return frozenset.intersection(*(_ASKED.get(one, frozenset()) for one in wanted)) if wanted else frozenset()


_RIGHTS = "grant get, list and watch of what istiod reads; `discovery.account: own` does (docs/security.md)"


def _tokens_end(resources: Sequence[Resource]) -> Found:
    for item in resources:
        if item.kind == "Secret" and item.inputs.get("type") == "kubernetes.io/service-account-token":
            fix = "set `discovery.tokens.kind: requested`, or allow this rule"
            yield item, "the token in this Secret never ends; who has copied it reads the cluster until it goes", fix


def _mtls_is_strict(resources: Sequence[Resource]) -> Found:
    for item in resources:
        if item.kind != "PeerAuthentication":
            continue
        modes = [("mtls", item.spec.get("mtls"))]
        modes += [(f"portLevelMtls.{port}", one) for port, one in mapping(item.spec.get("portLevelMtls")).items()]
        for where, one in modes:
            mode = mapping(one).get("mode", "UNSET")
            if mode in ("PERMISSIVE", "DISABLE"):
                yield item, f"spec.{where}.mode is {mode}: requests in clear are taken", "set it to STRICT"


def _gateways_are_not_public(resources: Sequence[Resource]) -> Found:
    for item in resources:
        if item.kind != "Service" or item.labels.get("istio") not in _GATEWAY_LABELS:
            continue
        public = item.spec.get("type") == "LoadBalancer" and not is_internal(item.annotations)
        if public and not item.spec.get("loadBalancerSourceRanges"):
            yield item, "the load balancer between networks is open to everyone", _ALLOW_LIST


_ALLOW_LIST = "list where the other clusters come from in `eastWest.loadBalancerSourceRanges`, or ask for `internal`"


def _one_root(resources: Sequence[Resource]) -> Found:
    roots = [item for item in resources if item.type == "mesh:index:RootCA"]
    for item in roots[1:]:
        fix = "hand the first root to all clusters; another mesh is another stack"
        yield item, f"there is a root already, {roots[0].name}; clusters of two roots do not trust each other", fix


def _names_are_valid(resources: Sequence[Resource]) -> Found:
    for item in resources:
        name = item.metadata.get("name")
        rbac = ".rbac." in item.type
        if item.kind and isinstance(name, str) and not (_RBAC_NAME if rbac else _SUBDOMAIN).fullmatch(name):
            yield item, f"{name[:80]!r} is no name of a {item.kind}", "use lower case letters, digits and dashes"
        identifier = item.inputs.get("clusterIdentifier")
        cluster = identifier.rpartition("/")[2] if isinstance(identifier, str) else ""
        if cluster and not _LABEL.fullmatch(cluster):
            yield item, f"{cluster[:80]!r} is no name of a cluster", "use a DNS-1123 label of at most 63 characters"


def _labels_are_there(resources: Sequence[Resource]) -> Found:
    for item in resources:
        name = str(item.metadata.get("name", ""))
        ours = item.kind == "Service" and item.labels.get("istio") == "eastwestgateway"
        remote = item.kind == "Secret" and name.startswith("istio-remote-secret")
        if ours and not item.labels.get(names.NETWORK_LABEL):
            yield item, f"the east-west gateway has no label {names.NETWORK_LABEL}, so nobody finds it", _NETWORK
        if remote and item.labels.get(names.MULTI_CLUSTER_LABEL) != "true":
            fix = f'set the label {names.MULTI_CLUSTER_LABEL}: "true"'
            yield item, "istiod reads remote secrets by a label, which this one has not", fix


_NETWORK = "label it with the network of its cluster, as EastWestGateway does"


def _versions_are_supported(resources: Sequence[Resource]) -> Found:
    for item in resources:
        stated = item.inputs.get("version")
        if not item.type.startswith("mesh:index:") or not isinstance(stated, str):
            continue
        parsed = versions.parse(stated)
        found = versions.release(parsed) if parsed else None
        if found is None or not found.supported:
            known = ", ".join(one.name for one in versions.RELEASES if one.supported)
            yield item, f"Istio {stated[:40]} is not supported", f"use one of {known} (docs/versions.md)"


def _root_is_protected(resources: Sequence[Resource]) -> Found:
    for item in resources:
        key = item.type == "tls:index/selfSignedCert:SelfSignedCert" and item.inputs.get("isCaCertificate") is True
        if key and not item.protect:
            fix = "leave `trust.protectRoot` on, or pass protect=True"
            yield item, "the root can be replaced or deleted by an update, and every workload's trust with it", fix


def _crds_are_kept(resources: Sequence[Resource]) -> Found:
    for item in resources:
        name = str(item.metadata.get("name", ""))
        ours = name.endswith((".istio.io", ".gateway.networking.k8s.io"))
        if item.kind == "CustomResourceDefinition" and ours and item.retain is False:
            yield item, "with this CRD, all objects of its kind are deleted", "leave `istio.keepCrds` on"


RULES: tuple[Rule, ...] = (
    Rule("no-secret-in-clear", "No key and no token stands in clear", "mandatory", _no_secret_in_clear),
    Rule("reader-only-reads", "Who reads a cluster has no other rights", "mandatory", _reader_only_reads),
    Rule("tokens-end", "Tokens have an end", "advisory", _tokens_end),
    Rule("mtls-is-strict", "Requests are taken by mutual TLS alone", "mandatory", _mtls_is_strict),
    Rule(
        "gateways-are-not-public", "Gateways between networks know their callers", "advisory", _gateways_are_not_public
    ),
    Rule("one-root", "A mesh has one root", "mandatory", _one_root),
    Rule("names-are-valid", "Names are such as Kubernetes and istiod take", "mandatory", _names_are_valid),
    Rule("labels-are-there", "What istiod finds by a label has it", "mandatory", _labels_are_there),
    Rule("versions-are-supported", "Versions of Istio are supported", "advisory", _versions_are_supported),
    Rule("root-is-protected", "The root is not lost by mistake", "mandatory", _root_is_protected),
    Rule("crds-are-kept", "CRDs outlive the mesh", "mandatory", _crds_are_kept),
)
