"""One service in two clusters of a mesh: v1 in one, v2 in the other, and a client in both."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, HelloWorld, HelloWorldArgs

config = pulumi.Config()

east = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("eastKubeconfig")).read_text()))
west = AttachedCluster("west", AttachedClusterArgs(kubeconfig=Path(config.require("westKubeconfig")).read_text()))

in_east = HelloWorld("helloworld-east", HelloWorldArgs(versions=("v1",)), east.inside())
HelloWorld("helloworld-west", HelloWorldArgs(versions=("v2",)), west.inside())

pulumi.export("host", in_east.host)
