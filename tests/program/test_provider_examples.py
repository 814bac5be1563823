"""The examples in other languages: the one in YAML is run through the host process, as Pulumi would read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.graph import ROOT, Graph
from tests.support.meshes import kubeconfig
from tests.support.provider_host import Program, hosting, output, plain, reference
from tests.support.rendered import rendered

SCHEMA: dict[str, Any] = json.loads((ROOT / "provider" / "schema.json").read_text())
EXAMPLES = [ROOT / "examples" / name for name in ("typescript", "yaml")]


@pytest.fixture
def program() -> Iterator[Program]:
    with hosting() as host, host.program(Graph(rendered)) as found:
        yield found


def made(program: Program, written: Mapping[str, Any]) -> dict[str, Any]:
    """What the resources of a program in YAML give, by their names: those that another one names come first."""
    known: dict[str, Any] = {name: output(kubeconfig(name), secret=True) for name in written["config"]}
    for name, item in written["resources"].items():
        kind = item["type"].replace("mesh:", "mesh:index:", 1)
        declared = SCHEMA["resources"][kind]
        assert set(item["properties"]) <= set(declared["inputProperties"])
        assert set(item["properties"]) >= set(declared["requiredInputs"])
        constructed = program.construct(kind.rsplit(":", 1)[-1], name, evaluated(item["properties"], known))
        known |= {name: reference(constructed.urn)}
        known |= {f"{name}.{key}": value for key, value in constructed.state.items()}
    return known


def evaluated(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: evaluated(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluated(item, known) for item in value]
    named = re.fullmatch(r"\$\{(.+)\}", value) if isinstance(value, str) else None
    return known[named[1]] if named else value


def test_yaml(program: Program) -> None:
    written = yaml.safe_load((ROOT / "examples" / "yaml" / "Pulumi.yaml").read_text())
    known = made(program, written)
    assert evaluated(written["outputs"]["edges"], known) == ["east -> west", "west -> east"]
    assert set(plain(evaluated(written["outputs"]["gateways"], known))) == {"east", "west"}
    graph = program.graph
    assert {graph.cluster(item) for item in graph.kubernetes()} == {"east", "west"}
    (budget,) = graph.of_type("kubernetes:policy/v1:PodDisruptionBudget")
    assert graph.cluster(budget) == "west"
    assert [item.name for item in graph.of_type("mesh:index:AttachedCluster")] == ["east", "west"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_a_project_takes_the_plugin_of_this_repository(example: Path) -> None:
    project = yaml.safe_load((example / "Pulumi.yaml").read_text())
    assert project["name"] == example.name
    assert (example / project["packages"]["mesh"] / "PulumiPlugin.yaml").is_file()
    assert "pulumi up" in (example / "README.md").read_text()


def test_typescript_depends_on_what_the_schema_names() -> None:
    dependencies = json.loads((ROOT / "examples" / "typescript" / "package.json").read_text())["dependencies"]
    assert SCHEMA["language"]["nodejs"]["packageName"] in dependencies
    assert dependencies["@pulumi/kubernetes"] == SCHEMA["dependencies"][0]["version"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+|file:sdks/mesh", version) for version in dependencies.values())
