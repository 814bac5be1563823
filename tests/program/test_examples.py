"""Every example is a program that runs, in preview and in up, and that a folder's README describes."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
import yaml

import mesh_components
from mesh_components import AttachedCluster, AttachedClusterArgs
from tests.support.graph import ROOT, STACK_OUTPUTS, run, run_main
from tests.support.meshes import exported, federation, kubeconfig
from tests.support.recipes import CLUSTERS, TOPOLOGIES
from tests.support.recipes import document as recipe
from tests.support.rendered import rendered

EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/__main__.py"))
COMPONENTS = [
    name
    for name in mesh_components.__all__
    if isinstance(kind := getattr(mesh_components, name), type) and issubclass(kind, pulumi.ComponentResource)
]


def config_of(example: Path, folder: Path) -> dict[str, str]:
    """The example's own stack settings, with kubeconfigs of this test in place of the lab's."""
    (stack,) = example.glob("Pulumi.*.yaml")
    written = yaml.safe_load(stack.read_text())["config"]
    config: dict[str, str] = {}
    for key in written:
        if key.lower().endswith("kubeconfig"):
            path = folder / key.replace(":", "-")
            path.write_text(kubeconfig(key.split(":")[1]))
            config[key] = str(path)
        elif ":disable-" not in key:
            config[key] = written[key]
    # Programs under mocks are in the project `mesh`, whatever they are called.
    return {f"mesh:{key.split(':')[1]}": value for key, value in config.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_a_project_is_called_as_its_folder(example: Path) -> None:
    assert yaml.safe_load((example / "Pulumi.yaml").read_text())["name"] == example.name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path, tmp_path: Path) -> None:
    config = config_of(example, tmp_path)
    up = run_main(example, config, charts=rendered)
    preview = run_main(example, config, charts=rendered, preview=True)
    assert up.drawing() == preview.drawing()
    assert up.stack_outputs
    assert all(item.provider for item in up.kubernetes())
    readme = (example / "README.md").read_text()
    on_lab = (example / "Pulumi.lab.yaml").exists()
    command = "up --cwd examples/{} --stack lab" if on_lab else "preview --cwd examples/{} --stack dev"
    assert f"mesh {command.format(example.name)}" in readme


def test_every_component_has_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it is what a recipe makes: most of a topology's parts are of no use alone."""
    programs = "".join((example / "__main__.py").read_text() for example in EXAMPLES)
    monkeypatch.setitem(STACK_OUTPUTS, "clusters", {name: exported(name) for name in ("east", "west")})
    graphs = [federation(recipe(name)) for name in (*TOPOLOGIES, *CLUSTERS)]
    recipes = {item.type for graph in graphs for item in graph.resources_by_name.values()}
    shown = {name for name in COMPONENTS if f"{name}(" in programs or f"mesh:index:{name}" in recipes}
    # A tag is part of an upgrade, whose page has its document; the lab has no cert-manager, test_sources has its mesh.
    assert set(COMPONENTS) - shown == {"CertManagerCaCerts", "RevisionTag"}


@pytest.mark.parametrize("contents", ["", "  ", "{}", "not: a kubeconfig", "/home/me/.kube/config"])
def test_a_cluster_without_a_kubeconfig_is_refused(contents: str) -> None:
    """A provider with an empty one would go to whatever cluster kubectl points at."""

    def program() -> None:
        AttachedCluster("east", AttachedClusterArgs(kubeconfig=contents))

    with pytest.raises(pulumi.RunError, match=r"AttachedCluster: .*give the contents"):
        run(program)
