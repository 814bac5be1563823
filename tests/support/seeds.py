"""The faults that `mesh check` has to name, one function each."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from meshctl.lab.api import ApiError
from tests.support import authorities
from tests.support.faults import EDGE, NAMESPACE, REMOTE, SECRETS, SERVICE, Fault, Mesh, encoded

DAY = timedelta(days=1)
READER = "mesh-reader"
_HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
_AUTOSCALER = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/istio-eastwestgateway"
_GATEWAYS = f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/gateways"


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


def no_gateway(mesh: Mesh) -> None:
    mesh.delete("cluster2", SERVICE)


def wrong_type(mesh: Mesh) -> None:
    mesh.patch("cluster2", SERVICE, {"spec": {"type": "ClusterIP"}})


def no_address(mesh: Mesh) -> Callable[[], object]:
    """While the lab's cloud does nothing, a load balancer has no address."""
    (pid,) = (row.pid for row in mesh.lab.status() if row.program == "stand-in" and row.pid)
    os.kill(pid, signal.SIGSTOP)
    mesh.patch("cluster2", f"{SERVICE}/status", {"status": {"loadBalancer": {"ingress": None}}})
    return lambda: os.kill(pid, signal.SIGCONT)


def closed_port(mesh: Mesh) -> Callable[[], object]:
    mesh.shut(2, 15443)
    return mesh.listen


def lacking_port(mesh: Mesh) -> None:
    mesh.patch("cluster2", SERVICE, {"spec": {"ports": [{"name": "status-port", "port": 15021}]}})


def no_proxies(mesh: Mesh) -> Callable[[], object]:
    _scale(mesh, 0)
    return lambda: _scale(mesh, 1)


def _scale(mesh: Mesh, replicas: int) -> None:
    mesh.patch("cluster2", f"{_DEPLOYMENTS}/istio-eastwestgateway", {"spec": {"replicas": replicas}})
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=istio%3Deastwestgateway"
    end = time.monotonic() + 30
    while len(mesh.apis["cluster2"].get(path)["items"]) != replicas and time.monotonic() < end:
        time.sleep(0.1)


def no_opening(mesh: Mesh) -> None:
    mesh.delete("cluster2", f"{_GATEWAYS}/cross-network-gateway")


def other_hosts(mesh: Mesh) -> None:
    server = {
        "port": {"number": 15443, "name": "tls", "protocol": "TLS"},
        "tls": {"mode": "AUTO_PASSTHROUGH"},
        "hosts": ["*.test.svc.cluster.local"],
    }
    mesh.patch("cluster2", f"{_GATEWAYS}/cross-network-gateway", {"spec": {"servers": [server]}})


def gateway_of_another_network(mesh: Mesh) -> None:
    mesh.patch("cluster2", SERVICE, {"metadata": {"labels": {"topology.istio.io/network": "network9"}}})


def other_network(mesh: Mesh) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}"
    mesh.patch("cluster2", path, {"metadata": {"labels": {"topology.istio.io/network": "network9"}}})


def no_namespace(mesh: Mesh) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}"
    mesh.delete("cluster2", path)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            mesh.apis["cluster2"].get(path)
        except ApiError:
            return
        time.sleep(0.2)


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


def istiod(mesh: Mesh, version: str, cluster_id: str = "cluster2") -> Callable[[], object]:
    """Something else has installed an istiod."""
    labels = {"app": "istiod"}
    container = {
        "name": "discovery",
        "image": f"registry.istio.io/release/pilot:{version}",
        "env": [{"name": "CLUSTER_ID", "value": cluster_id}],
    }
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    mesh.post("cluster2", _DEPLOYMENTS, {"metadata": {"name": "istiod"}, "spec": spec})
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if mesh.apis["cluster2"].get(f"{_DEPLOYMENTS}/istiod").get("status", {}).get("availableReplicas"):
            break
        time.sleep(0.1)
    return lambda: mesh.delete("cluster2", f"{_DEPLOYMENTS}/istiod")


def another_version(mesh: Mesh) -> Callable[[], object]:
    return istiod(mesh, "1.30.0")


def skewed(mesh: Mesh) -> Callable[[], object]:
    return istiod(mesh, "1.28.4-distroless")


def another_cluster_id(mesh: Mesh) -> Callable[[], object]:
    return istiod(mesh, _version(mesh), "Kubernetes")


def waiting_istiod(mesh: Mesh) -> Callable[[], object]:
    """Its pods are held back, so none becomes available."""
    heal = istiod(mesh, _version(mesh))
    gates = {"spec": {"replicas": 0}}
    mesh.patch("cluster2", f"{_DEPLOYMENTS}/istiod", gates)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not mesh.apis["cluster2"].get(f"{_DEPLOYMENTS}/istiod").get("status", {}).get("availableReplicas"):
            break
        time.sleep(0.1)
    return heal


def _version(mesh: Mesh) -> str:
    from mesh_components.settings import parse

    return parse(mesh.project.document).istio.version


def _config_map(mesh: Mesh, name: str, data: dict[str, str]) -> Callable[[], object]:
    mesh.post("cluster2", _CONFIG_MAPS, {"metadata": {"name": name}, "data": data})
    return lambda: mesh.delete("cluster2", f"{_CONFIG_MAPS}/{name}")


def another_mesh_id(mesh: Mesh) -> Callable[[], object]:
    return _config_map(mesh, "istio", {"mesh": "defaultConfig: {meshId: mesh9}"})


def another_trust_domain(mesh: Mesh) -> Callable[[], object]:
    return _config_map(mesh, "istio", {"mesh": "{trustDomain: other.example, defaultConfig: {meshId: mesh1}}"})


def another_network_of_istiod(mesh: Mesh) -> Callable[[], object]:
    return _config_map(mesh, "istio-sidecar-injector", {"values": json.dumps({"global": {"network": "network9"}})})


def _webhook(mesh: Mesh, bundle: dict[str, str]) -> Callable[[], object]:
    name = "istio-sidecar-injector-check"
    hook = {
        "name": "rev.namespace.sidecar-injector.istio.io",
        "clientConfig": {"service": {"name": "istiod", "namespace": NAMESPACE, "path": "/inject"}, **bundle},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "objectSelector": {"matchLabels": {"nobody": "has-this"}},
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
    }
    metadata = {"name": name, "labels": {"istio.io/rev": "default"}}
    mesh.post("cluster2", _HOOKS, {"metadata": metadata, "webhooks": [hook]})
    return lambda: mesh.delete("cluster2", f"{_HOOKS}/{name}")


def no_bundle(mesh: Mesh) -> Callable[[], object]:
    return _webhook(mesh, {})


def another_bundle(mesh: Mesh) -> Callable[[], object]:
    return _webhook(mesh, {"caBundle": encoded(authorities.root(authorities.key(number=7)).pem)})


def no_autoscaler(mesh: Mesh) -> None:
    mesh.delete("cluster2", _AUTOSCALER)


def scaled_by_hand(mesh: Mesh) -> None:
    mesh.patch("cluster2", _AUTOSCALER, {"spec": {"maxReplicas": 9}})


FAULTS = (
    Fault("no kubeconfig", "CHECK101", no_kubeconfig, ("clusters[1].kubeconfig",), fix="make the kubeconfig"),
    Fault("a stopped API server", "CHECK201", stopped_server, fix="see that it runs"),
    Fault("the wrong CA in our kubeconfig", "CHECK202", wrong_authority, fix="fetch the cluster's kubeconfig again"),
    Fault("our credentials are refused", "CHECK203", refused, fix="fetch the cluster's kubeconfig again"),
    Fault("a user without rights", "CHECK205", no_rights, severity="warning", fix="a kubeconfig that may read"),
    Fault("nobody at the peers' address", "CHECK207", nobody_at_the_address, (EDGE,)),
    Fault("the wrong CA for peers", "CHECK208", wrong_authority_for_peers, (EDGE,)),
    Fault("another version", "CHECK302", another_version, severity="warning", fix="install istiod"),
    Fault("version skew", "CHECK303", skewed, fix="one minor at a time"),
    Fault("istiod is not ready", "CHECK305", waiting_istiod, fix="describe pods"),
    Fault("a deleted namespace", "CHECK306", no_namespace),
    Fault("another network on the namespace", "CHECK307", other_network),
    Fault("another network of istiod", "CHECK308", another_network_of_istiod, fix="install istiod there"),
    Fault("another mesh ID", "CHECK309", another_mesh_id, fix="install istiod there"),
    Fault("another cluster ID", "CHECK310", another_cluster_id, fix="install istiod there"),
    Fault("another trust domain", "CHECK311", another_trust_domain, fix="install istiod there"),
    Fault("no cacerts", "CHECK401", no_cacerts),
    Fault("a part of cacerts", "CHECK402", incomplete),
    Fault("an expired intermediate", "CHECK403", expired),
    Fault("a certificate of tomorrow", "CHECK404", not_yet_valid),
    Fault("a key that does not match", "CHECK405", wrong_key),
    Fault("a chain that ends elsewhere", "CHECK406", no_way_to_the_root),
    Fault("the wrong root in one cluster", "CHECK407", wrong_root),
    Fault("a certificate that is no CA", "CHECK408", no_authority),
    Fault("an intermediate that ends soon", "CHECK410", ends_soon, severity="warning", fix="mesh rotate"),
    Fault("stale roots of workloads", "CHECK411", stale_roots, fix="delete the ConfigMap"),
    Fault("another intermediate", "CHECK412", replaced),
    Fault("no remote secret", "CHECK501", no_remote_secret, (EDGE,)),
    Fault("no label", "CHECK502", no_label, (EDGE,)),
    Fault("the wrong key in a secret", "CHECK503", wrong_name_in_secret, (EDGE,)),
    Fault("a program in a kubeconfig", "CHECK504", with_program, (EDGE,)),
    Fault("a token that has ended", "CHECK505", ended_token, (EDGE,)),
    Fault("a revoked token", "CHECK506", revoked_token, (EDGE,)),
    Fault("a token of the wrong cluster", "CHECK507", token_of_another, (EDGE,)),
    Fault("a kubeconfig of the wrong cluster", "CHECK507", kubeconfig_of_another, (EDGE,)),
    Fault("a deleted reader role", "CHECK508", no_reader_role),
    Fault("a token that ends soon", "CHECK509", token_that_ends_soon, (EDGE,), "warning"),
    Fault("announced twice", "CHECK510", announced_twice, ("cluster1",), "warning", "delete the one"),
    Fault("a stranger", "CHECK511", stranger, ("cluster1",), "warning", "delete the Secret"),
    Fault("no gateway", "CHECK601", no_gateway),
    Fault("the wrong type of Service", "CHECK602", wrong_type),
    Fault("a gateway without address", "CHECK603", no_address, fix="keeps the load balancer"),
    Fault("a closed port", "CHECK604", closed_port, fix="open the port"),
    Fault("a port too few", "CHECK605", lacking_port),
    Fault("no proxies", "CHECK606", no_proxies, fix="scale deployment"),
    Fault("no Gateway resource", "CHECK607", no_opening),
    Fault("other hosts", "CHECK608", other_hosts),
    Fault("a gateway of another network", "CHECK609", gateway_of_another_network),
    Fault("a webhook without CA bundle", "CHECK702", no_bundle, fix="restart istiod"),
    Fault("a webhook with another root", "CHECK703", another_bundle, fix="restart istiod"),
    Fault("a deleted autoscaler", "CHECK901", no_autoscaler),
    Fault("a changed autoscaler", "CHECK902", scaled_by_hand, severity="warning"),
)
"""In the order of the catalogue."""
