"""Trust between meshes as objects: accepted by Istio's own schema, with no field that an API server would drop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
import yaml

from mesh_components.gateways import expose
from mesh_components.settings.meshes import ExportPort, ExportSettings, ImportSettings, OtherMesh
from mesh_components.trust import between
from tests.support.istio_documents import CRDS
from tests.support.mesh_authority import HELLO, MeshAuthority, facts

NS = "istio-system"
SAID = facts(MeshAuthority("Root CA of mesh2"))
MESH2 = OtherMesh(name="mesh2", trust_domain="mesh2.example")
WANTED = ImportSettings(host="helloworld.sample", called="helloworld.mesh2.global", namespaces=("shop",))
EXPORT = ExportSettings(
    host="reviews.bookinfo",
    ports=(ExportPort(number=9080, name="http", protocol="HTTP"), ExportPort(number=9000, name="tcp")),
    accounts=("bookinfo/reviews",),
    meshes=("mesh2",),
    callers=("shop/till",),
)
OBJECTS = [
    between.policy(NS, MESH2, [EXPORT]),
    between.policy(NS, MESH2, []),
    between.service_entry(NS, WANTED, between.service_entry_spec(MESH2, WANTED, SAID)),
    between.destination_rule(NS, WANTED, between.destination_rule_spec(MESH2, WANTED, SAID)),
    expose.to_other_meshes(NS, [HELLO.host]),
]


def unknown(value: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Fields that the schema does not have: a real API server drops them and says nothing."""
    if isinstance(value, Mapping) and "properties" in schema:
        for key, item in value.items():
            if key not in schema["properties"]:
                yield f"{path}.{key}"
            else:
                yield from unknown(item, schema["properties"][key], f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from unknown(item, schema.get("items", {}), f"{path}[]")


@pytest.mark.skipif(not CRDS.is_file(), reason="Istio's CRDs are kept beside the project, not in it")
@pytest.mark.parametrize("made", OBJECTS, ids=lambda made: f"{made['kind']}-{made['metadata']['name']}")
def test_istio_s_own_schema_accepts_it(made: Any) -> None:
    crds = {item["spec"]["names"]["kind"]: item for item in yaml.load_all(CRDS.read_text(), yaml.CSafeLoader) if item}
    versions = {version["name"]: version for version in crds[made["kind"]]["spec"]["versions"]}
    schema = versions[made["apiVersion"].rpartition("/")[2]]["schema"]["openAPIV3Schema"]
    jsonschema.validate(made, schema)
    assert list(unknown(made["spec"], schema["properties"]["spec"])) == []
    assert list(unknown({**made["spec"], "invented": 1}, schema["properties"]["spec"])) == [".invented"]
