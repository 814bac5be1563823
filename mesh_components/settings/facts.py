"""What a mesh says of itself to another: a small document of public facts, the same on both sides.

Owns its shape, its canonical form and its digest. One side writes it (`mesh trust export`, or the stack output
`publicFacts`), a person on the other side looks at it and pins its digest, and whatever else comes later is refused.
The digest is not a signature: it says that nothing has changed since somebody looked, and not who wrote it.

Order says nothing: two documents with the same facts in another order have the same digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from mesh_components.settings.base import Settings
from mesh_components.settings.document import place
from mesh_components.settings.meshes import ExportPort, FactsSource

if TYPE_CHECKING:
    from cryptography import x509

SCHEMA: Literal["mesh-components/facts/v1"] = "mesh-components/facts/v1"
"""Of this shape; another number is another shape, and nobody guesses."""

_LARGEST = 1 << 20


class FactsError(ValueError):
    """Facts that are missing or cannot be used. Its message never quotes the contents."""


class RootFact(Settings):
    """One root certificate."""

    pem: str
    sha256: str
    """Of the certificate (DER), hexadecimal."""

    @model_validator(mode="after")
    def _is_what_it_says(self) -> RootFact:
        if "PRIVATE KEY" in self.pem:
            raise ValueError("a private key stands here, where everyone reads it; take it out and replace the root")
        found = _certificates(self.pem)
        if len(found) != 1:
            raise ValueError(f"there are {len(found)} certificates, and each root is an entry of its own")
        if hashlib.sha256(_der(found[0])).hexdigest() != self.sha256:
            raise ValueError("sha256 is not that of the certificate")
        return self

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate itself."""
        return _certificates(self.pem)[0]

    @property
    def ends(self) -> datetime:
        """When it is no longer valid."""
        return self.certificate.not_valid_after_utc


class GatewayFact(Settings):
    """A gateway through which what is exported is reached."""

    cluster: str
    network: str
    address: str
    """IP or host name."""
    port: Annotated[int, Field(ge=1, le=65535)] = 15443
    locality: str | None = None
    """`region/zone`."""


class ExportFact(Settings):
    """A service that may be called from other meshes."""

    host: str
    """In full."""
    ports: tuple[ExportPort, ...]
    accounts: tuple[str, ...]
    """`<namespace>/<account>`."""
    meshes: tuple[str, ...]


class MeshFacts(Settings):
    """The facts of one mesh."""

    schema_: Annotated[Literal["mesh-components/facts/v1"], Field(alias="schema")] = SCHEMA
    mesh: str
    """Mesh ID."""
    trust_domain: str
    roots: Annotated[tuple[RootFact, ...], Field(min_length=1)]
    gateways: tuple[GatewayFact, ...] = ()
    exports: tuple[ExportFact, ...] = ()

    def document(self) -> dict[str, Any]:
        """As it is written and read, with its own digest."""
        facts = self._facts()
        return {**facts, "digest": _digest(facts)}

    @cached_property
    def digest(self) -> str:
        """What a person signs off."""
        return _digest(self._facts())

    @property
    def bundle(self) -> str:
        """The roots as one text."""
        return "".join(f"{pem.strip()}\n" for pem in sorted(root.pem for root in self.roots))

    def export(self, host: str) -> ExportFact | None:
        """The service of that name; None where it is not exported."""
        return next((export for export in self.exports if export.host == host), None)

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = _ordered(self.model_dump(mode="json", by_alias=True, exclude_none=True))
        return facts


def read(text: str) -> MeshFacts:
    """Facts from the text of a document. Raises FactsError."""
    if len(text) > _LARGEST:
        raise FactsError("it is larger than any document of facts")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise FactsError("it is no JSON; take what `mesh trust export` prints, as it is") from None
    return parse(document)


def parse(document: Any) -> MeshFacts:
    """Facts from a document's value; what it says of its own digest has to be true. Raises FactsError."""
    if not isinstance(document, Mapping):
        raise FactsError("it is no document of facts; take what `mesh trust export` prints, as it is")
    if document.get("schema") != SCHEMA:
        raise FactsError(f'its schema is not "{SCHEMA}": something else wrote it, or another mesh-components')
    stated = document.get("digest")
    try:
        facts = MeshFacts.model_validate({k: v for k, v in document.items() if k != "digest"}, by_name=False)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise FactsError(f"{place(wrong['loc'])}: {wrong['msg'].removeprefix('Value error, ')}") from None
    if stated != facts.digest:
        raise FactsError(
            f"it says of itself that its digest is {_short(stated)}, and it is {facts.digest}: it was changed after it "
            "was written"
        )
    return facts


def load(source: FactsSource, text_of: Callable[[str], str]) -> MeshFacts | FactsError | None:
    """The facts of a file, or why there are none; None where they come from a stack, and are known later."""
    if source.file is None or source.stack is not None:
        return None
    try:
        return read(text_of(source.file))
    except FactsError as error:
        return error
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        return FactsError(f"it cannot be read: {reason}")


def _certificates(pem: str) -> list[x509.Certificate]:
    # Most documents speak of no other mesh, and need not wait for this import.
    from cryptography import x509

    return x509.load_pem_x509_certificates(pem.encode())


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def _digest(facts: Mapping[str, Any]) -> str:
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _ordered(value: Any) -> Any:
    """The value with its lists in one order: all of them are sets of facts."""
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        by_text = {json.dumps(item, sort_keys=True): item for item in map(_ordered, value)}
        return [by_text[text] for text in sorted(by_text)]
    return value


def _short(stated: object) -> str:
    return stated if isinstance(stated, str) and len(stated) <= len("sha256:") + 64 else "something else"
