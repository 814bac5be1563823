"""The policy pack as Pulumi runs it: its own process in an environment of its own, asked by the protocol."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from mesh_components.policy import RULES
from tests.support.graph import ROOT

PYTHON = ROOT / ".venv-policy" / "bin" / "python"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that is not known yet, on the wire."""
KEY = "-----BEGIN EC PRIVATE KEY-----"


@pytest.fixture(scope="module")
def pack() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    assert PYTHON.exists(), "the policy pack has an environment of its own: make .venv-policy/ready"
    process = subprocess.Popen(
        [PYTHON, ROOT / "policy"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        port = process.stdout.readline().strip()
        assert port.isdecimal(), f"it printed {port!r}: {process.communicate()[1]}"
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.kill()
        process.communicate()


def resource(name: str, type_: str, properties: dict[str, Any], **options: Any) -> analyzer_pb2.AnalyzerResource:
    values = struct_pb2.Struct()
    values.update(properties)
    urn = f"urn:pulumi:dev::mesh::{type_}::{name}"
    told = analyzer_pb2.AnalyzerResourceOptions(**options)
    return analyzer_pb2.AnalyzerResource(type=type_, urn=urn, name=name, properties=values, options=told)


def test_it_says_which_policies_it_has(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    found = pack.GetAnalyzerInfo(empty_pb2.Empty())
    assert found.name == "mesh"
    levels = {
        "mandatory": analyzer_pb2.EnforcementLevel.MANDATORY,
        "advisory": analyzer_pb2.EnforcementLevel.ADVISORY,
    }
    stated = {item.name: (item.description, item.enforcementLevel) for item in found.policies}
    assert stated == {rule.name: (rule.title, levels[rule.level]) for rule in RULES}


def test_what_breaks_a_rule_is_named_and_what_is_not_known_yet_stops_nothing(
    pack: analyzer_pb2_grpc.AnalyzerStub,
) -> None:
    root = "tls:index/selfSignedCert:SelfSignedCert"
    request = analyzer_pb2.AnalyzeStackRequest(
        resources=[
            resource("map", "kubernetes:core/v1:ConfigMap", {"data": {"later": UNKNOWN, "key": KEY}}),
            resource("later", "kubernetes:core/v1:Secret", {"metadata": {"name": UNKNOWN}, "data": UNKNOWN}),
            resource("root", root, {"isCaCertificate": True, "privateKeyPem": KEY}),
            resource("kept", root, {"isCaCertificate": True, "privateKeyPem": UNKNOWN}, protect=True),
        ]
    )
    found = pack.AnalyzeStack(request).diagnostics
    assert {(item.policyName, item.urn.rpartition("::")[2]) for item in found} == {
        ("no-secret-in-clear", "map"),
        ("root-is-protected", "root"),
    }
    assert all("fix: " in item.message and KEY not in item.message for item in found)
