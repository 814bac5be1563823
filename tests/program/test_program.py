"""The repository's own program on its own stack files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from mesh_components import MeshFederation
from mesh_components.stack import from_stack
from tests.support.graph import ROOT, Graph, run
from tests.support.meshes import kubeconfig
from tests.support.rendered import rendered

STACKS = sorted(ROOT.glob("stacks/Pulumi.*.yaml"))


def settings_of(stack: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(stack.read_text())["config"]
    return config


def secrets_of(document: dict[str, Any]) -> dict[str, str]:
    names = [c["kubeconfig"]["secret"] for c in document["clusters"] if "secret" in c["kubeconfig"]]
    return {f"mesh:{name}": kubeconfig(name) for name in names}


def program(folder: Path, document: Any, secrets: Mapping[str, str], *, preview: bool = False, **rest: Any) -> Graph:
    """`__main__.py` in a folder of its own, so that relative paths start there."""
    config = {"mesh:mesh": json.dumps(document), **secrets}
    source = compile((ROOT / "__main__.py").read_text(), "__main__.py", "exec")

    def main() -> None:
        exec(source, {"__name__": "__main__", "__file__": str(folder / "__main__.py")})  # noqa: S102 - our own program

    return run(main, config=config, secrets=list(secrets), charts=rendered, preview=preview, **rest)


@pytest.mark.parametrize("stack", STACKS, ids=lambda path: path.stem)
def test_every_stack_file_is_a_mesh(stack: Path, tmp_path: Path, snapshot: Any) -> None:
    settings = settings_of(stack)
    assert settings["pulumi:disable-default-providers"] == ["kubernetes"]
    document = settings["mesh:mesh"]
    for cluster in document["clusters"]:
        if "file" in cluster["kubeconfig"]:
            path = tmp_path / cluster["kubeconfig"]["file"]
            path.parent.mkdir(parents=True)
            path.write_text(kubeconfig(cluster["name"]))
    up = program(tmp_path, document, secrets_of(document))
    preview = program(tmp_path, document, secrets_of(document), preview=True)
    assert up.drawing() == preview.drawing() == snapshot
    assert all(item.provider for item in up.kubernetes())
    assert set(up.stack_outputs) == {
        "gateways",
        "loadBalancers",
        "ambientGateways",
        "rootFingerprint",
        "expires",
        "edges",
    }
    assert all("PRIVATE KEY" not in text for text in map(str, up.stack_outputs.values()))


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        (None, ["MESH002"]),
        ({"id": "m", "clusters": [{"name": "a", "network": "n", "nettwork": "n"}]}, ["MESH001"]),
        (
            {
                "id": "m",
                "clusters": [
                    {"name": "a", "network": "n", "kubeconfig": {"file": "absent"}},
                    {"name": "a", "network": "n", "kubeconfig": {"environment": "NO_SUCH_VARIABLE"}},
                ],
            },
            ["MESH102", "MESH501"],
        ),
    ],
)
def test_findings_stop_the_program_before_the_first_resource(
    document: Any, codes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(pulumi.Resource, "__init__", lambda *args, **_: made.append(str(args[1])))
    from pulumi.runtime.config import set_all_config

    set_all_config({} if document is None else {"mesh:mesh": json.dumps(document)}, [])
    with pytest.raises(pulumi.RunError) as caught:
        MeshFederation("mesh", from_stack(pulumi.Config("mesh"), tmp_path))
    assert made == []
    for code in codes:
        assert code in str(caught.value)
        assert f"docs/findings/{code}.md" in str(caught.value)
