"""Make a machine outside of Kubernetes a workload of the mesh, in a cluster that runs istiod already."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    MachineNamespace,
    MachineNamespaceArgs,
    VirtualMachine,
    VirtualMachineArgs,
)
from mesh_components.settings.virtual_machines import HttpProbe, MachinePort, ProbeSettings, VirtualMachineSettings

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
opts = pulumi.ResourceOptions(providers=[cluster.provider])

home = MachineNamespace("home", MachineNamespaceArgs(namespace="accounting", accounts=("ledger",)), opts)

ledger = VirtualMachineSettings(
    name="ledger",
    namespace="accounting",
    cluster="east",
    ports=(MachinePort(number=80, name="http", protocol="HTTP", target_port=8080),),
    probe=ProbeSettings(http_get=HttpProbe(port=8080, path="/health"), period_seconds=10),
)
machine = VirtualMachine(
    "ledger",
    VirtualMachineArgs(machine=ledger, network="east-network"),
    pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[home])),
)

pulumi.export("host", machine.host)
