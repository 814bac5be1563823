"""Google's SDK for tests: the real one where it is installed, else the few classes that are used, with its tokens."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import sys
from types import ModuleType
from typing import Any

import pulumi
import pytest

CERTIFICATE = "gcp:certificateauthority/certificate:Certificate"
TEMPLATE = "gcp:certificateauthority/certificateTemplate:CertificateTemplate"


def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """See to it that `pulumi_gcp` can be imported."""
    if importlib.util.find_spec("pulumi_gcp") is not None:
        return
    package, module = ModuleType("pulumi_gcp"), ModuleType("pulumi_gcp.certificateauthority")
    package.__spec__ = importlib.machinery.ModuleSpec("pulumi_gcp", None)
    vars(package)["certificateauthority"] = module
    vars(module).update(dict.fromkeys(_NESTED, _Nested), Certificate=_Certificate, CertificateTemplate=_Template)
    monkeypatch.setitem(sys.modules, "pulumi_gcp", package)
    monkeypatch.setitem(sys.modules, "pulumi_gcp.certificateauthority", module)


def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """See to it that it cannot."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)


_VALUES = "CertificateTemplatePredefinedValues"
_NESTED = (
    f"{_VALUES}Args",
    f"{_VALUES}CaOptionsArgs",
    f"{_VALUES}KeyUsageArgs",
    f"{_VALUES}KeyUsageBaseKeyUsageArgs",
    f"{_VALUES}KeyUsageExtendedKeyUsageArgs",
)


def _camel(props: dict[str, Any]) -> dict[str, Any]:
    return {re.sub(r"_(.)", lambda found: found[1].upper(), key): value for key, value in props.items()}


class _Nested(dict[str, Any]):
    def __init__(self, **props: Any) -> None:
        super().__init__(_camel(props))


class _Made(pulumi.CustomResource):
    token = ""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        answered = {"pemCertificate": None, "pemCertificateChains": None} if self.token == CERTIFICATE else {}
        super().__init__(self.token, name, {**answered, **_camel(props)}, opts)


class _Certificate(_Made):
    token = CERTIFICATE

    @property
    def pem_certificate(self) -> Any:
        return self.__dict__["pemCertificate"]

    @property
    def pem_certificate_chains(self) -> Any:
        return self.__dict__["pemCertificateChains"]


class _Template(_Made):
    token = TEMPLATE
