"""The shape of a recipe at another size: the same document with fewer clusters, or with more of the same."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from itertools import count
from typing import Any

Cluster = dict[str, Any]

_FIRST_ADDRESS = IPv4Address("203.0.113.0")


def grown(document: Mapping[str, Any], size: int) -> dict[str, Any]:
    """The document with `size` clusters: its first ones, then copies of those that repeat.

    Remotes that name no control plane are served by the only istiod there is, so what repeats is the last of them.
    Otherwise all clusters repeat, as they are in the recipe: primaries with networks of their own, or each with its
    remotes. A mesh in a single network stays in it.
    """
    clusters: list[Cluster] = copy.deepcopy(list(document["clusters"]))
    pattern = _pattern(clusters)
    single = len({cluster["network"] for cluster in clusters}) == 1
    numbers = _free_numbers(clusters)
    for block in count(2):
        if len(clusters) >= size:
            break
        copies = {cluster["name"]: next(numbers) for cluster in pattern}
        clusters += [_copy(cluster, copies, "" if single else f"-{block}") for cluster in pattern]
    return {**document, "clusters": clusters[:size]}


def _pattern(clusters: list[Cluster]) -> list[Cluster]:
    served = [cluster for cluster in clusters if cluster.get("role", "primary") != "primary"]
    one_istiod = any("controlPlane" not in cluster for cluster in served)
    return clusters[-1:] if one_istiod else list(clusters)


def _free_numbers(clusters: list[Cluster]) -> Iterator[int]:
    taken = {cluster["name"] for cluster in clusters}
    return (number for number in count(1) if f"cluster{number}" not in taken)


def _copy(cluster: Cluster, numbers: Mapping[str, int], network: str) -> Cluster:
    """The same cluster at another place: what tells clusters apart is its own, all else as it was."""
    number = numbers[cluster["name"]]
    made = copy.deepcopy(cluster)
    made |= {
        "name": f"cluster{number}",
        "network": cluster["network"] + network,
        "kubeconfig": {"secret": f"cluster{number}Kubeconfig"},
        "apiServer": {"address": f"https://{_FIRST_ADDRESS + 10 * number}:6443"},
    }
    if "podRanges" in cluster:
        made["podRanges"] = [f"10.{15 + number}.0.0/16"]
    if "controlPlane" in cluster:
        made["controlPlane"] = f"cluster{numbers[cluster['controlPlane']]}"
    return made
