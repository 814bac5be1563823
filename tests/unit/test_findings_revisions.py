"""Revisions and tags: every namespace has an injector, every gateway too, at every step of an upgrade."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import MeshSettings, Severity
from mesh_components.topology.findings import findings
from tests.support.findings import ERROR, EXTERNAL, REMOTE, WARNING, Patch, brief, clusters, codes, istio, mesh, one

OLD: Patch = {"name": "old"}
NEW: Patch = {"name": "new"}


def revisions(*stated: Patch, revision: str = "old", east: Patch | None = None, **keys: Any) -> MeshSettings:
    """The good mesh with these revisions."""
    return mesh({"istio": {"version": "1.30.5", "revision": revision, "revisions": list(stated), **keys}}, east=east)


@pytest.mark.parametrize(
    ("code", "severity", "place", "settings"),
    [
        ("MESH104", ERROR, "istio.revision", istio(revision="default")),
        ("MESH104", ERROR, "istio.revision", istio(revision="r" * 57)),
        ("MESH104", ERROR, "istio.revisions[1].name", revisions(OLD, {"name": "1.30.5"})),
        ("MESH104", ERROR, "istio.tags.Prod", istio(tags={"Prod": ""})),
        ("MESH104", ERROR, "istio.tags.", istio(tags={"": ""})),
        ("MESH104", ERROR, f"istio.tags.{'t' * 44}", istio(tags={"t" * 44: ""})),
        ("MESH104", ERROR, "clusters[0].tags.a.b", mesh(east={"tags": {"a.b": ""}})),
        ("MESH401", ERROR, "istio.revisions[1].version", revisions(OLD, {**NEW, "version": "1.30"})),
        ("MESH601", ERROR, "istio.revisions[1].name", revisions(OLD, OLD)),
        ("MESH602", ERROR, "istio.revision", revisions(OLD, NEW, revision="")),
        ("MESH602", ERROR, "istio.revision", revisions(OLD, NEW, revision="older")),
        ("MESH603", ERROR, "istio.revisions[1].clusters[1]", revisions(OLD, {**NEW, "clusters": ["east", "nowhere"]})),
        ("MESH604", ERROR, "istio.revisions", revisions({**OLD, "clusters": ["east"]})),
        ("MESH605", ERROR, "istio.revision", revisions(OLD, {**NEW, "clusters": ["east"]}, revision="new")),
        ("MESH606", ERROR, "clusters[0].eastWest.revision", revisions(OLD, east={"eastWest": {"revision": "new"}})),
        ("MESH606", ERROR, "clusters[0].eastWest.revision", mesh(east={"eastWest": {"revision": "1-30"}})),
        (
            "MESH607",
            ERROR,
            "istio.revisions",
            clusters({}, REMOTE, istio={"revision": "old", "revisions": [OLD, {**NEW, "clusters": ["c1"]}]}),
        ),
        (
            "MESH608",
            WARNING,
            "istio.revisions[0].version",
            revisions({**OLD, "version": "1.30.5"}, {**NEW, "version": "1.32.0"}, version="1.32.0", install="none"),
        ),
        (
            "MESH609",
            WARNING,
            "istio.revisions[1].version",
            revisions(OLD, {**NEW, "version": "1.31.1"}, charts={"folder": "c"}),
        ),
        ("MESH610", ERROR, "istio.tags.prod", istio(tags={"prod": "old"})),
        ("MESH610", ERROR, "istio.tags.prod", revisions(OLD, {**NEW, "clusters": ["east"]}, tags={"prod": "new"})),
        ("MESH610", ERROR, "clusters[0].tags.prod", mesh(east={"tags": {"prod": "new"}})),
        (
            "MESH610",
            ERROR,
            "clusters[0].tags.prod",
            revisions(OLD, {**NEW, "clusters": ["west"]}, east={"tags": {"prod": "new"}}),
        ),
        ("MESH611", ERROR, "istio.tags.new", revisions(OLD, NEW, tags={"new": "old"})),
        ("MESH612", ERROR, "istio.tags.default", istio(tags={"default": ""})),
        ("MESH612", ERROR, "clusters[0].tags.default", revisions(OLD, {"name": ""}, east={"tags": {"default": "old"}})),
    ],
)
def test_the_document_provokes(code: str, severity: Severity, place: str, settings: MeshSettings) -> None:
    found = tuple(f for f in findings(settings) if f.code not in {"MESH401", "MESH406"} or f.code == code)
    assert one(found, code, severity, place).fix


@pytest.mark.parametrize(
    "settings",
    [
        revisions(OLD),
        revisions(OLD, NEW, tags={"prod": "old", "canary": "new"}),
        revisions(OLD, {**NEW, "clusters": ["east"]}, tags={"prod": "old"}, east={"tags": {"prod": "new"}}),
        revisions({**OLD, "clusters": ["west"]}, NEW, revision="new"),
        revisions(OLD, NEW, tags={"default": "old"}),
        revisions(OLD, tags={"prod": "old"}, east={"eastWest": {"revision": "prod"}}),
        revisions({"name": ""}, NEW, revision="", tags={"canary": "new", "prod": ""}),
        revisions(OLD, {**NEW, "clusters": []}),
        revisions({**OLD, "version": "1.30.3"}, NEW),
        istio(revision="r" * 56),
        istio(tags={"t" * 43: ""}),
        clusters({}, REMOTE, istio={"revision": "old", "revisions": [OLD, {**NEW, "clusters": ["c0"]}]}),
        clusters({**EXTERNAL, "eastWest": {"revision": "theirs"}}, {"role": "config"}, istio={"namespace": "x"}),
    ],
)
def test_steps_of_an_upgrade_pass(settings: MeshSettings) -> None:
    assert findings(settings) == ()


class TestSkew:
    def test_one_minor_apart_is_an_upgrade(self) -> None:
        found = findings(
            revisions(
                {**OLD, "version": "1.30.5"}, {**NEW, "version": "1.31.1"}, version="1.31.1", charts={"folder": "c"}
            )
        )
        assert found == ()

    def test_three_minors_are_more_than_even_a_canary_may_jump(self) -> None:
        settings = revisions(
            {**OLD, "version": "1.28.10"}, {**NEW, "version": "1.31.1"}, version="1.31.1", install="none"
        )
        assert (
            "not even a canary upgrade"
            in one(findings(settings), "MESH608", WARNING, "istio.revisions[0].version").reason
        )

    def test_crds_of_another_are_not_compared(self) -> None:
        settings = revisions(OLD, {**NEW, "version": "1.31.1"}, crds="none", charts={"folder": "c"})
        assert findings(settings) == ()


class TestWords:
    def test_the_unnamed_revision_has_a_word(self) -> None:
        assert "the revision without a name" in findings(revisions(OLD, NEW, revision=""))[0].reason

    def test_a_tag_of_the_mesh_is_told_once_with_the_clusters_that_lack_its_revision(self) -> None:
        found = findings(revisions(OLD, {**NEW, "clusters": []}, tags={"prod": "new"}))
        assert codes(found) == ["MESH610"]
        assert '"east" and "west"' in found[0].reason

    def test_a_cluster_that_points_the_tag_elsewhere_is_not_blamed(self) -> None:
        settings = revisions(OLD, {**NEW, "clusters": ["west"]}, tags={"prod": "new"}, east={"tags": {"prod": "old"}})
        assert brief(findings(settings)) == []

    def test_an_overlong_key_is_not_repeated(self) -> None:
        long = "t" * 500
        assert long not in "".join(map(str, findings(istio(tags={long: "x"}))))

    def test_tags_of_another_tool_are_its_own(self) -> None:
        assert codes(findings(istio(install="none", tags={"prod": "theirs", "default": ""}))) == ["MESH406"]

    def test_a_tag_and_a_revision_whose_services_have_one_name(self) -> None:
        found = findings(istio(revision="revision-tag-prod", tags={"prod": "revision-tag-prod"}))
        assert "istiod-revision-tag-prod" in one(found, "MESH611", ERROR, "istio.tags.prod").reason
