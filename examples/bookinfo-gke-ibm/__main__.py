"""Bookinfo over two clouds: the page on GKE, the reviews that it shows on IBM Cloud, and how much each gets."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, Bookinfo, BookinfoArgs
from mesh_components.istio import DestinationRule, IstioResource, VirtualService
from mesh_components.kubernetes import KubernetesObject

config = pulumi.Config()
# Percent of the requests that get v3, with red stars; the others get v2, with black ones.
red = config.get_int("red") or 0

gke = AttachedCluster("gke", AttachedClusterArgs(kubeconfig=Path(config.require("gkeKubeconfig")).read_text()))
ibm = AttachedCluster("ibm", AttachedClusterArgs(kubeconfig=Path(config.require("ibmKubeconfig")).read_text()))

front = Bookinfo("bookinfo-gke", BookinfoArgs(versions=("productpage-v1", "details-v1", "reviews-v1")), gke.inside())
back = Bookinfo("bookinfo-ibm", BookinfoArgs(versions=("reviews-v2", "reviews-v3", "ratings-v1")), ibm.inside())

metadata = {"name": "reviews", "namespace": "bookinfo"}
host = "reviews.bookinfo.svc.cluster.local"
subsets = DestinationRule.parse(
    {
        "metadata": metadata,
        "spec": {"host": host, "subsets": [{"name": name, "labels": {"version": name}} for name in ("v1", "v2", "v3")]},
    }
)
routes = VirtualService.parse(
    {
        "metadata": metadata,
        "spec": {
            "hosts": [host],
            "http": [
                {
                    "name": "tester",
                    "match": [{"headers": {"end-user": {"exact": "jason"}}}],
                    "route": [{"destination": {"host": host, "subset": "v3"}}],
                },
                {
                    "name": "everybody",
                    "route": [
                        {"destination": {"host": host, "subset": "v2"}, "weight": 100 - red},
                        {"destination": {"host": host, "subset": "v3"}, "weight": red},
                    ],
                },
            ],
        },
    }
)

# In both clusters: each istiod reads the configuration of its own, and a gateway that does not know a subset lets no
# request for it through.
resources: dict[str, IstioResource] = {"subsets": subsets, "routes": routes}
for name, cluster, application in (("gke", gke, front), ("ibm", ibm, back)):
    for role, resource in resources.items():
        KubernetesObject(f"reviews-{role}-{name}", resource, cluster.inside(application))

pulumi.export("page", front.page)
pulumi.export("red", red)
