"""Every check with its number and title, in the order in which a person would look. A number is never given twice."""

from __future__ import annotations

from collections.abc import Iterable

SECTIONS = {
    1: "document",
    2: "API servers",
    3: "control planes",
    4: "certificates",
    5: "remote secrets",
    6: "gateways",
    7: "webhooks",
    8: "istiod's view and requests",
    9: "drift",
}
"""By the first figure of a number."""

CATALOGUE = {
    "CHECK101": "The document has errors",
    "CHECK102": "The document has warnings",
    "CHECK103": "A mandatory policy is broken",
    "CHECK104": "An advisory policy is broken",
    "CHECK201": "An API server does not answer",
    "CHECK202": "An API server's certificate is not trusted",
    "CHECK203": "An API server refuses the credentials",
    "CHECK204": "A kubeconfig cannot be used",
    "CHECK205": "A cluster may not be looked into",
    "CHECK206": "An API server is slow",
    "CHECK207": "Nobody answers where peers are sent",
    "CHECK208": "Peers do not trust the API server's certificate",
    "CHECK209": "A cluster's clock is off",
    "CHECK301": "The version of Kubernetes does not fit that of Istio",
    "CHECK302": "istiod has another version than the document",
    "CHECK303": "istiods are more than one minor version apart",
    "CHECK304": "istiod is missing",
    "CHECK305": "istiod is not ready",
    "CHECK306": "The root namespace is missing",
    "CHECK307": "The root namespace's network is not the document's",
    "CHECK308": "istiod's network is not the document's",
    "CHECK309": "istiod's mesh ID is not the document's",
    "CHECK310": "istiod's cluster ID is not the cluster's name",
    "CHECK311": "istiod's trust domain is not the document's",
    "CHECK312": "The cluster does not know Istio's kinds",
    "CHECK313": "A remote does not name its control plane",
    "CHECK401": "The signing certificate is missing",
    "CHECK402": "The signing certificate's Secret is incomplete",
    "CHECK403": "A certificate has expired",
    "CHECK404": "A certificate is not valid yet",
    "CHECK405": "The key is not that of the signing certificate",
    "CHECK406": "The chain does not lead to a trusted root",
    "CHECK407": "Clusters have different roots",
    "CHECK408": "A certificate cannot be used",
    "CHECK409": "A certificate works and has a flaw",
    "CHECK410": "A certificate ends soon",
    "CHECK411": "Workloads have other roots than their istiod",
    "CHECK412": "The signing certificate is not the one that was applied",
    "CHECK501": "A remote secret is missing",
    "CHECK502": "A remote secret lacks its label",
    "CHECK503": "A remote secret's key is no cluster's name",
    "CHECK504": "istiod cannot use a kubeconfig",
    "CHECK505": "A token has ended",
    "CHECK506": "A credential is refused",
    "CHECK507": "A credential is another cluster's",
    "CHECK508": "A credential lacks rights",
    "CHECK509": "A token ends soon",
    "CHECK510": "A cluster is announced twice",
    "CHECK511": "A cluster is announced that is not in the document",
    "CHECK601": "A gateway is missing",
    "CHECK602": "A gateway's Service has another type than the document",
    "CHECK603": "A gateway has no address",
    "CHECK604": "A gateway's port is closed",
    "CHECK605": "A gateway's Service lacks a port",
    "CHECK606": "A gateway's proxies do not run",
    "CHECK607": "A gateway lets nothing through",
    "CHECK608": "A gateway lets other things through than the document says",
    "CHECK609": "A gateway's network is not the document's",
    "CHECK701": "The injector's webhook is missing",
    "CHECK702": "A webhook has no CA bundle",
    "CHECK703": "A webhook trusts another root than istiod's",
    "CHECK704": "A tag points at another revision than the document",
    "CHECK801": "istiod has not synced a cluster",
    "CHECK802": "istiod does not know a cluster",
    "CHECK803": "A cluster's workloads get no answer from another cluster",
    "CHECK901": "An object is missing",
    "CHECK902": "An object was changed",
}

OF_POLICIES = frozenset({"CHECK103", "CHECK104"})
"""Made with `--policies` only: some rules are choices, and a mesh that made them is well."""
OF_REQUESTS = frozenset({"CHECK803"})
"""Made with `--requests` only: it has a pod of each cluster run curl."""


def section(code: str) -> str:
    """What a check is about."""
    return SECTIONS[int(code.removeprefix("CHECK")[0])]


def listed(codes: Iterable[str]) -> str:
    """Their numbers in order; three or more that follow each other in the catalogue as `CHECK501 to CHECK511`."""
    known = list(CATALOGUE)
    runs: list[list[int]] = []
    for place in sorted(known.index(code) for code in codes):
        if not runs or place > runs[-1][-1] + 1:
            runs.append([])
        runs[-1].append(place)
    return ", ".join(
        f"{known[run[0]]} to {known[run[-1]]}" if len(run) > 2 else ", ".join(known[place] for place in run)
        for run in runs
    )
