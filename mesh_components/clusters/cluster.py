"""What the mesh needs to know of a cluster, whoever made it."""

from __future__ import annotations

import pulumi


class Cluster(pulumi.ComponentResource):
    """A cluster of the mesh: a name, a provider of its own, and the way in for its peers."""

    cluster_name: pulumi.Output[str]
    """The cluster's name in the mesh: istiod's cluster ID and the key in remote secrets."""
    api_server: pulumi.Output[str]
    """URL of the API server as the peers reach it."""
    kubeconfig: pulumi.Output[str] | None = None
    """Contents of a kubeconfig with the one context of this cluster; secret. With it works what no provider of Pulumi
    offers; None where the cluster's maker has none to give."""
    provider: pulumi.ProviderResource
    """Everything in this cluster goes through this provider and no other."""
    adopting: pulumi.ProviderResource | None = None
    """But for CRDs that are kept when the mesh goes: this one, where there is one, takes over what it finds."""
