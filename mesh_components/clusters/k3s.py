"""A cluster of k3s, attached by the kubeconfig that k3s writes. Owns the provider, and nothing in the cluster.

`/etc/rancher/k3s/k3s.yaml` names `https://127.0.0.1:6443`, which is right on the server alone; here the address of the
server takes its place. k3s has no cloud behind it: its own servicelb publishes the nodes' addresses for Services of
type LoadBalancer, and where that is switched off `gateway.external_ips`, or nodes by their ports, lead to the gateway
(https://docs.k3s.io/networking/networking-services).
"""

from __future__ import annotations

from typing import Any

import pulumi
import yaml
from pydantic import Field

from mesh_components.clusters.attached import checked
from mesh_components.clusters.cluster import Cluster, ClusterArgs
from mesh_components.component import MaybeOutput
from mesh_components.settings.location import Platform


class K3sClusterArgs(ClusterArgs):
    """How to reach the cluster."""

    kubeconfig: MaybeOutput[str] = Field(repr=False)
    """Contents of k3s.yaml; treated as secret."""
    server: MaybeOutput[str]
    """URL of the API server as others than the server itself reach it. Its host is in the certificate where k3s was
    started with `--tls-san`."""
    context: str | None = None
    platform: Platform = "k3s"
    identifier: str | None = None
    """`attached/<name>` when left out: a cluster that was attached by a kubeconfig before is the same cluster."""


class K3sCluster(Cluster):
    """This program and the peers come in by the same address, unless `api_server` says otherwise."""

    def __init__(self, name: str, args: K3sClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cluster_name = args.cluster_name or name
        super().__init__("mesh:index:K3sCluster", name, {"clusterName": cluster_name}, opts)
        self._describe(name, args)
        address = pulumi.Output.from_input(args.server)
        kubeconfig = pulumi.Output.all(pulumi.Output.secret(args.kubeconfig), address).apply(
            lambda known: reachable(checked(known[0], args.context, "K3sCluster"), known[1])
        )
        self._connect(name, args, kubeconfig, args.identifier or f"attached/{cluster_name}", args.context)
        self.api_server = pulumi.Output.from_input(args.api_server) if args.api_server else address
        self.register_outputs({"clusterName": self.cluster_name, "apiServer": self.api_server})


def reachable(contents: str, server: str) -> str:
    """The kubeconfig with the server's address in place of the loopback one; other addresses stay as they are."""
    document: dict[str, Any] = yaml.safe_load(contents)
    for entry in document["clusters"]:
        if "://127.0.0.1" in entry["cluster"]["server"] or "://localhost" in entry["cluster"]["server"]:
            entry["cluster"]["server"] = server
    return yaml.safe_dump(document, sort_keys=False)
