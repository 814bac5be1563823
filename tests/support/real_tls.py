"""Answers of the provider `tls` that are real: keys, requests and certificates, as the local engine makes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from meshctl.local.providers import tls_certs
from tests.support.graph import Answer


def _answer(make: Callable[[Mapping[str, Any], datetime], Any]) -> Answer:
    def answer(_name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        _, outputs = make(inputs, datetime.now(UTC))
        return dict(outputs)

    return answer


REAL_TLS: dict[str, Answer] = {
    "tls:index/certRequest:CertRequest": _answer(tls_certs.cert_request),
    "tls:index/locallySignedCert:LocallySignedCert": _answer(tls_certs.locally_signed_cert),
    "tls:index/privateKey:PrivateKey": _answer(tls_certs.private_key),
    "tls:index/selfSignedCert:SelfSignedCert": _answer(tls_certs.self_signed_cert),
}


def remembered(state: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Answer]:
    """The same with a state: what has a name and inputs keeps its outputs from run to run, as in a stack."""

    def kept(type_: str, answer: Answer) -> Answer:
        def found(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
            key = (f"{type_} {name}", json.dumps(inputs, sort_keys=True))
            if key not in state:
                state[key] = answer(name, inputs)
            return state[key]

        return found

    return {type_: kept(type_, answer) for type_, answer in REAL_TLS.items()}
