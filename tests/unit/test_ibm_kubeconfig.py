"""The kubeconfig in the archive that IBM Cloud sends."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, timedelta

import pytest
import yaml

from mesh_components.clusters.ibm_kubeconfig import ArchiveError, kubeconfig, lifetime
from mesh_components.settings.kubeconfig import read
from tests.support.ibm import admin_kubeconfig, archive


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        for name, contents in files.items():
            opened.writestr(name.replace("_", "."), contents)
    return made.getvalue()


def test_it_is_whole_and_would_not_be_refused_by_istiod() -> None:
    text = admin_kubeconfig("west")
    found = kubeconfig(archive(text))
    assert yaml.safe_load(found) == yaml.safe_load(text)
    assert read(found).refused == ()


def test_it_says_how_long_its_certificate_lives() -> None:
    found = lifetime(admin_kubeconfig("west", life=timedelta(days=30)))
    assert found is not None
    begins, ends = map(datetime.fromisoformat, found)
    assert ends - begins == timedelta(days=30)


def test_one_without_a_certificate_does_not_end() -> None:
    assert lifetime("{users: [{name: a, user: {token: t}}]}") is None


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"<html>",
        zipped(),
        zipped(a_pem="x"),
        zipped(config_yml="{clusters: ["),
        zipped(config_yml="very-secret"),
        zipped(config_yml="{clusters: [], users: [{name: a, user: {client-key: very-secret.pem}}]}"),
    ],
    # An archive has the time in it, and two processes that share the tests have to call them the same.
    ids=["empty", "a page", "no file", "no kubeconfig", "no YAML", "no mapping", "a path that is not in it"],
)
def test_what_is_none_is_said_and_not_quoted(contents: bytes) -> None:
    with pytest.raises(ArchiveError, match="IBM Cloud sent") as raised:
        kubeconfig(contents)
    assert "very-secret" not in str(raised.value)
