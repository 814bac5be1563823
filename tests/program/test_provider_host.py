"""Programs in other languages: the host process, spoken to as Pulumi's engine does, makes what a program in Python
makes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pulumi
import pytest

from mesh_components import MeshFederation, MeshFederationArgs
from mesh_components.settings import parse
from mesh_components.stack import from_stack
from tests.support.graph import ROOT, Graph, run
from tests.support.meshes import document, kubeconfig
from tests.support.provider_host import (
    UNKNOWN,
    Host,
    Program,
    RefusedError,
    hosting,
    is_secret,
    output,
    plain,
    reference,
    secret,
)
from tests.support.rendered import rendered

CHARTS: dict[str, Any] = {"istio": {}}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosting() as found:
        yield found


@pytest.fixture
def program(host: Host) -> Iterator[Program]:
    with host.program(Graph(rendered)) as found:
        yield found


@pytest.fixture
def preview(host: Host) -> Iterator[Program]:
    with host.program(Graph(rendered, preview=True)) as found:
        yield found


def registered(graph: Graph) -> dict[str, Any]:
    """All that a graph has but the order, and what is said once a component is made."""
    apart = {"urn", "order", "outputs"}
    return {
        name: {key: _comparable(value) for key, value in asdict(item).items() if key not in apart}
        for name, item in graph.resources_by_name.items()
    }


def _comparable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return "unknown" if not isinstance(value, str) and pulumi.contains_unknowns(value) else value


def without_kubeconfigs(wanted: Mapping[str, Any]) -> dict[str, Any]:
    clusters = [{key: value for key, value in item.items() if key != "kubeconfig"} for item in wanted["clusters"]]
    return {**wanted, "clusters": clusters}


def inputs(wanted: Mapping[str, Any], **contents: Any) -> dict[str, Any]:
    """A document without kubeconfigs, and these beside it."""
    names = [item["name"] for item in wanted["clusters"]]
    given = {name: output(kubeconfig(name), secret=True) for name in names}
    return {"mesh": without_kubeconfigs(wanted), "kubeconfigs": {**given, **contents}}


def in_python(wanted: Mapping[str, Any], *, preview: bool = False) -> Graph:
    """The same in a program in Python, which has the kubeconfigs as outputs too."""

    def program() -> None:
        given = {item["name"]: pulumi.Output.secret(kubeconfig(item["name"])) for item in wanted["clusters"]}
        mesh = parse(without_kubeconfigs(wanted))
        MeshFederation("mesh", MeshFederationArgs(mesh=mesh, kubeconfig_outputs=given))

    return run(program, charts=rendered, preview=preview)


class TestFederation:
    """A whole mesh is the same, whoever asks for it."""

    @pytest.mark.parametrize("mesh", [{}, CHARTS], ids=["own-istio", "charts"])
    def test_it_is_that_of_a_program_in_python(self, program: Program, mesh: Mapping[str, Any]) -> None:
        wanted = document("east", "west", **mesh)
        program.construct("MeshFederation", "mesh", inputs(wanted))
        assert program.graph.drawing() == in_python(wanted).drawing()
        assert registered(program.graph) == registered(in_python(wanted))

    def test_in_a_preview_too(self, preview: Program) -> None:
        wanted = document("east", "west", **CHARTS)
        preview.construct("MeshFederation", "mesh", inputs(wanted))
        assert registered(preview.graph) == registered(in_python(wanted, preview=True))

    def test_kubeconfigs_may_be_known_later(self, preview: Program, program: Program) -> None:
        wanted = document("east", "west")
        preview.construct("MeshFederation", "mesh", inputs(wanted, west=output(UNKNOWN, secret=True)))
        program.construct("MeshFederation", "mesh", inputs(wanted))
        assert preview.graph.drawing() == program.graph.drawing()

    def test_secrets_that_come_as_one_may_be_known_later(self, preview: Program, program: Program) -> None:
        """SDKs mark the whole mapping; one value that is not known then hides all, and whose they are."""
        wanted = document("east", "west")
        whole = {**inputs(wanted), "kubeconfigs": output(UNKNOWN, secret=True)}
        preview.construct("MeshFederation", "mesh", whole)
        program.construct("MeshFederation", "mesh", inputs(wanted))
        assert preview.graph.drawing() == program.graph.drawing()

    def test_secrets_that_come_as_one_stay_secret(self, program: Program) -> None:
        """Engines and SDKs may mark the whole mapping."""
        wanted = document("east")
        given = {**inputs(wanted), "kubeconfigs": secret({"east": kubeconfig("east")})}
        program.construct("MeshFederation", "mesh", given)
        assert program.graph.resources_by_name["mesh-east-kubernetes"].secret == {"kubeconfig"}

    def test_clusters_depend_on_what_gave_their_kubeconfigs(self, host: Host) -> None:
        """Else destroy would take the machine away before what is in its cluster."""
        graph = Graph(rendered)
        machine = graph.note("machine")
        wanted = document("east")
        given = inputs(wanted, east=output(kubeconfig("east"), machine, secret=True))
        with host.program(graph) as program:
            program.construct("MeshFederation", "mesh", given)
        assert "machine" in graph.resources_by_name["mesh-east-kubernetes"].depends_on

    def test_what_the_document_names_is_read_from_the_stack(self, host: Host) -> None:
        wanted = document("east")
        wanted["clusters"][0]["kubeconfig"] = {"secret": "eastKubeconfig"}
        config = {"mesh:eastKubeconfig": kubeconfig("east")}
        graph = Graph(rendered)
        with host.program(graph, config=config, configSecretKeys=list(config)) as program:
            program.construct("MeshFederation", "mesh", {"mesh": wanted})

        def in_python() -> None:
            MeshFederation("mesh", from_stack(pulumi.Config(), Path.cwd()))

        same = run(in_python, config={**config, "mesh:mesh": json.dumps(wanted)}, secrets=list(config))
        assert registered(graph) == registered(same)

    def test_it_takes_clusters_of_the_program(self, program: Program) -> None:
        wanted = document("east", "west")
        made = {
            name: program.construct("AttachedCluster", name, {"kubeconfig": secret(kubeconfig(name))})
            for name in ("east", "west")
        }
        clusters = {name: reference(item.urn) for name, item in made.items()}
        program.construct("MeshFederation", "mesh", {"mesh": without_kubeconfigs(wanted), "clusters": clusters})
        of_the_mesh = [item for item in program.graph.kubernetes() if item.name.startswith("mesh-")]
        assert {item.provider for item in of_the_mesh} == {"east-kubernetes", "west-kubernetes"}

    def test_its_outputs_come_back(self, program: Program) -> None:
        made = program.construct("MeshFederation", "mesh", inputs(document("east", "west")))
        (root,) = (item for item in program.graph.resources_by_name.values() if item.name == "mesh")
        assert made.urn == root.urn
        assert made.state["edges"] == ["east -> west", "west -> east"]
        assert set(made.state["gateways"]) == {"east", "west"}
        assert made.state == root.outputs

    def test_warnings_reach_the_user(self, host: Host) -> None:
        wanted = document("east", "west", istio={"install": "none", "version": "1.24.0"})
        with host.program(Graph(rendered)) as program:
            program.construct("MeshFederation", "mesh", inputs(wanted))
        assert any("MESH" in line for line in host.logged)

    def test_several_at_once_do_not_mix(self, host: Host) -> None:
        def one(name: str) -> str:
            graph = Graph(rendered)
            with host.program(graph) as program:
                program.construct("MeshFederation", "mesh", inputs(document(name, "other")))
            return graph.drawing()

        names = ["east", "west", "north", "south"]
        with ThreadPoolExecutor(4) as pool:
            drawn = list(pool.map(one, names))
        assert drawn == [in_python(document(name, "other")).drawing() for name in names]


class TestRefusals:
    """What cannot work is said with its property, before anything is made."""

    def test_findings_have_their_property(self, program: Program) -> None:
        wanted = document("east", "west")
        for cluster in wanted["clusters"]:
            cluster |= {"network": "one", "podRanges": ["10.0.0.0/16"]}
        with pytest.raises(RefusedError, match="1 error; nothing was created") as refused:
            program.construct("MeshFederation", "mesh", inputs(wanted))
        assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
        ((path, reason),) = refused.value.properties
        assert path == "mesh.clusters[1].podRanges[0]"
        assert reason.startswith("MESH201 error at clusters[1].podRanges[0]")
        assert not program.graph.resources_by_name

    def test_a_wrong_key_has_its_property(self, program: Program) -> None:
        wanted = {**document("east"), "cluster": "east"}
        with pytest.raises(RefusedError) as refused:
            program.construct("MeshFederation", "mesh", inputs(wanted))
        assert [path for path, _ in refused.value.properties] == ["mesh.cluster"]

    def test_rules_look_into_kubeconfigs(self, program: Program) -> None:
        here = kubeconfig("east").replace("east.example.com", "127.0.0.1")
        given = inputs(document("east", "west"), east=output(here, secret=True))
        with pytest.raises(RefusedError, match="nothing was created") as refused:
            program.construct("MeshFederation", "mesh", given)
        assert refused.value.properties[0][1].startswith("MESH")

    def test_a_kubeconfig_that_is_none(self, program: Program) -> None:
        with pytest.raises(RefusedError, match=r"kubeconfigs\.east: this is no kubeconfig") as refused:
            program.construct("MeshFederation", "mesh", inputs(document("east"), east=output("{}", secret=True)))
        assert not refused.value.properties, "the engine would print the value"

    def test_a_pasted_secret_is_not_printed(self, program: Program) -> None:
        """The engine prints the value of a property that is named."""
        wanted = document("east")
        wanted["clusters"][0]["name"] = pasted = "-----BEGIN PRIVATE KEY-----"
        with pytest.raises(RefusedError, match="MESH003") as refused:
            program.construct("MeshFederation", "mesh", inputs(wanted))
        assert "mesh.clusters[0].name" not in dict(refused.value.properties)
        assert pasted not in f"{refused.value} {refused.value.properties}"

    @pytest.mark.parametrize(
        ("value", "reason"),
        [(output(UNKNOWN), "known only after"), (UNKNOWN, "known only after"), (output("a", secret=True), "is secret")],
    )
    def test_what_decides_has_to_be_known(self, preview: Program, value: Any, reason: str) -> None:
        wanted = {**document("east"), "id": value}
        with pytest.raises(RefusedError) as refused:
            preview.construct("MeshFederation", "mesh", inputs(wanted))
        ((path, told),) = refused.value.properties
        assert path == "mesh.id"
        assert reason in told

    def test_a_kubeconfig_of_no_cluster(self, program: Program) -> None:
        with pytest.raises(RefusedError) as refused:
            program.construct("MeshFederation", "mesh", inputs(document("east"), wset=output(kubeconfig("wset"))))
        assert refused.value.properties == [("kubeconfigs.wset", 'the document has no cluster "wset"; it has east')]

    def test_arguments_have_their_names_in_other_languages(self, program: Program) -> None:
        with pytest.raises(RefusedError) as refused:
            program.construct("RootCA", "ca", {"clusters": ["east"], "organization": "mesh", "rootValidityDays": 0})
        ((path, reason),) = refused.value.properties
        assert (path, reason) == ("rootValidityDays", "Input should be greater than or equal to 1")

    def test_nothing_goes_to_whatever_cluster_there_is(self, program: Program) -> None:
        with pytest.raises(RefusedError) as refused:
            program.construct("EastWestGateway", "gateway", {"network": "east"})
        assert [path for path, _ in refused.value.properties] == ["cluster"]

    def test_a_component_that_is_none(self, program: Program) -> None:
        with pytest.raises(RefusedError, match="no component of this package"):
            program.construct("Gateway", "gateway", {})


class TestDynamicProviders:
    """Pulumi runs them with a Python that it has to be told of, where the program is in another language."""

    WANTED = document("east", "west", discovery={"tokens": {"kind": "requested"}})

    def test_without_it_nothing_is_tried(self, program: Program) -> None:
        with pytest.raises(RefusedError, match=f"set PULUMI_PYTHON_CMD={sys.executable} in the environment"):
            program.construct("MeshFederation", "mesh", inputs(self.WANTED))

    def test_with_it_they_are_as_in_python(self) -> None:
        graph = Graph(rendered)
        with hosting(PULUMI_PYTHON_CMD=sys.executable) as host, host.program(graph) as program:
            program.construct("MeshFederation", "mesh", inputs(self.WANTED))
        assert graph.of_type("pulumi-python:dynamic/mesh:TokenRequest")
        assert graph.drawing() == in_python(self.WANTED).drawing()


class TestComponents:
    """Each works by itself, and takes the others."""

    def cluster(self, program: Program, name: str) -> str:
        """Its URN."""
        return program.construct("AttachedCluster", name, {"kubeconfig": secret(kubeconfig(name))}).urn

    def test_a_cluster_gives_its_provider_and_hides_its_kubeconfig(self, program: Program) -> None:
        made = program.construct("AttachedCluster", "east", {"kubeconfig": secret(kubeconfig("east"))})
        assert made.state["apiServer"] == "https://east.example.com:6443"
        assert made.state["provider"]["urn"] == program.graph.resources_by_name["east-kubernetes"].urn
        assert is_secret(made.state["kubeconfig"])
        assert "admin-token-of-east" in plain(made.state["kubeconfig"])

    def test_a_kubeconfig_in_json_may_come_as_an_object(self, program: Program) -> None:
        """Programs in YAML make one of a setting, with its keys in any order."""
        contents = json.loads(kubeconfig("east"))
        made = [
            program.construct("AttachedCluster", name, {"kubeconfig": secret(given)})
            for name, given in (("one", contents), ("two", dict(reversed(contents.items()))))
        ]
        assert {item.state["apiServer"] for item in made} == {"https://east.example.com:6443"}
        assert len({plain(item.state["kubeconfig"]) for item in made}) == 1

    def test_a_remote_secret_takes_clusters_and_a_token(self, program: Program) -> None:
        east, west = self.cluster(program, "east"), self.cluster(program, "west")
        token = program.construct("ReaderToken", "east-reader", {"cluster": reference(east)})
        assert is_secret(token.state["token"])
        ends = {"source": reference(east), "reader": reference(west)}
        edge = {"sourceName": "east", **ends, "token": reference(token.urn)}
        made = program.construct("RemoteSecret", "east-to-west", edge)
        assert made.state["secretName"] == "istio-remote-secret-east"
        object_ = program.graph.resources_by_name["east-to-west-secret"]
        assert program.graph.cluster(object_) == "west"
        assert object_.secret == {"data"}
        assert program.graph.cluster(program.graph.resources_by_name["east-reader-secret"]) == "east"

    def test_a_gateway_takes_a_cluster_or_a_provider(self, program: Program) -> None:
        east = self.cluster(program, "east")
        provider = program.graph.resources_by_name["east-kubernetes"]
        program.construct("EastWestGateway", "one", {"network": "east", "cluster": reference(east)})
        at = {"kubernetes": f"{provider.urn}::{provider.name}-id"}
        program.construct("EastWestGateway", "two", {"network": "east", "minReplicas": 2}, providers=at)
        assert {program.graph.cluster(program.graph.resources_by_name[f"{name}-proxy"]) for name in ("one", "two")} == {
            "east"
        }
        assert program.graph.resources_by_name["two-autoscaler"].inputs["spec"]["minReplicas"] == 2

    def test_what_comes_after_something_does(self, program: Program) -> None:
        east = self.cluster(program, "east")
        before = program.construct("RootNamespace", "ns", {"network": "east", "cluster": reference(east)})
        given = {"network": "east", "cluster": reference(east)}
        program.construct("EastWestGateway", "gateway", given, dependencies=[before.urn])
        assert "ns" in program.graph.resources_by_name["gateway-proxy"].depends_on

    def test_a_control_plane_with_the_certificates_of_a_root(self, program: Program) -> None:
        east = reference(self.cluster(program, "east"))
        root = program.construct("RootCA", "ca", {"clusters": ["east"], "organization": "mesh"})
        assert is_secret(root.state["bundles"])
        bundle = plain(root.state["bundles"])["east"]
        given = {"bundle": output(bundle, root.urn, secret=True), "cluster": east}
        certificates = program.construct("CaCerts", "east", given)
        assert plain(certificates.state["expires"]) == bundle["expires"]
        istiod = {
            "meshId": "mesh1",
            "clusterName": "east",
            "network": "east-network",
            "rootCertPem": plain(root.state["rootCertPem"]),
            "charts": {"folder": "/charts"},
            "values": {"pilot": {"cpu": {"targetAverageUtilization": 70}}},
            "cluster": east,
        }
        made = program.construct("Istiod", "istiod", istiod)
        assert made.state["ready"] == "istiod"
        (asked,) = (item for item in program.graph.rendered if str(item.get("path")).endswith("istiod"))
        assert '"targetAverageUtilization": 70,' in json.dumps(asked["values"]).replace("}", ",}")
        assert program.graph.resources_by_name["east-cacerts"].secret == {"data"}

    def test_unknown_values_stay_unknown(self, preview: Program) -> None:
        made = preview.construct("AttachedCluster", "east", {"kubeconfig": output(UNKNOWN, secret=True)})
        assert plain(made.state["apiServer"]) == UNKNOWN
        gateway = preview.construct("EastWestGateway", "gw", {"network": "east", "cluster": reference(made.urn)})
        assert plain(gateway.state["address"]) == UNKNOWN


class TestProtocol:
    """What the engine asks before it asks for components."""

    def test_the_schema_is_the_one_in_the_repository(self, host: Host) -> None:
        assert json.loads(host.schema()) == json.loads((ROOT / "provider" / "schema.json").read_text())

    def test_it_tells_its_version_and_is_configured(self, host: Host) -> None:
        assert host.version() == json.loads(host.schema())["version"]
        assert host.configure().acceptOutputs
