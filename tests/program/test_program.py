"""The repository's own program on its own stack files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from mesh_components import MeshFederation
from mesh_components.settings import parse
from mesh_components.stack import from_stack
from mesh_components.topology import material
from mesh_components.topology.ibm import api_keys
from tests.support import authorities, google
from tests.support.graph import ROOT, STACK_OUTPUTS, Answer, Graph, run
from tests.support.meshes import exported, kubeconfig
from tests.support.rendered import rendered

TODAY = datetime.now(UTC)
DATES = {"begins": TODAY - timedelta(days=30), "ends": TODAY + timedelta(days=4000)}
ROOT_CA = authorities.root(**DATES)
CLUSTERS = {
    f"cluster{number}": authorities.intermediate(
        ROOT_CA, authorities.key(number=number), locality=f"cluster{number}", **DATES
    )
    for number in (1, 2)
}


def _signed(name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a signer elsewhere answers."""
    made = CLUSTERS["cluster1" if "cluster1" in name else "cluster2"]
    google_s = {"pemCertificate": made.pem, "pemCertificateChains": [ROOT_CA.pem]}
    return {"certificate": made.pem, "above": ROOT_CA.pem, "expires": "", **google_s}


SIGNED: Mapping[str, Answer] = {
    google.CERTIFICATE: _signed,
    "pulumi-python:dynamic/trust:VaultCertificate": _signed,
}
"""Answers of those who sign elsewhere."""

STACKS = sorted(ROOT.glob("stacks/Pulumi.*.yaml"))


def settings_of(stack: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(stack.read_text())["config"]
    return config


def secrets_of(document: dict[str, Any]) -> dict[str, str]:
    names = [c["kubeconfig"]["secret"] for c in document["clusters"] if "secret" in c.get("kubeconfig", {})]
    return {f"mesh:{name}": kubeconfig(name) for name in names}


def texts_of(document: dict[str, Any], folder: Path) -> dict[str, str]:
    """See to it that what a source of the root names is there: files in the folder, settings in the answer."""
    settings: dict[str, str] = {}
    mesh = parse(document)
    for where, source in (*material.places(mesh.trust), *api_keys(mesh)):
        text = given(where)
        if source.file is not None:
            path = folder / source.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if source.secret is not None:
            settings[f"mesh:{source.secret}"] = text
    return settings


def given(where: str) -> str:
    """A text for a place of the document."""
    *_, of, what = where.split(".")
    own = CLUSTERS.get(of, ROOT_CA)
    texts = {"certificate": own.pem, "key": own.key, "chain": own.chain, "root": ROOT_CA.pem}
    return texts.get(what, "a token")


def program(folder: Path, document: Any, secrets: Mapping[str, str], *, preview: bool = False, **rest: Any) -> Graph:
    """`__main__.py` in a folder of its own, so that relative paths start there."""
    config = {"mesh:mesh": json.dumps(document), **secrets}
    source = compile((ROOT / "__main__.py").read_text(), "__main__.py", "exec")

    def main() -> None:
        exec(source, {"__name__": "__main__", "__file__": str(folder / "__main__.py")})  # noqa: S102 - our own program

    return run(main, config=config, secrets=list(secrets), charts=rendered, preview=preview, **rest)


@pytest.mark.parametrize("stack", STACKS, ids=lambda path: path.stem)
def test_every_stack_file_is_a_mesh(
    stack: Path, tmp_path: Path, snapshot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(stack)
    assert settings["pulumi:disable-default-providers"] == ["kubernetes"]
    document = settings["mesh:mesh"]
    for cluster in document["clusters"]:
        if "file" in cluster.get("kubeconfig", {}):
            path = tmp_path / cluster["kubeconfig"]["file"]
            path.parent.mkdir(parents=True)
            path.write_text(kubeconfig(cluster["name"]))
    monkeypatch.setitem(STACK_OUTPUTS, "clusters", {c["name"]: exported(c["name"]) for c in document["clusters"]})
    google.installed(monkeypatch)
    secrets = {**secrets_of(document), **texts_of(document, tmp_path)}
    up = program(tmp_path, document, secrets, answers=SIGNED)
    preview = program(tmp_path, document, secrets, preview=True)
    assert up.drawing() == preview.drawing() == snapshot
    assert all(item.provider for item in up.kubernetes())
    ways_in = {"ingress"} if any(cluster.get("ingress") for cluster in document["clusters"]) else set()
    assert set(up.stack_outputs) - ways_in == {
        "gateways",
        "loadBalancers",
        "ambientGateways",
        "rootFingerprint",
        "expires",
        "edges",
        *(["rootCertificates"] if "virtualMachines" in document else []),
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
