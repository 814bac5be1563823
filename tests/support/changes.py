"""Prepared changes of a document, as people make them: name to what is done to a copy of the base."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.support.recipes import document

Document = dict[str, Any]


def base() -> Document:
    """Two primaries in two networks."""
    return document("multi-primary-multi-network")


def _cluster3(wanted: Document) -> None:
    wanted["clusters"].append(
        {
            "name": "cluster3",
            "network": "network3",
            "kubeconfig": {"secret": "cluster3Kubeconfig"},
            "apiServer": {"address": "https://203.0.113.30:6443"},
        }
    )


def _another_cluster(wanted: Document) -> None:
    _cluster3(wanted)
    wanted["clusters"].pop(0)


def _reordered(wanted: Document) -> None:
    wanted["clusters"].reverse()
    for key in list(wanted):
        wanted[key] = wanted.pop(key)
    wanted["istio"] = dict(reversed(list(wanted["istio"].items())))


def _one_network(wanted: Document) -> None:
    for cluster in wanted["clusters"]:
        cluster["network"] = "network1"


def _remote(wanted: Document) -> None:
    wanted["clusters"][1]["role"] = "remote"


CHANGES: dict[str, Callable[[Document], Any]] = {
    "another-root": lambda wanted: wanted.update(trust={"algorithm": "RSA-4096"}),
    "another-trust-domain": lambda wanted: wanted.update(trustDomain="mesh.example.com"),
    "a-cluster-comes": _cluster3,
    "a-cluster-leaves-and-another-comes": _another_cluster,
    "upgrade-in-place": lambda wanted: wanted["istio"].update(version="1.30.4"),
    "second-revision": lambda wanted: wanted["istio"].update(
        revision="", revisions=[{"name": ""}, {"name": "1-31-0", "version": "1.31.0"}]
    ),
    "larger-gateway": lambda wanted: wanted["clusters"][0]["eastWest"].update(minReplicas=3, maxReplicas=9),
    "one-network": _one_network,
    "primary-becomes-remote": _remote,
    "reordered": _reordered,
}


def changed(name: str) -> Document:
    """The document after one of them."""
    wanted = copy.deepcopy(base())
    CHANGES[name](wanted)
    return wanted
