"""An API server with Istio's own CRDs says of every document in tests/istio what the models say of it, but for those
that the table marks: the models know more of them."""

from __future__ import annotations

import pytest

from meshctl.lab.api import Api
from meshctl.lab.prepare import KINDS
from tests.lab.conftest import RealLab, refused
from tests.support.istio_documents import Case, cases

pytestmark = pytest.mark.lab
PLURALS = {kind.kind: kind.plural for kind in KINDS}


@pytest.fixture(scope="module")
def api(crd_lab: RealLab) -> Api:
    if "cluster1" not in crd_lab.real:
        pytest.skip("Istio's CRDs are not here")
    return Api(crd_lab.kubeconfig("cluster1"))


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_verdict_is_the_same(api: Api, case: Case) -> None:
    document = case.document()
    name = document["metadata"]["name"]
    said = refused(api, f"{document['apiVersion']}/namespaces/default/{PLURALS[case.kind]}/{name}", document)
    assert (said is not None) == (case.refused_at is not None and not case.model_only), said
