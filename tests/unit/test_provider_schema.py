"""The schema that programs in other languages are written with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mesh_components.provider.schema import package
from mesh_components.provider.served import SERVED
from mesh_components.settings.schema import json_schema
from tests.support.graph import ROOT

GOLDEN = ROOT / "provider" / "schema.json"
KINDS = {"boolean", "integer", "number", "string", "array", "object"}
SPEC_KEYS = {"$ref", "type", "plain", "items", "additionalProperties", "oneOf", "description", "secret"}
RESERVED = {"pulumi"}
"""Property names that Pulumi keeps for itself; of a resource `urn` and `id` too."""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text())
    return found


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of every resource and type: owner, name, property."""
    for token, item in schema["resources"].items():
        for part in ("inputProperties", "properties"):
            yield from ((f"{token}.{part}", name, found) for name, found in item[part].items())
    for token, item in schema["types"].items():
        yield from ((token, name, found) for name, found in item.get("properties", {}).items())


def specs(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield spec
    for part in (spec.get("items"), spec.get("additionalProperties"), *spec.get("oneOf", ())):
        if part is not None:
            yield from specs(part)


def test_it_is_what_the_components_say() -> None:
    assert json.loads(GOLDEN.read_text()) == json.loads(json.dumps(package())), "run `make provider-schema`"


def test_every_component_says_what_it_is(schema: dict[str, Any]) -> None:
    assert set(schema["resources"]) == {item.token for item in SERVED}
    assert all(item["isComponent"] and item["description"] for item in schema["resources"].values())


def test_every_type_is_one_that_pulumi_knows(schema: dict[str, Any]) -> None:
    """The rules of Pulumi's own metaschema that this package could break."""
    own = {f"#/{part}/{name}" for part in ("resources", "types") for name in schema[part]}
    kubernetes = {f"/{item['name']}/v{item['version']}/schema.json#/provider" for item in schema["dependencies"]}
    for owner, name, found in properties(schema):
        for spec in specs(found):
            where = f"{owner}.{name}"
            assert set(spec) <= SPEC_KEYS, where
            assert ("$ref" in spec) + ("type" in spec) + ("oneOf" in spec) == 1, where
            assert spec.get("type", "string") in KINDS, where
            assert spec.get("$ref", "pulumi.json#/Any") in own | kubernetes | {"pulumi.json#/Any"}, where
            assert ("items" in spec) == (spec.get("type") == "array"), where


def test_what_is_required_is_there(schema: dict[str, Any]) -> None:
    for item in schema["resources"].values():
        assert set(item["requiredInputs"]) <= set(item["inputProperties"])
        assert set(item["required"]) <= set(item["properties"])
        assert not {"id", "urn"} & set(item["properties"])
    for item in schema["types"].values():
        assert set(item.get("required", ())) <= set(item.get("properties", ()))


def test_names_are_those_of_other_languages(schema: dict[str, Any]) -> None:
    names = {name for _, name, _ in properties(schema)}
    assert not [name for name in names if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name)]
    assert not names & RESERVED


def test_types_are_named_once_whatever_their_case(schema: dict[str, Any]) -> None:
    """Types and resources share one room in Go, and file names in TypeScript have no case on some machines."""
    names = [token.rsplit(":", 1)[-1].lower() for part in ("resources", "types") for token in schema[part]]
    assert len(names) == len(set(names))


def test_the_document_is_there_as_a_whole(schema: dict[str, Any]) -> None:
    document = json_schema()
    for name, shape in {"MeshSettings": document, **document["$defs"]}.items():
        if "properties" in shape:
            assert set(schema["types"][f"mesh:index:{name}"]["properties"]) == set(shape["properties"]), name


def test_secrets_are_marked(schema: dict[str, Any]) -> None:
    secret = [f"{owner}.{name}" for owner, name, found in properties(schema) if found.get("secret")]
    assert {name.removeprefix("mesh:index:") for name in secret} == {
        "AttachedCluster.inputProperties.kubeconfig",
        "AttachedCluster.properties.kubeconfig",
        "CaBundle.caKey",
        "MeshFederation.inputProperties.kubeconfigs",
        "ReaderToken.properties.token",
        "RemoteSecret.inputProperties.certificateAuthority",
        "RemoteSecret.inputProperties.kubeconfig",
        "RemoteSecret.inputProperties.user",
        "RootCA.properties.bundles",
    }


def test_what_decides_takes_no_outputs(schema: dict[str, Any]) -> None:
    """Values that are known later must not decide how many resources there are."""
    settings = [found for owner, _, found in properties(schema) if owner.endswith("Settings")]
    assert settings
    assert all(spec["plain"] for found in settings for spec in specs(found) if spec != {"$ref": "pulumi.json#/Any"})
    gateway = schema["resources"]["mesh:index:EastWestGateway"]["inputProperties"]
    assert gateway["minReplicas"]["plain"]
    assert "plain" not in gateway["namespace"]
