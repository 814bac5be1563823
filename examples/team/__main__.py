"""A team with a namespace that nobody else calls, in a mesh that refuses plaintext."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, MeshPolicies, MeshPoliciesArgs, Team, TeamArgs
from mesh_components.settings.tenancy import PolicySettings

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
inside = pulumi.ResourceOptions(providers=[cluster.provider])

MeshPolicies("policies", MeshPoliciesArgs(policies=PolicySettings(mtls="STRICT")), inside)
payments = Team(
    "payments",
    TeamArgs(
        namespaces=("team-payments",),
        labels={"istio-injection": "enabled"},
        allowed={
            "team-payments": [
                {
                    "from": [
                        {
                            "source": {
                                "principals": ["cluster.local/ns/team-payments/sa/*", "cluster.local/ns/shop/sa/*"]
                            }
                        }
                    ]
                }
            ]
        },
    ),
    inside,
)

pulumi.export("namespaces", payments.namespaces)
