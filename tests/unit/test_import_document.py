"""From what clusters say to a document; who asks them is tested in the lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from mesh_components.settings import parse
from mesh_components.settings.egress import EgressSettings
from mesh_components.settings.ingress import IngressSettings
from meshctl.cli import main
from meshctl.importing import command
from meshctl.importing.doors import Door
from meshctl.importing.read import Found, Istiod, host_of
from meshctl.importing.ways import Ways
from meshctl.importing.write import Imported, ImportError_, imported
from meshctl.local.model import Unreachable
from tests.support.meshes import kubeconfig

DOOR = Door("LoadBalancer", {}, (), (), 1, 5, "")


def found(name: str, **over: Any) -> Found:
    """A primary in a network of its own."""
    bare = Found(
        name=name,
        platform="generic",
        network=f"{name}-network",
        served_by="",
        istiods=(Istiod("", "1.30.3", ours=True),),
        tags={},
        values={"": {"global": {"meshID": "mesh1"}}},
        mesh_config={"trustDomain": "cluster.local"},
        secrets=frozenset(),
        announced=frozenset({"istio-remote-secret-east", "istio-remote-secret-west"}),
        east_west=DOOR,
        ambient_gateway=None,
        external_gateway=None,
        ztunnel=False,
        cacerts=frozenset(),
    )
    return replace(bare, **over)


def document(*clusters: Found, root: str = "istio-system") -> Imported:
    return imported(clusters, root, {item.name: {"file": f"{item.name}.kubeconfig"} for item in clusters})


class TestDocument:
    def test_what_the_defaults_say_is_left_out(self) -> None:
        assert document(found("east"), found("west")).document == {
            "id": "mesh1",
            "istio": {"version": "1.30.3"},
            "clusters": [
                {"name": "east", "network": "east-network", "kubeconfig": {"file": "east.kubeconfig"}},
                {"name": "west", "network": "west-network", "kubeconfig": {"file": "west.kubeconfig"}},
            ],
        }

    def test_a_gateway_as_it_is(self) -> None:
        door = Door("NodePort", {"a": "b"}, ("10.0.0.0/8",), ("203.0.113.9",), 2, 7, "1-30-3")
        made = document(found("east", east_west=door, hosts=("*.team.local",)), found("west")).document
        assert made["clusters"][0]["eastWest"] == {
            "serviceType": "NodePort",
            "annotations": {"a": "b"},
            "externalIps": ["203.0.113.9"],
            "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "minReplicas": 2,
            "maxReplicas": 7,
            "hosts": ["*.team.local"],
            "revision": "1-30-3",
        }

    def test_a_gateway_that_no_document_can_say_is_noted(self) -> None:
        made = document(found("east", east_west=replace(DOOR, service_type="ExternalName")), found("west"))
        assert "eastWest" not in made.document["clusters"][0]
        (note,) = (note for note in made.notes if note.startswith("clusters[].eastWest"))
        assert note.startswith("clusters[].eastWest: of east not read: serviceType: Input should be")

    def test_ways_in_and_out_leave_out_what_the_gateways_between_networks_say(self) -> None:
        ways = Ways(
            (IngressSettings(revision="canary", min_replicas=2), IngressSettings(name="web", revision="")),
            EgressSettings(revision="canary"),
            ("a note",),
        )
        made = document(found("east", ways=ways, east_west=replace(DOOR, revision="canary")), found("west"))
        east, west = made.document["clusters"]
        assert east["ingress"] == [{"minReplicas": 2}, {"name": "web", "revision": ""}]
        assert east["egress"] == {}
        assert "a note" in made.notes
        assert west.keys() & {"ingress", "egress"} == set()

    def test_what_istiod_was_told(self) -> None:
        told = {
            "global": {
                "meshID": "mesh1",
                "networkPolicy": {"enabled": True},
                "proxy": {"includeIPRanges": "10.0.0.0/8"},
            },
            "resources": {"limits": {"memory": "4Gi"}},
            "meshConfig": {
                "accessLogFile": "/dev/stdout",
                "defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}},
                "serviceSettings": [
                    {
                        "settings": {"clusterLocal": True},
                        "hosts": ["a.b.svc.cluster.local", "istio-egressgateway.istio-egress.svc.cluster.local"],
                    }
                ],
            },
            "traceSampling": 5,
        }
        ways = Ways(egress=EgressSettings(revision=""))
        made = document(found("east", values={"": told}, ways=ways), found("west")).document["istio"]
        assert made == {
            "version": "1.30.3",
            "pilot": {"limits": {"memory": "4Gi"}},
            "networkPolicies": True,
            "meshConfig": {
                "accessLog": {},
                "tracing": {"sampling": 5},
                "proxy": {"includeIPRanges": ["10.0.0.0/8"]},
                "clusterLocalHosts": ["a.b.svc.cluster.local"],
            },
        }

    def test_a_gateway_that_would_be_made_and_is_not_there_is_off(self) -> None:
        made = document(found("east", east_west=None), found("west")).document
        assert made["clusters"][0]["eastWest"] == {"enabled": False}
        assert "eastWest" not in made["clusters"][1]

    def test_a_remote_names_its_control_plane_where_several_could_serve_it(self) -> None:
        served = found("far", istiods=(), served_by="west", values={"": {"global": {"network": "far-network"}}})
        made = document(found("east"), found("west"), served).document
        assert made["clusters"][2] | {"kubeconfig": {}, "eastWest": {}} == {
            "name": "far",
            "role": "remote",
            "controlPlane": "west",
            "network": "far-network",
            "kubeconfig": {},
            "eastWest": {},
        }
        assert "controlPlane" not in document(found("east"), served).document["clusters"][1]

    def test_revisions_tags_and_planes(self) -> None:
        several = (Istiod("1-30-3", "1.30.3", ours=True), Istiod("1-31-0", "1.31.0", ours=True))
        clusters = [
            found(name, istiods=several, tags={"prod": "1-30-3"}, ztunnel=True, values={"1-30-3": {"autoscaleMin": 2}})
            for name in ("east", "west")
        ]
        istio = document(*clusters).document["istio"]
        assert istio == {
            "version": "1.30.3",
            "dataPlane": "mixed",
            "revision": "1-30-3",
            "revisions": [{"name": "1-30-3", "version": "1.30.3"}, {"name": "1-31-0", "version": "1.31.0"}],
            "tags": {"prod": "1-30-3"},
            "pilot": {"minReplicas": 2},
        }

    def test_what_something_else_has_installed_is_left_to_it(self) -> None:
        made = document(found("east", istiods=(Istiod("", "1.30.3", ours=False),)), found("west"))
        assert made.document["istio"]["install"] == "none"
        assert any(note.startswith("istio.install: an istiod was not made by this library") for note in made.notes)

    def test_what_others_have_made_besides_is_asked_for(self) -> None:
        made = document(found("east", foreign=frozenset({"helm"})), found("west"))
        assert [cluster.get("adopt") for cluster in made.document["clusters"]] == [True, None]
        assert any(note.startswith("clusters[].adopt: helm made objects of the mesh in east") for note in made.notes)

    def test_a_signing_certificate_of_others_has_a_place_to_be_put(self) -> None:
        made = document(found("east", cacerts=frozenset({"kubectl-create"})), found("west"))
        assert made.document["trust"]["source"]["intermediates"]["west"] == {
            "certificate": {"file": "west/ca-cert.pem"},
            "key": {"secret": "westKey"},
            "chain": {"file": "west/cert-chain.pem"},
            "root": {"file": "west/root-cert.pem"},
        }
        assert any(note.startswith("trust.source: kubectl-create made `cacerts`") for note in made.notes)

    def test_an_istiod_without_a_signing_certificate_is_noted(self) -> None:
        made = document(found("east", cacerts=None), found("west"))
        assert any(note.startswith("trust: east has no `cacerts`") for note in made.notes)
        assert "trust" not in made.document

    def test_a_namespace_that_others_have_made(self) -> None:
        theirs = document(found("east", namespace="patch"), found("west", namespace="create")).document["clusters"]
        assert [cluster.get("namespace") for cluster in theirs] == ["patch", None]

    def test_the_gateway_of_ambient_is_read_too(self) -> None:
        door = replace(DOOR, annotations={"a": "b"}, max_replicas=9)
        ambient = {"east_west": None, "ambient_gateway": door, "ztunnel": True}
        made = document(found("east", **ambient), found("west", **ambient)).document
        assert made["istio"]["dataPlane"] == "ambient"
        assert made["clusters"][0]["eastWest"] == {"annotations": {"a": "b"}, "maxReplicas": 9}

    def test_a_remote_secret_that_is_not_there_is_noted(self) -> None:
        made = document(found("east", announced=frozenset()), found("west"))
        assert "discovery: east holds no remote secret for west; one would be made" in made.notes

    def test_it_is_a_document(self) -> None:
        assert [item.name for item in parse(document(found("east"), found("west")).document).clusters] == [
            "east",
            "west",
        ]

    def test_no_istiod(self) -> None:
        with pytest.raises(ImportError_, match="no istiod runs in the namespace istio-system"):
            document(found("east", istiods=()))

    def test_two_meshes(self) -> None:
        other = found("west", values={"": {"global": {"meshID": "mesh2"}}})
        with pytest.raises(ImportError_, match="several meshes: mesh1, mesh2"):
            document(found("east"), other)

    def test_a_host_name_is_an_address_and_an_ip_is_found_again(self) -> None:
        assert (
            host_of({"istiodRemote": {"injectionURL": "https://istiod.example.com:15017/inject"}})
            == "istiod.example.com"
        )
        assert host_of({"istiodRemote": {"injectionURL": "https://203.0.113.1:15017/inject"}}) == ""
        assert host_of({}) == ""


class TestCommand:
    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["import", *words])

    @pytest.fixture
    def config(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Clusters that answer what is prepared."""
        monkeypatch.setattr(command, "_read", lambda *_: (document(found("east"), found("west")).document, ["a note"]))
        return tmp_path

    def test_a_stack_file(self, config: Path) -> None:
        done = self.run("east=a", "west=b", "--output", str(config / "new/Pulumi.prod.yaml"))
        assert done.exit_code == 0, done.output
        text = (config / "new/Pulumi.prod.yaml").read_text()
        assert text.startswith("# Read from running clusters by `mesh import`. Not read:\n# - a note\n")
        assert yaml.safe_load(text)["config"]["mesh:mesh"]["id"] == "mesh1"
        assert "note: a note" in done.stderr
        again = self.run("east=a", "west=b", "--output", str(config / "new/Pulumi.prod.yaml"))
        assert "it is there already; name a new file with --output" in again.stderr

    @pytest.mark.usefixtures("config")
    def test_as_json_with_nothing_else(self) -> None:
        assert yaml.safe_load(self.run("east=a", "--json").stdout)["notes"] == ["a note"]

    @pytest.mark.usefixtures("config")
    def test_the_stack_file_is_printed_where_no_file_is_named(self) -> None:
        done = self.run("east=a")
        assert (done.exit_code, done.stderr) == (0, "note: a note\n")
        assert yaml.safe_load(done.stdout)["config"]["mesh:mesh"]["id"] == "mesh1"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["east"], "write NAME=KUBECONFIG, each name once"),
            (["=file"], "write NAME=KUBECONFIG, each name once"),
            (["east=/nowhere/kubeconfig"], "east: /nowhere/kubeconfig cannot be read: No such file or directory"),
            ([], "Missing argument"),
        ],
    )
    def test_mistakes(self, words: list[str], said: str) -> None:
        done = self.run(*words)
        assert done.exit_code == 2
        assert said in " ".join(done.stderr.split())

    def test_a_name_twice_and_a_context_that_is_not_there(self, tmp_path: Path) -> None:
        (tmp_path / "config").write_text(kubeconfig("east"))
        assert "each name once" in self.run(*[f"east={tmp_path}/config"] * 2).stderr
        assert "is not in the kubeconfig" in " ".join(self.run(f"east={tmp_path}/config#other").stderr.split())

    def test_a_cluster_that_does_not_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def unanswered(*_: object) -> set[str]:
            raise Unreachable("east: https://127.0.0.1:1 cannot be reached")

        monkeypatch.setattr("meshctl.importing.read.Reader.namespaces", unanswered)
        (tmp_path / "config").write_text(kubeconfig("east"))
        done = self.run(f"east={tmp_path}/config")
        assert (done.exit_code, done.stderr) == (1, "Error: east: https://127.0.0.1:1 cannot be reached\n")
