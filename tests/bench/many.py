"""400 objects for two clusters, as files for kubectl and as a program for `mesh up`, the very same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PER_CLUSTER = 200
CLUSTERS = ("cluster1", "cluster2")

PROGRAM = """
import json
from pathlib import Path
import pulumi
from mesh_components import AttachedCluster, AttachedClusterArgs
from mesh_components.kubernetes import KubernetesObject

for name in ("cluster1", "cluster2"):
    kubeconfig = Path(pulumi.Config().require(name)).read_text()
    cluster = AttachedCluster(name, AttachedClusterArgs(kubeconfig=kubeconfig))
    inside = pulumi.ResourceOptions(provider=cluster.provider)
    namespace, *rest = [json.loads(path.read_text()) for path in sorted(Path(name).glob("*.json"))]
    first = KubernetesObject(f"{name}-namespace", namespace, inside)
    after = pulumi.ResourceOptions(provider=cluster.provider, depends_on=[first])
    for number, manifest in enumerate(rest):
        KubernetesObject(f"{name}-{number}", manifest, after)
"""


def manifests(namespace: str) -> list[dict[str, Any]]:
    """Small objects of the kinds that a mesh has most of, the namespace first."""
    made: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    for number in range(PER_CLUSTER - 1):
        metadata = {"name": f"object-{number}", "namespace": namespace, "labels": {"app": f"app-{number}"}}
        kind = number % 4
        if kind == 0:
            made.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": "v" * 200}})
        elif kind == 1:
            made.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        elif kind == 2:
            rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
            role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules}
            made.append(role)
        else:
            server = {"port": {"number": 15443, "name": "tls", "protocol": "TLS"}, "hosts": ["*.local"]}
            spec = {"selector": {"istio": "eastwestgateway"}, "servers": [server]}
            made.append({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec})
    return made


def write(folder: Path, kubeconfigs: dict[str, Path]) -> None:
    """The files, the program and its stack."""
    for name in CLUSTERS:
        (folder / name).mkdir()
        for number, manifest in enumerate(manifests("many-objects")):
            (folder / name / f"{number:03}.json").write_text(json.dumps(manifest))
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "Pulumi.yaml").write_text("name: many\nruntime: python\n")
    config = {f"many:{name}": str(path) for name, path in kubeconfigs.items()}
    (folder / "Pulumi.bench.yaml").write_text(json.dumps({"config": config}))
