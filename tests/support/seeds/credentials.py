"""Faults of remote secrets, and of the tokens and rights behind them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import yaml

from tests.support import authorities
from tests.support.faults import NAMESPACE, REMOTE, SECRETS, Mesh, encoded

READER = "mesh-reader"


def no_remote_secret(mesh: Mesh) -> None:
    mesh.delete("cluster1", REMOTE)


def no_label(mesh: Mesh) -> None:
    mesh.patch("cluster1", REMOTE, {"metadata": {"labels": {"istio/multiCluster": None}}})


def wrong_name_in_secret(mesh: Mesh) -> None:
    text = mesh.secret("cluster1", "istio-remote-secret-cluster2")["cluster2"]
    mesh.put("cluster1", "istio-remote-secret-cluster2", {"cluster2": None, "cluster-two": text})


def kubeconfig_of_peer(mesh: Mesh, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Change what cluster1 holds about cluster2."""
    name = "istio-remote-secret-cluster2"
    document = yaml.safe_load(mesh.secret("cluster1", name)["cluster2"])
    change(document["clusters"][0]["cluster"], document["users"][0]["user"])
    mesh.put("cluster1", name, {"cluster2": yaml.safe_dump(document)})


def with_program(mesh: Mesh) -> None:
    def change(_: dict[str, Any], user: dict[str, Any]) -> None:
        user.clear()
        user["exec"] = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}

    kubeconfig_of_peer(mesh, change)


def with_token(mesh: Mesh, token: str) -> None:
    kubeconfig_of_peer(mesh, lambda _, user: user.update(token=token))


def ended_token(mesh: Mesh) -> None:
    """Nobody can make the API server give one that has ended, so this one is signed by nobody."""
    said = base64.urlsafe_b64encode(json.dumps({"exp": 1_700_000_000}).encode()).decode().rstrip("=")
    with_token(mesh, f"e30.{said}.c2ln")


def revoked_token(mesh: Mesh) -> None:
    """The server remembers for some seconds that a token was good."""
    mesh.delete("cluster2", f"{SECRETS}/{READER}-istio-remote-secret-token")
    end = time.monotonic() + 60
    while all(pair.credential == "yes" for pair in mesh.look().pairs) and time.monotonic() < end:
        time.sleep(0.5)


def token_of_another(mesh: Mesh) -> None:
    own = mesh.secret("cluster1", f"{READER}-istio-remote-secret-token")["token"]
    with_token(mesh, own)


def kubeconfig_of_another(mesh: Mesh) -> None:
    """The whole kubeconfig about cluster1, under the name of cluster2."""
    text = mesh.secret("cluster2", "istio-remote-secret-cluster1")["cluster1"]
    mesh.put("cluster1", "istio-remote-secret-cluster2", {"cluster2": text})


def token_that_ends_soon(mesh: Mesh) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{READER}/token"
    answer = json.loads(mesh.apis["cluster2"].request("POST", path, {"spec": {"expirationSeconds": 3600}}))
    with_token(mesh, answer["status"]["token"])


def nobody_at_the_address(mesh: Mesh) -> None:
    kubeconfig_of_peer(mesh, lambda cluster, _: cluster.update(server="https://127.0.0.1:1"))


def wrong_authority_for_peers(mesh: Mesh) -> None:
    other = encoded(authorities.root(authorities.key(number=7)).pem)
    kubeconfig_of_peer(mesh, lambda cluster, _: cluster.update({"certificate-authority-data": other}))


def no_reader_role(mesh: Mesh) -> None:
    mesh.delete("cluster2", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{READER}-{NAMESPACE}")


def announced_twice(mesh: Mesh) -> Callable[[], object]:
    text = mesh.secret("cluster1", "istio-remote-secret-cluster2")["cluster2"]
    return _announce(mesh, "cluster2", text)


def stranger(mesh: Mesh) -> Callable[[], object]:
    return _announce(mesh, "cluster9", "{}")


def _announce(mesh: Mesh, key: str, text: str) -> Callable[[], object]:
    metadata = {"name": "by-hand", "labels": {"istio/multiCluster": "true"}}
    mesh.post("cluster1", SECRETS, {"metadata": metadata, "data": {key: encoded(text)}})
    return lambda: mesh.delete("cluster1", f"{SECRETS}/by-hand")
