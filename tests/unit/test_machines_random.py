"""Virtual machines in any mesh: what is not refused is served by one istiod, and finds it."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from mesh_components.settings import Severity, parse
from mesh_components.topology import virtual_machines as machines
from mesh_components.topology.findings import findings
from mesh_components.topology.machine_bundle import Access, bundle
from mesh_components.topology.meshes import holds_config
from mesh_components.topology.plan import plan
from tests.unit.test_topology_random import NAMES, documents

ports = st.lists(
    st.sampled_from(
        [{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 8080}, {"number": 1, "name": "a"}]
    ),
    unique_by=lambda port: port["name"],
)


@st.composite
def meshes(draw: st.DrawFn) -> dict[str, Any]:
    """With one to three machines."""
    document = draw(documents())
    count = draw(st.integers(1, 3))
    found = [
        {
            "name": f"vm{number}",
            "namespace": draw(st.sampled_from(["a", "b"])),
            "cluster": draw(st.sampled_from([*(cluster["name"] for cluster in document["clusters"]), NAMES[-1]])),
            "ports": draw(ports),
            **draw(st.sampled_from([{}, {}, {"network": "n1"}, {"network": "machine-room"}])),
            **draw(st.sampled_from([{}, {}, {"account": "default"}, {"account": "shared"}])),
            **draw(st.sampled_from([{}, {}, {"istiodAddress": "192.0.2.1"}, {"revision": "a"}])),
            **draw(st.sampled_from([{}, {"autoRegistration": False, "addresses": ["192.0.2.7"]}])),
        }
        for number in range(count)
    ]
    return {**document, "virtualMachines": found}


@given(meshes())
def test_what_is_not_refused_is_served_by_one_istiod(document: dict[str, Any]) -> None:
    mesh = parse(document)
    assume(not [finding for finding in findings(mesh) if finding.severity is Severity.ERROR])
    topology = plan(mesh)
    parts = {c.name: machines.machine_parts(mesh, c) for c in mesh.clusters}
    homes = {c.name: {home.name: home for home in machines.namespace_parts(mesh, c)} for c in mesh.clusters}
    for machine in mesh.virtual_machines:
        server = machines.server_of(mesh, machine)
        assert server is not None
        groups = [name for name, found in parts.items() if any(p.group and p.machine == machine for p in found)]
        assert groups == [server.name], "an istiod that is no external one reads its own cluster"
        serving = topology.cluster(server.name)
        assert machine.istiod_address or (serving.east_west and serving.exposes_istiod)
        assert machines.revision(mesh, machine) in [revision.name for revision in serving.revisions]
        services = {name for name, found in parts.items() if any(p.service and p.machine == machine for p in found)}
        wanted = {c.name for c in mesh.clusters if holds_config(c)} if machine.ports else set()
        assert services == wanted
        account = machines.account(machine)
        assert (account in homes[machine.cluster][machine.namespace].accounts) == (account != "default")
    for cluster, found in parts.items():
        assert {part.machine.namespace for part in found} <= homes[cluster].keys()


@given(meshes())
def test_a_bundle_names_the_cluster_and_the_istiod(document: dict[str, Any]) -> None:
    mesh = parse(document)
    assume(not [finding for finding in findings(mesh) if finding.severity is Severity.ERROR])
    for machine in mesh.virtual_machines:
        files = bundle(mesh, machine, Access("198.51.100.7", "root", "token"))
        host = files["hosts"].split()[1]
        assert f"discoveryAddress: {host}:15012\n" in files["mesh.yaml"]
        assert f"ISTIO_META_CLUSTER_ID='{machine.cluster}'\n" in files["cluster.env"]
        assert ("CA_ADDR" in files["cluster.env"]) == (host != "istiod.istio-system.svc")
        assert "token" not in "".join(text for name, text in files.items() if name != "istio-token")
