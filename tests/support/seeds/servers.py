"""Faults of API servers, and of what this machine reaches them with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from tests.support import authorities
from tests.support.faults import Mesh, encoded


def stopped_server(mesh: Mesh) -> Callable[[], object]:
    mesh.lab.stop_apiserver("cluster2")
    return lambda: mesh.lab.start_apiserver("cluster2")


def _kubeconfig(mesh: Mesh, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Callable[[], object]:
    """Change what this machine reaches cluster2 with; the fix is to fetch it again."""
    file = mesh.project.folder / "cluster2.kubeconfig"
    before = file.read_text()
    document = yaml.safe_load(before)
    change(document["clusters"][0]["cluster"], document["users"][0]["user"])
    file.write_text(yaml.safe_dump(document))
    return lambda: file.write_text(before)


def wrong_authority(mesh: Mesh) -> Callable[[], object]:
    other = encoded(authorities.root(authorities.key(number=7)).pem)
    return _kubeconfig(mesh, lambda cluster, _: cluster.update({"certificate-authority-data": other}))


def refused(mesh: Mesh) -> Callable[[], object]:
    return _kubeconfig(mesh, lambda _, user: user.update(token="nobody's"))


def no_rights(mesh: Mesh) -> Callable[[], object]:
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    answer = json.loads(mesh.apis["cluster2"].request("POST", path, {"spec": {"expirationSeconds": 3600}}))
    return _kubeconfig(mesh, lambda _, user: user.update(token=answer["status"]["token"]))


def no_kubeconfig(mesh: Mesh) -> Callable[[], object]:
    file = mesh.project.folder / "cluster2.kubeconfig"
    before = file.read_text()
    file.unlink()
    return lambda: file.write_text(before)
