"""From what a program registers to the object that is sent: type token, numbers, names, and who writes it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshctl.local.model import UNKNOWN, Goal, Record, StepError

AUTONAMED = "pulumi.com/autonamed"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER_LIMIT = 128
NOT_OBJECTS = ("kubernetes:helm.sh/", "kubernetes:yaml", "kubernetes:kustomize")
TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105  a type, not a secret


@dataclass(frozen=True)
class Desired:
    """One object as it is to be sent; may still hold UNKNOWN in a preview."""

    urn: str
    body: dict[str, Any]
    patch: bool
    """Whether this is a Patch resource: some fields of an object that something else owns."""
    manager: str
    secret: frozenset[str] = frozenset()
    """Top-level properties whose values must not be shown."""

    @property
    def api_version(self) -> str:
        """Group and version."""
        return str(self.body["apiVersion"])

    @property
    def kind(self) -> str:
        """The kind, without a «Patch»."""
        return str(self.body["kind"])

    @property
    def name(self) -> Any:
        """metadata.name; can be UNKNOWN."""
        return self.body["metadata"].get("name")

    @property
    def namespace(self) -> Any:
        """metadata.namespace, "" if there is none; can be UNKNOWN."""
        return self.body["metadata"].get("namespace", "")

    @property
    def id(self) -> str:
        """As Pulumi writes it."""
        return f"{self.namespace}/{self.name}" if self.namespace else str(self.name)


def plain(value: Any) -> Any:
    """The same value as the API server would write it: integral numbers as integers, no null fields.

    The wire format knows only doubles, and the API server refuses 8080.0 where it wants an integer.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def type_of(token: str, inputs: Mapping[str, Any]) -> tuple[str, str, bool]:
    """apiVersion, kind, and whether it is a Patch resource: from the inputs where given, else from the type token."""
    if token.startswith(NOT_OBJECTS):
        raise StepError(f"{token} is not a Kubernetes object; fix: register the objects it stands for, or use Pulumi")
    try:
        _, version, kind = token.split(":")
    except ValueError:
        raise StepError(
            f"{token!r} is not the type of a Kubernetes object: kubernetes:<group/version>:<Kind>"
        ) from None
    version = version.removeprefix("core/")
    given = inputs.get("kind")
    patch = kind == f"{given}Patch" if isinstance(given, str) else kind.endswith("Patch") and kind != "Patch"
    api_version = inputs.get("apiVersion")
    return (
        api_version if isinstance(api_version, str) else version,
        kind.removesuffix("Patch") if patch else kind,
        patch,
    )


def manager_name(stack: str, resource: str = "") -> str:
    """Who writes, as managedFields will say. A Patch resource writes under a name of its own, so that it can be part
    of an object of the same stack and give up its own fields only."""
    name = "/".join(part for part in ("mesh", stack, resource) if part)
    name = "".join(char if char.isascii() and char.isprintable() else "_" for char in name)
    if len(name) <= MANAGER_LIMIT:
        return name
    return f"{name[: MANAGER_LIMIT - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def split_id(id_: str) -> tuple[str, str]:
    """Namespace ("" if there is none) and name."""
    namespace, _, name = id_.rpartition("/")
    return namespace, name


def desire(goal: Goal, record: Record | None, stack: str, drawn: str = "") -> Desired:
    """The object of a goal. `drawn` is the automatic name that the plan has already drawn, if it has."""
    api_version, kind, patch = type_of(goal.type, goal.inputs)
    given = {key: value for key, value in goal.inputs.items() if key != "status" and not key.startswith("__")}
    body: dict[str, Any] = {**plain(given), "apiVersion": api_version, "kind": kind}
    metadata = body.get("metadata")
    body["metadata"] = metadata = metadata if isinstance(metadata, dict) else {}
    if metadata.get("generateName"):
        raise StepError(f"{goal.urn}: metadata.generateName cannot be applied server-side; fix: set metadata.name")
    if not metadata.get("name"):
        if patch:
            raise StepError(f"{goal.urn}: a Patch resource needs metadata.name: the object whose fields it sets")
        metadata["name"] = _autoname(goal, record, drawn)
        if isinstance(annotations := metadata.setdefault("annotations", {}), dict):
            annotations[AUTONAMED] = "true"
    _forget_last_applied(metadata)
    if (api_version, kind) == ("v1", "Secret"):
        _encode(body)
    manager = manager_name(stack, goal.name if patch else "")
    return Desired(goal.urn, body, patch, manager, secret_properties(api_version, kind, goal.secret_inputs))


def recorded(record: Record, stack: str) -> Desired:
    """The object that was asked for last time, in the same shape, to be compared with."""
    return desire(record.goal(), record, stack)


def secret_properties(api_version: str, kind: str, named: frozenset[str]) -> frozenset[str]:
    """What must not be shown: what the program says, and a Secret's values even if it does not say so."""
    return named | {"data", "stringData"} if (api_version, kind) == ("v1", "Secret") else named


def _autoname(goal: Goal, record: Record | None, drawn: str) -> str:
    recorded = split_id(record.id)[1] if record is not None and record.id else ""
    # Pulumi's rule, and its length: https://www.pulumi.com/docs/concepts/resources/names/#autonaming
    return drawn or recorded or f"{goal.name}-{secrets.token_hex(4)}"


def _encode(body: dict[str, Any]) -> None:
    """stringData is write-only: the API server folds it into data, where it could not be compared or given up."""
    texts = body.get("stringData")
    if not isinstance(texts, dict) or not isinstance(body.get("data", {}), dict):
        return
    del body["stringData"]
    data = body.setdefault("data", {})
    for key, text in texts.items():
        data[key] = text if text is UNKNOWN else base64.b64encode(str(text).encode()).decode()


def managers(live: Mapping[str, Any]) -> set[str]:
    """Who has applied parts of the object (not who has updated them)."""
    fields = live.get("metadata", {}).get("managedFields") or ()
    return {str(entry.get("manager")) for entry in fields if entry.get("operation") == "Apply"}


def as_seen(live: dict[str, Any]) -> dict[str, Any]:
    """The object as a program sees it, and the state keeps it. In place: it has just been parsed and is nobody else's.

    What kubectl notes of an object that it applied repeats it, the values of a Secret in clear.
    """
    metadata = live.get("metadata", {})
    metadata.pop("managedFields", None)
    _forget_last_applied(metadata)
    return live


def _forget_last_applied(metadata: dict[str, Any]) -> None:
    if isinstance(annotations := metadata.get("annotations"), dict):  # it can be UNKNOWN
        annotations.pop(LAST_APPLIED, None)


def expected(desired: Desired) -> dict[str, Any]:
    """The outputs of an object that is not there yet: its inputs, and UNKNOWN for what the cluster will add."""
    outputs = dict(desired.body)
    if desired.kind == "Secret" and outputs.get("type") == TOKEN_SECRET:
        outputs["data"] = UNKNOWN
    outputs["status"] = UNKNOWN
    return outputs
