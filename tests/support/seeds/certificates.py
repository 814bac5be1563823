"""Faults of certificates: what lies in `cacerts`, and what workloads are given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support import authorities
from tests.support.faults import SECRETS, Mesh

DAY = timedelta(days=1)


def cacerts(mesh: Mesh, made: authorities.Authority, root: str | None = None, **over: str | None) -> None:
    """Put other certificates into cluster2."""
    texts: dict[str, str | None] = {
        "ca-cert.pem": made.pem,
        "ca-key.pem": made.key,
        "cert-chain.pem": made.chain,
        "root-cert.pem": root or made.root.pem,
    }
    mesh.put("cluster2", "cacerts", {**texts, **{key.replace("_", "-") + ".pem": text for key, text in over.items()}})


def under_the_root(mesh: Mesh, **shape: Any) -> authorities.Authority:
    """A signing certificate that only the mesh's root could have made."""
    now = datetime.now(UTC)
    usual = {"begins": now - DAY, "ends": now + 300 * DAY}
    return authorities.intermediate(mesh.root(), authorities.key(number=8), **{**usual, **shape})


def wrong_root(mesh: Mesh) -> None:
    now = datetime.now(UTC)
    stranger = authorities.root(authorities.key(number=7), begins=now - DAY, ends=now + 900 * DAY)
    cacerts(mesh, authorities.intermediate(stranger, authorities.key(number=8), begins=now - DAY, ends=now + 300 * DAY))


def expired(mesh: Mesh) -> None:
    now = datetime.now(UTC)
    cacerts(mesh, under_the_root(mesh, begins=now - 30 * DAY, ends=now - DAY))


def not_yet_valid(mesh: Mesh) -> None:
    """As from a machine whose clock is a day ahead."""
    now = datetime.now(UTC)
    cacerts(mesh, under_the_root(mesh, begins=now + DAY, ends=now + 300 * DAY))


def no_authority(mesh: Mesh) -> None:
    cacerts(mesh, under_the_root(mesh, ca=False, path_length=None))


def ends_soon(mesh: Mesh) -> None:
    cacerts(mesh, under_the_root(mesh, ends=datetime.now(UTC) + 10 * DAY))


def replaced(mesh: Mesh) -> None:
    cacerts(mesh, under_the_root(mesh))


def wrong_key(mesh: Mesh) -> None:
    mesh.put("cluster2", "cacerts", {"ca-key.pem": authorities.key_pem(authorities.key(number=9))})


def no_way_to_the_root(mesh: Mesh) -> None:
    now = datetime.now(UTC)
    other = authorities.root(authorities.key(number=7), name="Other CA", begins=now - DAY, ends=now + 900 * DAY)
    mesh.put("cluster2", "cacerts", {"root-cert.pem": other.pem})


def incomplete(mesh: Mesh) -> None:
    mesh.put("cluster2", "cacerts", {"cert-chain.pem": None})


def no_cacerts(mesh: Mesh) -> None:
    mesh.delete("cluster2", f"{SECRETS}/cacerts")


def stale_roots(mesh: Mesh) -> Callable[[], object]:
    """What istiod gave a namespace before the root was another one."""
    path = "/api/v1/namespaces/default/configmaps"
    old = authorities.root(authorities.key(number=7)).pem
    mesh.post("cluster2", path, {"metadata": {"name": "istio-ca-root-cert"}, "data": {"root-cert.pem": old}})
    return lambda: mesh.delete("cluster2", f"{path}/istio-ca-root-cert")
