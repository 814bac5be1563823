"""What a root of trust is to the rest of the mesh, wherever it comes from.

A `Source` makes one generation of the root, a `Root`; `RootCA` puts the generations together and knows of no source in
particular. To add one, write a function or a frozen dataclass that is called with a `Place` and returns a `Root`, and
choose it in `federation.trust.sources`:

- the root's key is in the program: return a `signing.KeyedRoot`;
- something else signs, from a request: derive from `signing.SigningRoot`; keys are made here, only the request leaves;
- the intermediates are ready-made: write `issue` yourself, and raise `pulumi.RunError` for what it cannot give. A
  finding has to have said so before, since errors here come after the first resources.

Where something in the clusters makes `cacerts` itself, the program has no keys and no `CaBundle`: leave such clusters
out of `RootCAArgs.clusters`; `federation.trust.cacerts` is the one place that makes the Secret. The root's certificate
is needed all the same, for the webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pulumi

from mesh_components.settings.trust import KeyAlgorithm


@dataclass(frozen=True)
class Place:
    """Where the resources of a generation are."""

    name: str
    """Beginning of their names; has the generation's number in it from the second on."""
    generation: int
    parent: pulumi.Resource
    protect: bool
    """Whether the root refuses to be deleted or replaced."""


@dataclass(frozen=True)
class Wanted:
    """A certificate, before it is signed."""

    purpose: Literal["intermediate", "server"]
    cluster: str
    """Name of the cluster that signs with it; empty for a server's."""
    name: str
    """Of its resource."""
    prefix: str
    """Beginning of the names of its key and of its request."""
    parent: pulumi.Resource
    subject: Mapping[str, str]
    days: int
    algorithm: KeyAlgorithm
    dns_names: tuple[pulumi.Input[str], ...] = ()
    ip_addresses: tuple[pulumi.Input[str], ...] = ()


@dataclass(frozen=True)
class Certificate:
    """A certificate under a root. PEMs end in a newline."""

    certificate: pulumi.Output[str]
    above: pulumi.Output[str]
    """The certificates from the one that signed it up to the root, which is the last."""
    expires: pulumi.Output[str]
    """When it ends, RFC 3339."""


@dataclass(frozen=True)
class Issued(Certificate):
    """A certificate with its key."""

    key: pulumi.Output[str] = field(repr=False)
    """Secret."""


class Root(Protocol):
    """One generation of the root."""

    @property
    def certificate(self) -> pulumi.Output[str]:
        """The root's own certificate: one PEM."""

    @property
    def expires(self) -> pulumi.Output[str]:
        """When it ends, RFC 3339."""

    def issue(self, wanted: Wanted) -> Issued:
        """A certificate under this root, and its key."""


Source = Callable[[Place], Root]
"""Makes a generation of the root, or finds it."""
