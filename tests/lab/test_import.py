"""`mesh import` of several topologies: the document that is read leads to what is there."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from meshctl.lab.api import Api, ApiError
from tests.lab.conftest import RealLab
from tests.support.crds import forget_kept
from tests.support.project import Project
from tests.support.recipes import CHARTS, lab_cluster, on_lab

pytestmark = pytest.mark.lab


TRIED = ("multi-primary-multi-network", "several-primaries-and-remotes", "mixed-data-planes")
"""Primaries, remotes of several control planes, bundled secrets, both data planes."""


@pytest.mark.parametrize("recipe", TRIED)
def test_a_preview_of_what_was_imported_has_no_changes(
    recipe: str, wide_lab: RealLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = on_lab(recipe)
    named = {cluster["name"]: lab_cluster(cluster["name"]) for cluster in document["clusters"]}
    project = Project(tmp_path_factory.mktemp(recipe), wide_lab.dir, stack=recipe)
    project.write(document)
    apis = [Api(wide_lab.kubeconfig(there)) for there in named.values()]
    for api in apis:
        forget_kept(api)
    try:
        project.done("up", "--yes", "--skip-preview")
        words = [f"{name}=.lab/clusters/{there}/kubeconfig" for name, there in named.items()]
        found = json.loads(project.alone("import", *words, "--json"))
        assert not [note for note in found["notes"] if "would be made" in note]
        # A cluster does not say where its charts came from.
        project.write({**found["document"], "istio": {**found["document"]["istio"], "charts": {"folder": str(CHARTS)}}})
        rows = project.preview()
        assert [(row["name"], row["op"], row["fields"]) for row in rows if row["op"] != "same"] == []
    finally:
        with suppress(ApiError):
            project.write(document)
        project.done("destroy", "--yes")
        for api in apis:
            forget_kept(api)
