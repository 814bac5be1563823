"""Facts: what one mesh says of itself to another, and the digest that a person signs off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_components.settings.facts import ExportFact, FactsError, GatewayFact, MeshFacts, parse, read
from mesh_components.settings.meshes import ExportPort
from tests.support.mesh_authority import GATEWAY, HELLO, MeshAuthority, facts

ROOTS = [MeshAuthority(f"root {n}").root for n in range(3)]

label = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
account = st.tuples(label, label).map("/".join)
port = st.builds(
    ExportPort, number=st.integers(1, 65535), name=label, protocol=st.sampled_from(["HTTP", "GRPC", "TCP", "TLS"])
)


def several(what: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(what, min_size=least, max_size=3).map(tuple)


export = st.builds(
    ExportFact,
    host=st.tuples(label, label).map(lambda pair: f"{'.'.join(pair)}.svc.cluster.local"),
    ports=several(port, 1),
    accounts=several(account, 1),
    meshes=several(label, 1),
)
gateway = st.builds(
    GatewayFact,
    cluster=label,
    network=label,
    address=st.ip_addresses().map(str) | label,
    port=st.integers(1, 65535),
    locality=st.none() | label,
)
said = st.builds(
    lambda **facts: MeshFacts(**facts),  # by its names in Python, and not by those in documents
    mesh=label,
    trust_domain=label,
    roots=st.lists(st.sampled_from(ROOTS), min_size=1, max_size=3, unique_by=lambda root: root.sha256).map(tuple),
    gateways=several(gateway),
    exports=several(export),
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(said)
def test_what_is_written_is_read(known: MeshFacts) -> None:
    again = read(json.dumps(known.document(), indent=2))
    assert again.digest == known.digest
    assert again.document() == known.document()


@quick
@given(said, st.randoms())
def test_order_says_nothing(known: MeshFacts, chance: Any) -> None:
    document = shuffled(known.document(), chance)
    assert parse(document).digest == known.digest


def shuffled(value: Any, chance: Any) -> Any:
    if isinstance(value, Mapping):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        items = [shuffled(item, chance) for item in value]
        chance.shuffle(items)
        return items
    return value


@quick
@given(said)
def test_whatever_changes_changes_the_digest(known: MeshFacts) -> None:
    """Each single value of the document, changed to another that is valid too or not: never the same digest."""
    document = known.document()
    for path in leaves(document):
        if path[0] in ("digest", "schema"):
            continue
        changed = json.loads(json.dumps(document))
        set_to(changed, path, "changed" if not isinstance(value_at(document, path), int) else 7777)
        if changed == document:
            continue
        with pytest.raises(FactsError):
            parse(changed)  # the digest inside is the old one
        del changed["digest"]
        try:
            other = MeshFacts.model_validate(changed, by_name=False)
        except ValueError:
            continue
        assert other.digest != known.digest or other.document() == known.document()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, Mapping):
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def value_at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def set_to(value: Any, path: tuple[Any, ...], to: Any) -> None:
    value_at(value, path[:-1])[path[-1]] = to


ROOT = MeshAuthority("root")
OTHER = MeshAuthority("other")


@pytest.mark.parametrize(
    "changed",
    [
        {"mesh": "mesh9"},
        {"trust_domain": "mesh9.example"},
        {"roots": (OTHER.root,)},
        {"roots": (ROOT.root, OTHER.root)},
        {"gateways": ()},
        {"gateways": (GATEWAY.model_copy(update={"address": "203.0.113.8"}),)},
        {"gateways": (GATEWAY.model_copy(update={"port": 15444}),)},
        {"exports": ()},
        {"exports": (HELLO.model_copy(update={"accounts": ("sample/other",)}),)},
        {"exports": (HELLO.model_copy(update={"meshes": ("mesh1", "mesh3")}),)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_each_kind_of_fact_is_in_the_digest(changed: dict[str, Any]) -> None:
    assert facts(ROOT, **changed).digest != facts(ROOT).digest


def broken(**changed: Any) -> dict[str, Any]:
    return {**facts(ROOT).document(), **changed}


KEY = ROOT.leaf("spiffe://x/ns/a/sa/b")[1]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "no document of facts"),
        ([], "no document of facts"),
        ({}, "schema is not"),
        (broken(schema="mesh-components/facts/v2"), "schema is not"),
        (broken(digest="sha256:0"), "it was changed after it was written"),
        (broken(digest=None), "says of itself that its digest is something else"),
        (broken(mesh="mesh9"), "it was changed after it was written"),
        (broken(roots=[]), "roots: "),
        (broken(roots=[{"pem": "no", "sha256": "0"}]), r"roots\[0\]: "),
        (broken(roots=[{"pem": ROOT.pem, "sha256": "0"}]), r"roots\[0\]: sha256 is not that of the certificate"),
        (broken(roots=[{"pem": ROOT.pem + OTHER.pem, "sha256": ROOT.root.sha256}]), "there are 2 certificates"),
        (broken(roots=[{"pem": ROOT.pem + KEY, "sha256": ROOT.root.sha256}]), "a private key stands here"),
        (broken(gateways=[{"cluster": "a", "network": "b", "address": "c", "port": 0}]), r"gateways\[0\]\.port: "),
        (broken(token="secret"), "token: "),
    ],
)
def test_other_documents_are_refused(document: Any, words: str) -> None:
    with pytest.raises(FactsError, match=words) as caught:
        parse(document)
    assert "PRIVATE KEY-----" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "kind: Config", "[" * 100_000, " " * (2 << 20)])
def test_text_that_is_no_document(text: str) -> None:
    with pytest.raises(FactsError):
        read(text)
