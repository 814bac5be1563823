"""The bundle of a virtual machine, byte for byte.

The golden files are what the generator of `istioctl x workload entry configure` of Istio 1.30.3 writes
(istioctl/pkg/workload/workload.go) from the WorkloadGroup beside them, with the mesh config that Istio's chart renders
for the same document, `--autoregister` and `--ingressIP`. The token is none, and the root is the word `root`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_components.services import machine_objects
from mesh_components.settings import MeshSettings, parse
from mesh_components.topology import machine_bundle as bundles
from mesh_components.topology import virtual_machines as machines
from mesh_components.topology.machine_bundle import Access, bundle

GOLDEN = Path(__file__).parent / "machine_bundles"
ADDRESS = "198.51.100.7"


def mesh(*clusters: dict[str, Any], machine: dict[str, Any] | None = None, **top: Any) -> MeshSettings:
    members = [
        {"name": f"cluster{n}", "network": f"network{n}", "kubeconfig": {"file": "-"}, **cluster}
        for n, cluster in enumerate(clusters, 1)
    ]
    wanted = {"name": "ledger", "namespace": "accounting", "cluster": "cluster1", **(machine or {})}
    return parse({"id": "mesh1", "clusters": members, "virtualMachines": [wanted], **top})


HTTP = {"number": 8080, "name": "http", "protocol": "HTTP"}
CASES = {
    "same-network": mesh({}, {"network": "network1"}),
    "several-networks": mesh(
        {},
        {},
        machine={
            "network": "machine-room",
            "account": "books",
            "labels": {"version": "v1", "app": "book-keeping"},
            "ports": [HTTP, {"number": 90, "name": "grpc", "protocol": "GRPC", "targetPort": 9090}],
            "probe": {"httpGet": {"port": 8080, "path": "/health", "scheme": "HTTP"}, "periodSeconds": 5},
        },
        trust={"multiRoot": True},
        trustDomain="mesh1.example",
    ),
    "primary-remote": mesh({}, {"role": "remote"}, machine={"cluster": "cluster2", "ports": [HTTP]}),
    "revision": mesh(
        {},
        machine={"probe": {"exec": {"command": ["true", "--x=a b"]}, "failureThreshold": 2}},
        istio={"revision": "1-30-3", "revisions": [{"name": "1-30-3"}]},
    ),
}


def files(case: str) -> dict[str, str]:
    wanted = CASES[case]
    return bundle(wanted, wanted.virtual_machines[0], Access(ADDRESS, "root", ""))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", bundles.FILES)
def test_a_file_is_the_generator_s(case: str, name: str) -> None:
    assert files(case)[name] == (GOLDEN / case / name).read_text()


@pytest.mark.parametrize("case", CASES)
def test_the_group_is_the_one_that_the_generator_read(case: str) -> None:
    wanted = CASES[case]
    machine = wanted.virtual_machines[0]
    made = machine_objects.group(machine, machines.network(wanted, machine)).manifest()
    written = yaml.safe_load((GOLDEN / case / "workloadgroup.yaml").read_text())
    assert written["metadata"].items() <= made["metadata"].items()
    assert written["spec"] == made["spec"]
