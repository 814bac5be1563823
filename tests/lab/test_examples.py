"""Every example applied to real API servers: it comes up, a second look finds nothing to do, and it goes away again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from meshctl.lab import programs, silent
from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.graph import ROOT
from tests.support.project import Project

pytestmark = pytest.mark.lab
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/Pulumi.lab.yaml"))


class Example(Project):
    """One example in a folder that lies to the lab as the original does."""

    def __init__(self, tree: Path, name: str, lab: Path) -> None:
        self.folder = tree / "examples" / name
        shutil.copytree(ROOT / "examples" / name, self.folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        (tree / ".lab").symlink_to(lab)
        self.stack = "lab"
        self.settings = self.folder / "Pulumi.lab.yaml"
        self.state = self.folder / ".pulumi-local" / name / "lab.json"


@pytest.fixture
def example(name: str, lab: RealLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    example = Example(tmp_path, name, lab.dir)
    if name in ("istiod", "addons"):
        # The charts are in no package registry; these stand for them.
        config = {**example.config, f"{name}:charts": str(ROOT / "tests" / "charts")}
        example.settings.write_text(yaml.safe_dump({"config": config}))
        helm = programs.ensure(["helm"], silent)["helm"]
        monkeypatch.setenv("PATH", f"{helm.parent}:{Path('/usr/bin')}:{Path('/bin')}")
    return example


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(example: Example, name: str, lab: RealLab) -> None:
    preview = example.preview()
    assert {row["op"] for row in preview} == {"create"}
    try:
        up = json.loads(example.done("up", "--yes", "--skip-preview", "--json"))
        assert {row["urn"] for row in up["resources"]} == {row["urn"] for row in preview}
        assert all(value is not None for value in up["outputs"].values())
        assert example.changes() == []
        look = {"root-ca": looks_like_certificates, "istiod": looks_like_istiod}.get(name)
        if look is not None:
            look(up["outputs"], Api(lab.kubeconfig("cluster1")))
    finally:
        example.done("destroy", "--yes")
    assert {row["op"] for row in example.preview()} == {"create"}


def looks_like_certificates(outputs: dict[str, str], _: Api) -> None:
    root = x509.load_pem_x509_certificate(outputs["root"].encode())
    for name in ("eastCertificate", "westCertificate"):
        x509.load_pem_x509_certificate(outputs[name].encode()).verify_directly_issued_by(root)


def looks_like_istiod(_: dict[str, str], api: Api) -> None:
    deployment = api.get("/apis/apps/v1/namespaces/istiod-example/deployments/istiod")
    assert deployment["status"]["availableReplicas"] == 1
    webhooks = api.get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations")["items"]
    (validator,) = [w for w in webhooks if w["metadata"]["name"] == "istiod-default-validator-istiod-example"]
    bundle = api.get("/api/v1/namespaces/istiod-example/secrets/cacerts")["data"]["root-cert.pem"]
    # The root bundle was spliced into the rendered chart, byte for byte as istiod would write it.
    assert validator["webhooks"][0]["clientConfig"]["caBundle"] == bundle
    assert api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.charts.test")
