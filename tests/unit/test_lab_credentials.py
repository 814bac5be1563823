"""What a cluster of the lab proves itself with."""

import base64
import json
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from meshctl.lab.credentials import write_credentials
from meshctl.lab.state import Cluster


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_credentials(tmp_path / "east", Cluster("east", 1, 20002))
    return tmp_path / "east"


def certificate(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


@pytest.mark.parametrize("name", ["localhost", "kubernetes.default.svc"])
def test_the_serving_certificate_is_what_strict_clients_accept(folder: Path, name: str) -> None:
    authority = certificate((folder / "ca.crt").read_text())
    verifier = PolicyBuilder().store(Store([authority])).build_server_verifier(x509.DNSName(name))
    assert verifier.verify(certificate((folder / "server.crt").read_text()), [])


def test_the_kubeconfig_needs_no_other_file(folder: Path) -> None:
    document = yaml.safe_load((folder / "kubeconfig").read_text())
    cluster = document["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:20002"
    assert base64.b64decode(cluster["certificate-authority-data"]).decode() == (folder / "ca.crt").read_text()
    assert document["users"][0]["user"]["token"] in (folder / "tokens.csv").read_text()


def test_a_name_stays_a_name(tmp_path: Path) -> None:
    """YAML 1.1, which kubectl reads, takes a bare `y` for true."""
    write_credentials(tmp_path, Cluster("y", 1, 20002))
    assert json.loads((tmp_path / "kubeconfig").read_text())["current-context"] == "y"


def test_they_are_made_once_and_only_for_their_owner(folder: Path) -> None:
    before = {path.name: path.read_text() for path in folder.iterdir()}
    write_credentials(folder, Cluster("east", 1, 20002))
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_an_interrupted_start_is_made_good(folder: Path) -> None:
    (folder / "kubeconfig").unlink()
    write_credentials(folder, Cluster("east", 1, 20002))
    test_the_kubeconfig_needs_no_other_file(folder)
