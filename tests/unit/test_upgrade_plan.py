"""Upgrades as rows of documents: for any mesh, nobody is ever without an injector, and every step has a way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mesh_components.settings import FindingsError, MeshSettings, Severity, parse
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import ClusterPlan, plan
from mesh_components.topology.revisions import all_revisions, default_version, revisions, tags
from mesh_components.topology.steps import PlanError, Step
from mesh_components.topology.upgrade import upgrade_plan
from mesh_components.topology.upgrade.goal import sort_key

TO = "1.31.0"
NEW = "1-31-0"
CHARTS = {"repository": "https://charts.example.com"}

SHORT = """
id: mesh1
istio: {version: 1.30.3, revision: 1-30-3, tags: {prod: 1-30-3}}
clusters:
  - {name: east, network: network1}
  - {name: west, network: network2}
  - {name: far, network: network3, role: remote, controlPlane: east}
"""
UNNAMED = """
id: mesh1
clusters:
  - {name: east, network: network1}
  - {name: west, network: network2}
"""
EXTERNAL = """
id: mesh1
istio: {version: 1.30.3, namespace: external-istiod}
clusters:
  - {name: control, network: network0, role: external, eastWest: {address: istiod.example.com}}
  - {name: east, network: network1, role: config, apiServer: {address: "https://203.0.113.10:6443"}}
  - {name: west, network: network2, role: remote, apiServer: {address: "https://203.0.113.20:6443"}}
"""


def document(text: str, **istio: Any) -> dict[str, Any]:
    """The document, with charts from where 1.31 has some."""
    read: dict[str, Any] = yaml.safe_load(text)
    return {**read, "istio": {**read.get("istio", {}), **istio, "charts": CHARTS}}


APPLICATIONS = {"helloworld": {}, "bookinfo": {"revision": "prod"}}


def said(step: Step) -> dict[str, Any]:
    """What a document says of Istio, apart from its charts."""
    return {key: value for key, value in step.document["istio"].items() if key != "charts"}


def errors(mesh: MeshSettings) -> list[str]:
    brought = frozenset(cluster.name for cluster in mesh.clusters)
    return [str(f) for f in findings(mesh, brought=brought) if f.severity is Severity.ERROR]


def decided(part: ClusterPlan) -> tuple[object, ...]:
    """What of a cluster's part an upgrade changes."""
    gateway = part.gateway_revision if part.east_west or part.ambient_gateway else None
    return part.revisions, part.tags, gateway


def injector(mesh: MeshSettings, cluster: str, label: str) -> list[str]:
    """The revisions that inject a namespace of the cluster: by its `istio.io/rev`, or `enabled` for istio-injection.

    The selectors are those of Istio's webhooks: the revision without a name matches `default` and `enabled`, and so
    does a tag of that name.
    """
    here = [item.name for item in revisions(mesh, cluster)]
    pointed = dict(tags(mesh, next(c for c in mesh.clusters if c.name == cluster)))
    wanted = "default" if label == "enabled" else label
    found = ["" for name in here if name == "" and wanted == "default"]
    found += [name for name in here if name and name == wanted]
    return found + [revision for tag, revision in pointed.items() if tag == wanted and revision in here]


@st.composite
def meshes(draw: st.DrawFn) -> dict[str, Any]:
    """Meshes with an error in no place: some primaries, remotes with a primary each, tags, gateways of their own."""
    primaries = [f"primary{number}" for number in range(draw(st.integers(1, 4)))]
    remotes = [f"remote{number}" for number in range(draw(st.integers(0 if len(primaries) > 1 else 1, 3)))]
    old = draw(st.sampled_from(["", "1-30-3", "stable"]))
    tag_names = draw(st.lists(st.sampled_from(["prod", "canary", *(["default"] if old else [])]), unique=True))
    istio: dict[str, Any] = {"version": draw(st.sampled_from(["1.29.3", "1.30.3"])), "charts": CHARTS}
    if old or draw(st.booleans()):
        istio["revision"] = old
    if tag_names:
        istio["tags"] = dict.fromkeys(tag_names, old)
    if draw(st.booleans()):
        istio["revisions"] = [{"name": old}]
    if draw(st.integers(0, 3)) == 0:
        istio["dataPlane"] = draw(st.sampled_from(["ambient", "mixed"])) if not remotes else "sidecar"
    clusters: list[dict[str, Any]] = []
    for number, name in enumerate(draw(st.permutations([*primaries, *remotes]))):
        item: dict[str, Any] = {"name": name, "network": f"network{draw(st.integers(0, 1)) * (number + 1)}"}
        if name in remotes:
            item |= {"role": "remote", "controlPlane": draw(st.sampled_from(primaries))}
        if draw(st.integers(0, 3)) == 0:
            item["eastWest"] = {"revision": old, "minReplicas": 2}
        if draw(st.integers(0, 3)) == 0:
            item["tags"] = {"own": old}
        clusters.append(item)
    return {"id": "mesh1", "istio": istio, "clusters": clusters}


def planned(start: dict[str, Any]) -> tuple[Step, ...]:
    assume(not errors(parse(start)))
    return upgrade_plan(start, TO)


def without_versions(data: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what an upgrade may change."""
    istio = {k: v for k, v in data.get("istio", {}).items() if k not in ("version", "revision", "revisions", "tags")}
    clusters = []
    for item in data["clusters"]:
        gateway = {k: v for k, v in item.get("eastWest", {}).items() if k != "revision"}
        rest = {k: v for k, v in item.items() if k not in ("tags", "eastWest")}
        clusters.append({**rest, **({"eastWest": gateway} if gateway else {})})
    return {**data, "istio": istio, "clusters": clusters}


some = settings(max_examples=20)


class TestAnyMesh:
    """Properties of every plan."""

    @some
    @given(meshes())
    def test_no_namespace_is_ever_without_an_injector(self, start: dict[str, Any]) -> None:
        steps = planned(start)
        labels = {}
        mesh = parse(start)
        for cluster in mesh.clusters:
            pointed = dict(tags(mesh, cluster))
            labels[cluster.name] = {"enabled", "default", *pointed, *(r.name for r in revisions(mesh, cluster.name))}
            labels[cluster.name] = {label for label in labels[cluster.name] if injector(mesh, cluster.name, label)}
        for step in steps:
            after = parse(step.document)
            old = {item.name for item in all_revisions(mesh)} - {NEW}
            if step.kind == "remove":  # namespaces that name the old revision have been labelled anew
                labels = {cluster: found - old for cluster, found in labels.items()}
            for cluster_name, found in labels.items():
                for label in found:
                    assert len(injector(after, cluster_name, label)) == 1, (step.title, cluster_name, label)

    @some
    @given(meshes())
    def test_every_tag_default_and_gateway_has_its_revision_in_every_cluster(self, start: dict[str, Any]) -> None:
        for step in planned(start):
            mesh = parse(step.document)
            for part in plan(mesh).clusters:
                here = {item.name for item in part.revisions}
                assert mesh.istio.revision in here
                assert {revision for _, revision in part.tags} <= here
                assert part.gateway_revision in here
                server = plan(mesh).cluster(part.control_plane)
                assert here <= {item.name for item in server.revisions}

    @some
    @given(meshes())
    def test_no_document_has_errors_or_runs_ahead_of_its_crds(self, start: dict[str, Any]) -> None:
        for step in planned(start):
            mesh = parse(step.document)
            assert errors(mesh) == []
            assert all(sort_key(item.version) <= sort_key(mesh.istio.version) for item in all_revisions(mesh))
            assert default_version(mesh) in {item.version for item in all_revisions(mesh)}

    @some
    @given(meshes())
    def test_each_step_goes_back_to_the_one_before(self, start: dict[str, Any]) -> None:
        before: Mapping[str, Any] = start
        for step in planned(start):
            assert step.rollback.document == before
            assert step.changes_document == (step.kind != "restart")
            before = step.document

    @some
    @given(meshes())
    def test_the_end_is_the_beginning_at_another_version(self, start: dict[str, Any]) -> None:
        end = planned(start)[-1].document
        assert without_versions(end) == without_versions(start)
        assert end["istio"]["version"] == TO
        assert end["istio"]["revision"] == NEW
        assert "revisions" not in end["istio"]
        assert all("revision" not in cluster.get("eastWest", {}) for cluster in end["clusters"])
        mesh = parse(end)
        pointed = {revision for cluster in mesh.clusters for _, revision in tags(mesh, cluster)}
        assert pointed <= {NEW}
        assert upgrade_plan(end, TO) == ()

    @some
    @given(meshes(), st.data())
    def test_from_the_middle_the_rest_is_planned(self, start: dict[str, Any], data: st.DataObject) -> None:
        steps = planned(start)
        number = data.draw(st.integers(0, len(steps) - 1))
        rest = steps[number + (1 if steps[number].changes_document else 0) :]
        again = upgrade_plan(steps[number].document, TO)
        assert [(step.title, step.document) for step in again] == [(step.title, step.document) for step in rest]

    @some
    @given(meshes())
    def test_a_step_changes_only_its_own_clusters(self, start: dict[str, Any]) -> None:
        before = parse(start)
        for step in planned(start):
            after = parse(step.document)
            was, now = ({part.name: decided(part) for part in plan(mesh).clusters} for mesh in (before, after))
            changed = {name for name, part in now.items() if part != was[name]}
            assert changed <= set(step.clusters)
            if step.kind in ("base", "restart"):
                assert not changed
            if step.kind in ("control-plane", "gateway", "tags"):
                assert changed == set(step.clusters)
                assert len(changed) == 1
            before = after

    @some
    @given(meshes())
    def test_documents_are_plain_data(self, start: dict[str, Any]) -> None:
        kept = json.dumps(start)
        for step in planned(start):
            text = yaml.safe_dump(step.document, sort_keys=False)
            assert "&id" not in text
            assert yaml.safe_load(text) == step.document
        assert json.dumps(start) == kept


class TestOrder:
    """CRDs, control planes, gateways, tags, restarts, the default, the end of the old."""

    def test_a_mesh_with_a_tag_and_a_remote(self) -> None:
        steps = upgrade_plan(document(SHORT), TO)
        assert [(step.kind, *(step.clusters if len(step.clusters) == 1 else ())) for step in steps] == [
            ("base",),
            *(("control-plane", name) for name in ("east", "far", "west")),
            *(("gateway", name) for name in ("east", "far", "west")),
            *(("tags", name) for name in ("east", "far", "west")),
            ("restart",),
            ("default",),
            ("remove",),
        ]
        assert said(steps[-1]) == {"version": TO, "revision": NEW, "tags": {"prod": NEW}}

    def test_a_primary_with_remotes_is_told_of_its_routes_to_istiod(self) -> None:
        steps = upgrade_plan(document(SHORT), TO)
        told = {s.clusters[0]: "EastWestGateway" in s.why for s in steps if s.kind == "control-plane"}
        assert told == {"east": True, "far": False, "west": False}

    def test_the_canary_is_chosen(self) -> None:
        steps = upgrade_plan(document(SHORT), TO, canary="west")
        assert [s.clusters for s in steps if s.kind == "control-plane"] == [("west",), ("east",), ("far",)]
        steps = upgrade_plan(document(SHORT), TO, canary="far")
        assert [s.clusters for s in steps if s.kind == "tags"] == [("east",), ("far",), ("west",)]

    def test_documents_are_as_a_person_would_write_them(self) -> None:
        steps = upgrade_plan(document(SHORT), TO)
        assert list(said(steps[0])) == ["version", "revision", "revisions", "tags"]
        assert steps[0].document["istio"]["revisions"] == [{"name": "1-30-3", "version": "1.30.3"}]
        assert steps[1].document["istio"]["revisions"][1] == {"name": NEW, "clusters": ["east"]}
        assert steps[3].document["istio"]["revisions"][1] == {"name": NEW}

    def test_an_override_of_every_cluster_does_not_keep_the_old_one_alive(self) -> None:
        start = document(SHORT)
        ahead = upgrade_plan(start, TO)[6].document
        clusters = [{**item, "tags": {"prod": NEW}} for item in ahead["clusters"]]
        steps = upgrade_plan({**ahead, "clusters": clusters}, TO)
        assert [step.kind for step in steps] == ["tags", "restart", "default", "remove"]
        assert steps[0].clusters == ()
        assert steps[-1].document == upgrade_plan(start, TO)[-1].document

    def test_what_a_preview_must_show(self) -> None:
        assert any("Kubernetes 1.32 to 1.36" in text for text in upgrade_plan(document(SHORT), TO)[0].watch)


class TestUnnamed:
    """The revision without a name gives way to one with a name, and the tag `default` comes when it is gone."""

    def test_the_tag_comes_with_the_end_of_the_old(self) -> None:
        steps = upgrade_plan(document(UNNAMED), TO)
        assert all("tags" not in step.document["istio"] for step in steps[:-1])
        assert said(steps[-1]) == {"version": TO, "revision": NEW, "tags": {"default": NEW}}
        (restart,) = (step for step in steps if step.kind == "restart")
        assert "istio-injection=enabled --overwrite istio-injection- istio.io/rev=1-31-0" in restart.commands[0]
        assert "at no time have they none or two" in restart.why

    def test_the_next_upgrade_moves_the_tag(self) -> None:
        end = upgrade_plan(document(UNNAMED), TO)[-1].document
        steps = upgrade_plan(end, "1.31.1")
        assert [step.kind for step in steps].count("tags") == 2
        assert all(injector(parse(step.document), "east", "enabled") for step in steps)

    def test_a_name_at_the_same_version(self) -> None:
        steps = upgrade_plan(document(UNNAMED), "1.30.3", "stable")
        assert steps[0].kind == "control-plane"
        assert said(steps[-1]) == {"version": "1.30.3", "revision": "stable", "tags": {"default": "stable"}}


class TestRemoteBehindAHostName:
    """One injector for all its revisions (MESH424): its workloads move with the default, and are restarted there."""

    def test_restarted_with_the_default(self) -> None:
        start = document(SHORT)
        start["clusters"][0]["eastWest"] = {"address": "istiod.example.com"}
        steps = upgrade_plan(start, TO)
        restarts = [(step.kind, c) for step in steps for c in step.commands if "--cluster" in c]
        assert restarts == [
            ("tags", "mesh restart --cluster east"),
            ("tags", "mesh restart --cluster west"),
            ("default", "mesh restart --cluster far"),
        ]
        (default,) = (step for step in steps if step.kind == "default")
        assert default.rollback.commands == default.commands
        assert any(finding.code == "MESH424" for step in steps for finding in step.findings)


class TestAmbient:
    """Pods in ambient have no proxy of their own."""

    def test_nothing_is_restarted(self) -> None:
        steps = upgrade_plan(document(SHORT.replace("role: remote, controlPlane: east", ""), dataPlane="ambient"), TO)
        assert not any("mesh restart" in command for step in steps for command in step.commands)
        (default,) = (step for step in steps if step.kind == "default")
        assert "ztunnel" in default.why


class TestExternal:
    """One revision at a time: in place, and the plan says so."""

    def test_in_place(self) -> None:
        steps = upgrade_plan(document(EXTERNAL), TO)
        assert [step.kind for step in steps] == ["base", "in-place", "restart"]
        assert "it follows the default revision" in steps[0].why
        assert default_version(parse(steps[0].document)) == "1.30.3"
        assert default_version(parse(steps[1].document)) == TO
        assert "there is no canary" in steps[1].why
        assert steps[1].rollback.commands[-1] == "mesh restart"
        assert said(steps[-1]) == {"version": TO, "namespace": "external-istiod"}
        assert upgrade_plan(steps[-1].document, TO) == ()
        with pytest.raises(PlanError, match=r"in place skips no minor; go to a release of 1\.30 first"):
            upgrade_plan(document(EXTERNAL, version="1.29.3"), TO)
        with pytest.raises(PlanError, match="one revision at a time"):
            upgrade_plan(document(EXTERNAL), TO, NEW)


def pin(chart: str, values: dict[str, Any]) -> dict[str, Any]:
    """Chart values."""
    return {"values": {chart: values}}


class TestRefused:
    """Where there is no way, it is said why, and what to do."""

    @pytest.mark.parametrize(
        ("istio", "to", "revision", "message"),
        [
            ({"install": "none"}, TO, None, "something else upgrades it"),
            ({}, "1.31", None, '"1.31" is no version of Istio; write all three numbers without a v'),
            ({}, "v1.31.0", None, "is no version of Istio"),
            ({}, "1.30.2", None, "is at 1.30.3 already, which is newer than 1.30.2"),
            ({}, "1.30.3-rc.0", None, "newer than 1.30.3-rc.0"),
            ({"version": "1.28.6"}, TO, None, "too far for one upgrade: a canary skips one minor at most; .* of 1.30"),
            ({}, TO, "1.31.0", "cannot be the name of a revision"),
            ({}, TO, "default", "cannot be the name of a revision"),
            ({}, TO, "", "needs a name to stand beside the old one"),
            ({}, TO, "1-30-3", "is there already at 1.30.3"),
            ({}, TO, "prod", "is the name of a tag"),
            (
                pin("istiod", {"global": {"tag": "1.30.3"}}),
                TO,
                None,
                r"istiod\.global\.tag: this pins images to \"1.30",
            ),
            (pin("istiod", {"pilot": {"tag": "1.31.0"}}), TO, None, "the canary would be the old version"),
            (pin("istiod", {"tag": "1.30.3"}), TO, None, r"istio\.values\.istiod\.tag"),
            (pin("istiod", {"image": "r.example.com/pilot:1.30.3"}), TO, None, r"istio\.values\.istiod\.image"),
            (pin("ztunnel", {"tag": "1.30.3"}), TO, None, r"istio\.values\.ztunnel\.tag"),
        ],
    )
    def test_refused(self, istio: dict[str, Any], to: str, revision: str | None, message: str) -> None:
        with pytest.raises(PlanError, match=message):
            upgrade_plan(document(SHORT, **istio), to, revision)

    def test_a_registry_is_no_version(self) -> None:
        hub = {"global": {"hub": "registry.example.com/istio"}}
        assert upgrade_plan(document(SHORT, **pin("istiod", hub)), TO)

    def test_a_canary_that_is_no_cluster(self) -> None:
        with pytest.raises(PlanError, match='no cluster "north"'):
            upgrade_plan(document(SHORT), TO, canary="north")

    def test_a_document_with_errors(self) -> None:
        with pytest.raises(FindingsError, match="MESH104"):
            upgrade_plan(document(SHORT, revision="1.30"), TO)

    def test_nothing_to_do(self) -> None:
        assert upgrade_plan(document(SHORT), "1.30.3") == ()

    def test_another_target_in_the_middle(self) -> None:
        middle = upgrade_plan(document(SHORT), TO)[2].document
        with pytest.raises(PlanError, match="go back through the documents of its steps"):
            upgrade_plan(middle, "1.30.4")


def test_versions_are_ordered() -> None:
    mixed = ["1.31.1", "1.31.0", "1.31.0-rc.10", "1.30.10", "1.31.0-rc.2", "1.31.0-alpha.1"]
    ordered = ["1.30.10", "1.31.0-alpha.1", "1.31.0-rc.2", "1.31.0-rc.10", "1.31.0", "1.31.1"]
    assert sorted(mixed, key=sort_key) == ordered


class TestApplications:
    """Each goes over by the label of its namespace, and at the end the document says no more of it than before."""

    def test_one_that_follows_the_default_moves_on_its_own(self) -> None:
        start = {**document(SHORT), "applications": APPLICATIONS}
        steps = upgrade_plan(start, TO)
        (moves,) = [step for step in steps if step.kind == "application"]
        assert moves.document["applications"]["helloworld"] == {"revision": NEW}
        assert "mesh restart --namespace sample" in moves.commands
        kinds = [step.kind for step in steps]
        assert kinds.index("tags") < kinds.index("application") < kinds.index("restart") < kinds.index("default")
        assert steps[-1].document["applications"] == APPLICATIONS

    def test_no_namespace_is_ever_without_an_injector(self) -> None:
        for text in (SHORT, UNNAMED):
            applied = {"helloworld": {}, "bookinfo": {"revision": "prod"} if text is SHORT else {}}
            for step in upgrade_plan({**document(text), "applications": applied}, TO):
                mesh = parse(step.document)
                for cluster in plan(mesh).clusters:
                    known = {*(item.name for item in cluster.revisions), *dict(cluster.tags)}
                    for application in cluster.applications:
                        labels = dict(application.labels)
                        assert labels.get("istio.io/rev", "") in known, step.title

    def test_in_ambient_there_is_nothing_to_move(self) -> None:
        start = {**document(UNNAMED, dataPlane="ambient"), "applications": APPLICATIONS}
        start["applications"] = {"helloworld": {}}
        assert "application" not in [step.kind for step in upgrade_plan(start, TO)]

    def test_a_plan_from_the_middle_is_the_rest(self) -> None:
        steps = upgrade_plan({**document(SHORT), "applications": APPLICATIONS}, TO)
        for number, step in enumerate(steps):
            if step.changes_document:
                rest = [item.title for item in upgrade_plan(step.document, TO)]
                assert [item.title for item in steps[number + 1 :] if item.changes_document] == [
                    title for title in rest if title in {item.title for item in steps if item.changes_document}
                ]
