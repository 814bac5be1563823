"""Bookinfo over two clouds: the page on GKE, the reviews that it shows on IBM Cloud."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, Bookinfo, BookinfoArgs

config = pulumi.Config()

gke = AttachedCluster("gke", AttachedClusterArgs(kubeconfig=Path(config.require("gkeKubeconfig")).read_text()))
ibm = AttachedCluster("ibm", AttachedClusterArgs(kubeconfig=Path(config.require("ibmKubeconfig")).read_text()))

front = Bookinfo("bookinfo-gke", BookinfoArgs(versions=("productpage-v1", "details-v1", "reviews-v1")), gke.inside())
Bookinfo("bookinfo-ibm", BookinfoArgs(versions=("reviews-v2", "reviews-v3", "ratings-v1")), ibm.inside())

pulumi.export("page", front.page)
