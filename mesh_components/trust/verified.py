"""Certificates that somebody else signed, looked at before they go anywhere: with the verifier of everything else.

What is wrong fails the run before a Secret is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pulumi

from mesh_components.settings import Severity
from mesh_components.topology.certificates import Bundle, Expected, bundle_problems, server_problems
from mesh_components.topology.certificates.read import ends, lined, split
from mesh_components.trust.source import Certificate

Purpose = Literal["intermediate", "server"]


@dataclass(frozen=True)
class Signed:
    """An answer, put in order."""

    certificate: str
    above: str
    """The certificates from the one that signed it up to the root, which is the last."""
    expires: str


class RefusedError(ValueError):
    """A certificate that istiod or Envoy would refuse; says each reason and its fix."""


def verified(
    certificate: str,
    others: str,
    root: str,
    purpose: Purpose,
    who: str,
    expected: Expected = Expected(),  # noqa: B008
) -> Signed:
    """Put an answer in order, and check it with the root that the document names. Raises RefusedError.

    Args:
        certificate: what was signed.
        others: what else came with it, in any order: issuers, with or without the root.
        root: the root's certificate.
        purpose: what it is for.
        who: words for who signed it, for whom.
        expected: what workloads and istiod will be called.
    """
    first, pinned = lined(certificate), lined(root)
    above = "".join([*(text for text in dict.fromkeys(split(others)) if text not in (first, pinned)), pinned])
    now = datetime.now(UTC)
    bundle = Bundle(first, None, first + above, pinned, key_elsewhere=True)
    found = bundle_problems(bundle, now, expected) if purpose == "intermediate" else server_problems(bundle, now)
    wrong = [problem for problem in found if problem.severity is Severity.ERROR]
    if wrong:
        raise RefusedError("\n".join([f"{who}: the certificate is refused", *map(str, wrong)]))
    return Signed(first, above, ends(first))


def checked(
    certificate: pulumi.Output[str],
    others: pulumi.Output[str],
    root: str,
    purpose: Purpose,
    who: str,
    expected: Expected,
) -> pulumi.Output[Signed]:
    """The same of values that are known later: the run fails where they are wrong."""

    def look(values: list[str]) -> Signed:
        try:
            return verified(values[0], values[1], root, purpose, who, expected)
        except RefusedError as error:
            raise pulumi.RunError(str(error)) from None

    return pulumi.Output.all(certificate, others).apply(look)


def parts(signed: pulumi.Output[Signed]) -> Certificate:
    """An answer as sources give it."""
    return Certificate(
        signed.apply(lambda one: one.certificate),
        signed.apply(lambda one: one.above),
        signed.apply(lambda one: one.expires),
    )
