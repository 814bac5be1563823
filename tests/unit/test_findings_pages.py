"""The pages of the findings tell the truth: their examples are run, and none is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import mesh_components.settings.document as reading
import mesh_components.topology.rules as rules
from mesh_components.settings import Finding, FindingsError, KubeconfigSettings, parse
from mesh_components.settings.facts import load
from mesh_components.settings.kubeconfig import Kubeconfig, read
from mesh_components.settings.place import PlaceError
from mesh_components.topology import material, peers
from mesh_components.topology.catalogue import CATALOGUE
from mesh_components.topology.certificates import pem
from mesh_components.topology.findings import findings
from mesh_components.topology.outside import certificates
from tests.support import authorities

PAGES = Path(__file__).parents[2] / "docs" / "findings"
CODES = sorted(CATALOGUE)
FACTS = Path(__file__).parents[1] / "support" / "facts"
"""What other meshes say of themselves on the pages."""
FRAGMENT = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ROW = re.compile(
    r"^\| \[(MESH\d{3})\]\((MESH\d{3})\.md\) \| (error|warning|error or warning) \| (.+) \|$", re.MULTILINE
)

MINIMAL: Mapping[str, Any] = {
    "id": "mesh1",
    "istio": {"version": "1.30.5"},
    "clusters": [
        {"name": "east", "network": "network1", "kubeconfig": {"secret": "east"}},
        {"name": "west", "network": "network2", "kubeconfig": {"secret": "west"}},
    ],
}
EXEC = {"exec": {"command": "gke-gcloud-auth-plugin"}}


def kubeconfig(user: Mapping[str, Any], **cluster: Any) -> Kubeconfig:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://203.0.113.30", **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    return read(json.dumps(document))


FILES = {
    "from-the-console.kubeconfig": kubeconfig(EXEC),
    "with-a-token.kubeconfig": kubeconfig({"token": "t"}),
    "private.kubeconfig": kubeconfig({"token": "t"}, server="https://10.0.0.2"),
    "authority-in-a-file.kubeconfig": kubeconfig({"token": "t"}, **{"certificate-authority": "/etc/ca.pem"}),
    "not-verified.kubeconfig": kubeconfig({"token": "t"}, **{"insecure-skip-tls-verify": True}),
}
"""The kubeconfigs that the pages speak of, by file."""


def texts() -> dict[str, str | PlaceError]:
    """The certificates and keys that the pages speak of, by file."""
    root, stranger = authorities.root(), authorities.root(authorities.key(number=7), name="Other CA")
    made = {
        name: authorities.intermediate(root, authorities.key(number=n)) for n, name in enumerate(("east", "west"), 1)
    }
    upper = authorities.intermediate(root, authorities.key(number=3), name="Upper CA", path_length=None)
    deep = authorities.intermediate(upper)
    named = {
        "root": root,
        **made,
        "pathlen0": authorities.root(path_length=0),
        "expired": authorities.root(ends=authorities.NOW - authorities.YEAR / 2),
        "ed25519": authorities.intermediate(root, authorities.key("ed25519")),
        "stranger": authorities.intermediate(stranger),
        "stranger-root": stranger,
        "deep": deep,
        "reader": authorities.client(root),
    }
    return {
        **{f"{name}.pem": one.pem for name, one in named.items()},
        **{f"{name}.key": one.key for name, one in named.items()},
        "root.der": pem.decode(root.der),
        "deep-chain.pem": deep.chain,
        "absent.pem": PlaceError("there is no file absent.pem"),
    }


TEXTS = texts()


def merged(base: Any, over: Any) -> Any:
    """`over` on `base`: mappings by key, lists by position and as long as `over`, and a kubeconfig as a whole."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        whole = {"kubeconfig"}
        # A cluster that is made, or comes from elsewhere, has no kubeconfig unless the page gives it one.
        base = {k: v for k, v in base.items() if k not in whole or not over.keys() & {"create", "stackReference"}}
        return {**base, **{k: v if k in whole else merged(base.get(k), v) for k, v in over.items()}}
    if isinstance(base, list) and isinstance(over, list):
        return [merged(base[n] if n < len(base) else None, item) for n, item in enumerate(over)]
    return over


def found(fragment: str) -> tuple[Finding, ...]:
    """What is found in the document that the fragment completes."""
    value = yaml.safe_load(fragment)
    try:
        mesh = parse(merged(MINIMAL, value))
    except FindingsError as error:
        return error.findings
    handed_on: dict[int, KubeconfigSettings | None] = {n: c.peer_kubeconfig for n, c in enumerate(mesh.clusters)}
    handed = {n: FILES[source.file] for n, source in handed_on.items() if source and source.file}
    own = {n: c.kubeconfig.file for n, c in enumerate(mesh.clusters) if c.kubeconfig and c.kubeconfig.file}
    kubeconfigs = {n: FILES[file] for n, file in own.items() if file in FILES}
    sources = (*material.places(mesh.trust), *certificates(mesh), *peers.places(mesh))
    named = {place: TEXTS[source.file] for place, source in sources if source.file}
    others = {n: load(other.facts, lambda file: (FACTS / file).read_text()) for n, other in enumerate(mesh.meshes)}
    facts = {n: said for n, said in others.items() if said is not None}
    return findings(mesh, kubeconfigs, handed, texts=named, facts=facts, now=authorities.NOW)


def page(code: str) -> str:
    return (PAGES / f"{code}.md").read_text()


def index() -> dict[str, tuple[str, str]]:
    """Severity and title by code, as the table has them."""
    rows = ROW.findall((PAGES / "index.md").read_text())
    assert all(code == link for code, link, _, _ in rows)
    return {code: (severity, title) for code, _, severity, title in rows}


@pytest.mark.parametrize("code", CODES)
def test_the_examples_of_the_page_are_true(code: str) -> None:
    bad, good = FRAGMENT.findall(page(code))
    assert {finding.code for finding in found(bad)} == {code}
    assert found(good) == ()
    stated, _ = index()[code]
    assert all(finding.severity.value in stated for finding in found(bad))


@pytest.mark.parametrize("code", CODES)
def test_the_page_has_the_title_the_severity_and_a_source(code: str) -> None:
    text = page(code)
    severity, title = index()[code]
    assert text.startswith(f"# {code}: {CATALOGUE[code]}\n\nSeverity: {severity}.\n")
    assert title == CATALOGUE[code]
    assert re.search(r"^- https://\S+$", text, re.MULTILINE)


def test_the_table_and_the_folder_have_the_catalogue_and_nothing_else() -> None:
    assert list(index()) == list(CATALOGUE) == CODES
    assert {path.stem for path in PAGES.glob("MESH*.md")} == set(CODES)


def test_the_rules_emit_the_catalogue_and_nothing_else() -> None:
    sources = [*Path(str(rules.__file__)).parent.glob("*.py"), Path(str(reading.__file__))]
    emitted = {code for source in sources for code in re.findall(r'"(MESH\d{3})"', source.read_text())}
    assert emitted == set(CATALOGUE)


def test_a_finding_leads_to_its_page() -> None:
    for finding in found("{clusters: []}"):
        assert (PAGES.parents[1] / finding.page).is_file()


def test_the_minimal_document_is_good() -> None:
    assert found("{}") == ()
