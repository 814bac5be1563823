"""A document is read strictly, all its mistakes at once, and nothing that stands in it by mistake is repeated."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import Finding, FindingsError, MeshSettings, Severity, parse
from mesh_components.settings.document import place
from mesh_components.settings.schema import json_schema

DOCUMENT: Mapping[str, Any] = {
    "id": "mesh1",
    "clusters": [
        {"name": "east", "network": "network1", "kubeconfig": {"file": "east"}, "podRanges": ["10.0.0.0/16"]},
        {"name": "west", "network": "network2", "eastWest": {"minReplicas": 2}},
    ],
}
STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))
SECRET = "hunter2-hunter2"


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The document with one value set."""
    document: dict[str, Any] = copy.deepcopy(dict(DOCUMENT))
    parent: Any = document
    for part in path[:-1]:
        parent = parent.setdefault(part, {}) if isinstance(parent, dict) else parent[part]
    parent[path[-1]] = value
    return document


def refused(document: Any) -> tuple[Finding, ...]:
    with pytest.raises(FindingsError) as raised:
        parse(document)
    return raised.value.findings


def outcome(document: Any) -> MeshSettings | FindingsError:
    """What reading a document comes to; any other exception fails the test."""
    try:
        return parse(document)
    except FindingsError as error:
        return error


def valid(document: Any) -> bool:
    return jsonschema.Draft202012Validator(json_schema()).is_valid(document)


def test_a_document_becomes_settings() -> None:
    mesh = parse(DOCUMENT)
    assert [cluster.name for cluster in mesh.clusters] == ["east", "west"]
    assert mesh.clusters[0].pod_ranges == ("10.0.0.0/16",)
    assert mesh.clusters[1].east_west.min_replicas == 2


class TestShape:
    """MESH001: a key that nobody reads is a wish that nobody hears."""

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("trustdomain",), "x"),
            (("clusters", 1, "pod_ranges"), ["10.0.0.0/16"]),
            (("clusters", 1, "east_west"), {}),
            (("istio", "meshConfig", "proxy", "includeIpRanges"), []),
            (("clusters", 0, "kubeconfig", "contents"), "x"),
        ],
    )
    def test_an_unknown_key_is_named_and_the_schema_agrees(self, path: tuple[str | int, ...], value: Any) -> None:
        (found,) = refused(changed(path, value))
        assert (found.code, found.place, found.severity) == ("MESH001", place(path), Severity.ERROR)
        assert "unknown" in found.reason
        assert not valid(changed(path, value))

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("id",), 1),
            (("id",), None),
            (("istio", "version"), 1.30),
            (("clusters",), {}),
            (("clusters", 0, "role"), "secondary"),
            (("clusters", 0, "podRanges"), "10.0.0.0/16"),
            (("clusters", 0, "podRanges"), [10]),
            (("clusters", 1, "eastWest", "minReplicas"), 0),
            (("istio", "values"), {"istiod": []}),
            (("istio", "meshConfig", "tracing"), {"sampling": 101}),
            (("trust", "algorithm"), "Ed25519"),
        ],
    )
    def test_a_wrong_type_is_named_and_the_schema_agrees(self, path: tuple[str | int, ...], value: Any) -> None:
        found = refused(changed(path, value))
        assert {finding.code for finding in found} == {"MESH001"}
        assert all(finding.place.startswith(place(path)) for finding in found)
        assert not valid(changed(path, value))

    def test_what_is_missing_is_named(self) -> None:
        assert [finding.place for finding in refused({})] == ["id", "clusters"]

    def test_all_mistakes_are_told_at_once(self) -> None:
        document = changed(("clusters", 0, "nam"), "x")
        document["trust"] = {"algorithm": "x"}
        document["clusters"][1]["network"] = 5
        assert {finding.place for finding in refused(document)} == {
            "trust.algorithm",
            "clusters[0].nam",
            "clusters[1].network",
        }

    def test_no_message_repeats_a_value(self) -> None:
        for path in (("id",), ("clusters", 0, "role"), ("clusters", 0, "kubeconfig"), ("nowhere",)):
            assert SECRET not in str(FindingsError(refused(changed(path, [SECRET]))))

    def test_no_message_repeats_what_is_too_long_for_a_key(self) -> None:
        assert [finding.place for finding in refused(changed((SECRET * 9,), 1))] == ["(unprintable key)"]

    def test_settings_cannot_be_changed_afterwards(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            parse(DOCUMENT).id = "other"  # type: ignore[misc]


class TestAbsent:
    @pytest.mark.parametrize("document", [None, [], "mesh", 5, True])
    def test_no_document_is_one_finding(self, document: Any) -> None:
        (found,) = refused(document)
        assert (found.code, found.place) == ("MESH002", "(document)")


class TestPasted:
    """MESH003: the stack file is committed, so a secret in it is known to everyone who may read the repository."""

    PEM = "-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----\n"
    PASTED = (
        PEM,
        "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpodW50ZXIy",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6Imh1bnRlcjIifQ.e30.hunter2",
        "apiVersion: v1\nkind: Config\nusers: [hunter2]\n",
    )

    @pytest.mark.parametrize("secret", PASTED)
    @pytest.mark.parametrize(
        "path",
        [
            ("id",),
            ("clusters", 0, "kubeconfig", "file"),
            ("istio", "values", "istiod", "env", "deep"),
            ("clusters", 1, "podRanges"),
        ],
    )
    def test_a_secret_is_found_anywhere_and_not_repeated(self, path: tuple[str | int, ...], secret: str) -> None:
        value = [secret] if path[-1] == "podRanges" else secret
        found = refused(changed(path, value))
        assert any(finding.code == "MESH003" and finding.place.startswith(place(path)) for finding in found)
        assert "hunter2" not in str(FindingsError(found))

    def test_a_secret_is_found_in_a_document_of_the_wrong_shape(self) -> None:
        codes = {finding.code for finding in refused(changed(("kubeconfig",), {"contents": self.PEM}))}
        assert codes == {"MESH001", "MESH003"}

    def test_a_secret_in_the_place_of_a_key_is_found(self) -> None:
        found = refused(changed(("istio", "values", "istiod", self.PEM), 1))
        assert {finding.code for finding in found} == {"MESH003"}
        assert "hunter2" not in str(FindingsError(found))

    def test_a_name_is_no_secret(self) -> None:
        assert parse(changed(("clusters", 0, "kubeconfig"), {"secret": "eastKubeconfig"}))


class TestFindingsError:
    def test_one_error_is_singular(self) -> None:
        assert str(FindingsError(refused(changed(("x",), 1)))).startswith("the mesh document has 1 error; nothing")

    def test_warnings_are_shown_and_not_counted(self) -> None:
        warning = Finding("MESH106", Severity.WARNING, "clusters", "one cluster", "add one")
        text = str(FindingsError([warning]))
        assert text.startswith("the mesh document has 0 errors;")
        assert "MESH106 warning at clusters: one cluster" in text
        assert "docs/findings/MESH106.md" in text

    def test_a_finding_for_machines_has_all_of_it(self) -> None:
        (found,) = refused(None)
        assert set(found.as_json()) == {"code", "severity", "place", "reason", "fix", "page"}


class TestSchema:
    def test_the_schema_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(json_schema())

    def test_the_schema_takes_what_parse_takes(self) -> None:
        assert valid(DOCUMENT)

    def test_every_key_has_a_description_or_says_enough_by_its_type(self) -> None:
        properties = json_schema()["properties"]
        assert properties["id"]["description"]
        assert "trustDomain" in properties

    @pytest.mark.parametrize("stack", STACKS, ids=lambda path: path.name)
    def test_every_recipe_is_valid(self, stack: Path) -> None:
        document = yaml.safe_load(stack.read_text())["config"]["mesh:mesh"]
        jsonschema.Draft202012Validator(json_schema()).validate(document)
        parse(document)

    def test_what_was_parsed_is_written_as_it_was_read(self) -> None:
        mesh = parse(DOCUMENT)
        written = mesh.model_dump(mode="json", by_alias=True)
        assert parse(written) == mesh
        assert valid(written)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.sampled_from(["id", "clusters", "10.0.0.0/8", "primary", "none"])
)
KEYS = st.sampled_from(["id", "clusters", "istio", "trust", "name", "network", "values", "istiod", "kubeconfig"])
GARBAGE = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text() | st.integers() | st.none(), inner),
    max_leaves=20,
)


class TestGarbage:
    """Whatever YAML can hold, the answer is settings or findings."""

    @given(GARBAGE)
    def test_garbage_is_refused_in_findings(self, document: Any) -> None:
        read = outcome(document)
        assert isinstance(read, MeshSettings) or read.findings

    @given(st.sampled_from(["id", "istio", "trust", "trustDomain", "clusters"]), GARBAGE)
    def test_garbage_in_one_place_is_refused_there(self, key: str, garbage: Any) -> None:
        read = outcome(changed((key,), garbage))
        assert isinstance(read, MeshSettings) or all(finding.place.startswith(key) for finding in read.findings)

    def test_a_document_that_contains_itself_is_read(self) -> None:
        values = yaml.safe_load("&loop {env: {again: *loop}}")
        assert parse(changed(("istio", "values", "istiod"), values))

    def test_a_document_of_any_depth_is_read(self) -> None:
        deep: Any = "-----BEGIN PRIVATE KEY-----"
        for _ in range(3000):
            deep = [deep]
        assert {finding.code for finding in refused(changed(("clusters", 0, "podRanges"), deep))} >= {"MESH003"}
