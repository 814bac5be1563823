"""What another mesh says of itself: whether it is what was signed off, and whether it is enough.

Apart from the rules about the document, since facts that come from another stack are known only when the program runs:
components ask the same questions then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from mesh_components.settings import Finding
from mesh_components.settings.facts import FactsError, MeshFacts
from mesh_components.settings.meshes import OtherMesh
from mesh_components.topology.meshes import full_host
from mesh_components.topology.rules.context import Context, error, quoted, warning

SOON = timedelta(days=60)
"""A root takes weeks to replace, and here two administrators have to agree on it."""

_MISSING = "write `facts.file`, the document that `mesh trust export` prints there, or `facts.stack`"


def about(place: str, wanted: OtherMesh, own: str, facts: MeshFacts, now: datetime | None) -> Iterator[Finding]:
    """All that may be wrong with the facts of one mesh.

    Args:
        place: of the mesh in the document.
        wanted: what the document says of it.
        own: our mesh ID.
        facts: what it says of itself.
        now: the time; left out, no date is looked at.
    """
    if facts.digest != wanted.digest:
        yield _digest(place, wanted, facts)
        return  # The rest would be about something that nobody has looked at.
    yield from _another(place, wanted, facts)
    if now is not None:
        yield from _dates(place, wanted, facts, now)
    yield from _imports(place, wanted, own, facts)


def _digest(place: str, wanted: OtherMesh, facts: MeshFacts) -> Finding:
    """MESH804."""
    look = (
        f"compare it with what {quoted(wanted.name)}'s administrator reads to you (`mesh trust digest FILE` shows what "
        f"it stands for), and write `digest: {facts.digest}`"
    )
    if wanted.digest is None:
        reason = f"nobody has signed off what {quoted(wanted.name)} says of itself; its digest is {facts.digest}"
    else:
        reason = (
            f"{quoted(wanted.digest)} was signed off, and the document now has the digest {facts.digest}: roots, "
            "gateways or exports have changed, by its administrator or by somebody else"
        )
    return error("MESH804", f"{place}.digest", reason, look)


def _another(place: str, wanted: OtherMesh, facts: MeshFacts) -> Iterator[Finding]:
    """MESH805. A root is tied to a trust domain here, and nowhere else."""
    for key, stated, found in (
        ("name", wanted.name, facts.mesh),
        ("trustDomain", wanted.trust_domain, facts.trust_domain),
    ):
        if stated != found:
            yield error(
                "MESH805",
                f"{place}.{key}",
                f"the facts are those of {quoted(found)}, and {quoted(stated)} is written here: identities of one mesh "
                "would be let in on the word of another",
                f"write {quoted(found)}, or name the right document",
            )


def _dates(place: str, wanted: OtherMesh, facts: MeshFacts, now: datetime) -> Iterator[Finding]:
    """MESH806."""
    ends = [root.ends for root in facts.roots]
    begins = [root.certificate.not_valid_before_utc for root in facts.roots]
    valid = [end for begin, end in zip(begins, ends, strict=True) if begin <= now < end]
    if not valid:
        when = f"ended on {max(ends):%Y-%m-%d}" if max(ends) <= now else f"begins on {min(begins):%Y-%m-%d}"
        yield error(
            "MESH806",
            f"{place}.facts",
            f"no root of {quoted(wanted.name)} is valid: the last one {when}, so proxies refuse each other",
            "ask its administrator for facts with a root that is valid now",
        )
    elif max(valid) - now < SOON:
        yield warning(
            "MESH806",
            f"{place}.facts",
            f"the last root of {quoted(wanted.name)} ends on {max(valid):%Y-%m-%d}; from then on proxies refuse each "
            "other",
            "ask its administrator for facts with the next root, and sign them off before",
        )


def _imports(place: str, wanted: OtherMesh, own: str, facts: MeshFacts) -> Iterator[Finding]:
    """MESH807 and MESH811."""
    for index, item in enumerate(wanted.imports):
        where, host = f"{place}.imports[{index}].host", full_host(item.host)
        export = facts.export(host)
        if export is None:
            offered = sorted(e.host for e in facts.exports if own in e.meshes)
            yield error(
                "MESH807",
                where,
                f"{quoted(wanted.name)} does not export {quoted(host)}; its gateway would let no call through",
                f"import what it exports ({', '.join(offered) or 'nothing to this mesh'}), or ask its administrator",
            )
        elif own not in export.meshes:
            yield error(
                "MESH807",
                where,
                f"{quoted(wanted.name)} exports {quoted(host)}, and not to {quoted(own)}: its workloads would refuse "
                "ours",
                f"ask its administrator to add {quoted(own)} to `exports[].meshes`, and for new facts",
            )
    if wanted.imports and not facts.gateways:
        yield error(
            "MESH811",
            f"{place}.facts",
            f"the facts of {quoted(wanted.name)} name no gateway, so nothing that it exports can be reached",
            "ask its administrator to export facts again once its gateway for other meshes has an address",
        )


def missing(context: Context) -> Iterator[Finding]:
    """MESH801."""
    for index, other in enumerate(context.mesh.meshes):
        stated = [key for key in ("file", "stack") if getattr(other.facts, key) is not None]
        place, known = f"meshes[{index}].facts", context.facts.get(index)
        if len(stated) > 1:
            reason = "the facts come from one place, and this names a file and a stack"
            yield error("MESH801", place, reason, "keep one of them")
        elif not stated and known is None:
            reason = f"nothing says where {quoted(other.name)} says its roots, its gateways and what it exports"
            yield error("MESH801", place, reason, _MISSING)
        elif isinstance(known, FactsError):
            reason = f"{quoted(other.facts.file or '')}, of {quoted(other.name)}: {known}"
            yield error("MESH801", f"{place}.file", reason, f"ask its administrator for the document; {_MISSING}")


def known(context: Context) -> Iterator[Finding]:
    """MESH804 to MESH807 and MESH811, of the facts that stand in files."""
    for index, other in enumerate(context.mesh.meshes):
        facts = context.facts.get(index)
        if isinstance(facts, MeshFacts):
            yield from about(f"meshes[{index}]", other, context.mesh.id, facts, context.now)


def unsigned(context: Context) -> Iterator[Finding]:
    """MESH804, of a stack whose facts are known later."""
    for index, other in enumerate(context.mesh.meshes):
        if other.facts.stack is not None and other.digest is None:
            yield error(
                "MESH804",
                f"meshes[{index}].digest",
                f"nobody has signed off what {quoted(other.name)} says of itself, and a stack may say something else "
                "tomorrow",
                f"look at `pulumi stack output publicFacts --stack {other.facts.stack}`, compare its digest with what "
                "its administrator reads to you, and write that as `digest`",
            )


def shared_root(context: Context) -> Iterator[Finding]:
    """MESH813, of two other meshes. Whether a root is ours as well is known only when the program runs."""
    first: dict[str, str] = {}
    for index, other in enumerate(context.mesh.meshes):
        facts = context.facts.get(index)
        for root in sorted(facts.roots, key=lambda root: root.sha256) if isinstance(facts, MeshFacts) else ():
            earlier = first.setdefault(root.sha256, other.name)
            if earlier != other.name:
                yield same_root(f"meshes[{index}].facts", other.name, quoted(earlier))
                break


def same_root(place: str, mesh: str, whose: str) -> Finding:
    """MESH813."""
    return warning(
        "MESH813",
        place,
        f"{quoted(mesh)} has a root of {whose}: whoever signs under it can sign for both, and only the trust domain in "
        "a certificate tells them apart",
        "go on if one authority signs for both on purpose; then policies by principal are all that keeps them apart",
    )


RULES = (missing, known, unsigned, shared_root)
