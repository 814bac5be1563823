"""What all of Istio's resources share: how they are read, checked and written.

Python says `traffic_policy`, documents say `trafficPolicy`. What is written is what was set and nothing else: a zero
that was set stays, a default that was not is the API server's to choose. None is as good as not set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from mesh_components.istio.rules import Rule


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not isfinite(given):
        message = "Input should be a valid number"
        raise ValueError(message)
    return given


Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Int32 = Annotated[int, Strict(), Field(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Strict(), Field(ge=-(2**63), le=2**63 - 1)]
Number = Annotated[float, PlainValidator(_number)]
"""An int stays one, so that `50` is not written as `50.0`."""
IntOrText = Annotated[int | str, Strict()]


class IstioModel(BaseModel):
    """A part of a resource. Built when it is first used; a field that Istio does not know is refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    together: ClassVar[tuple[Rule, ...]] = ()
    """What its fields have to satisfy together."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for rule in self.together:
            if not rule.holds(self):
                raise ValueError(rule.message)
        return self

    def document(self) -> dict[str, Any]:
        """As YAML says it: camelCase, and only what was set."""
        return self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)


_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PREFIX = rf"({_DNS_LABEL}(\.{_DNS_LABEL})*/)?"

Name = Annotated[str, Strict(), Field(max_length=253, pattern=rf"^{_DNS_LABEL}(\.{_DNS_LABEL})*$")]
NamespaceName = Annotated[str, Strict(), Field(max_length=63, pattern=rf"^{_DNS_LABEL}$")]
LabelKey = Annotated[str, Strict(), Field(max_length=317, pattern=rf"^{_PREFIX}{_QUALIFIED}$")]
LabelValue = Annotated[str, Strict(), Field(max_length=63, pattern=rf"^({_QUALIFIED})?$")]


class Metadata(IstioModel):
    """The metadata that people write. What the API server writes (uid, generation, managed fields) has no place here
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)."""

    name: Name
    namespace: NamespaceName | None = None
    labels: dict[LabelKey, LabelValue] | None = None
    annotations: dict[LabelKey, Text] | None = None


class IstioResource(IstioModel):
    """A whole resource; each kind has a class of its own.

    Raises:
        InvalidResourceError: from the constructor and from `parse`, with every wrong field and its path.
    """

    metadata: Metadata

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read a document as YAML or JSON gives it, with apiVersion and kind, or without them."""
        return cls.model_validate(document, by_alias=True, by_name=False)

    def manifest(self) -> dict[str, Any]:
        """The whole document, for `KubernetesObject` or for a file."""
        own = type(self).model_fields
        return {"apiVersion": own["api_version"].default, "kind": own["kind"].default, **self.document()}

    @model_validator(mode="wrap")
    @classmethod
    def _said_with_paths(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(given)
        except ValidationError as error:
            raise InvalidResourceError(cls.__name__, error.errors(include_url=False, include_input=False)) from None


class InvalidResourceError(Exception):
    """A resource that the API server would refuse: every wrong field with its path and the reason.

    Not a ValueError, because pydantic would fold one into an error of whatever model the resource is a field of.
    """

    def __init__(self, kind: str, errors: Iterable[Any]) -> None:
        self.problems = tuple((_path(kind, error["loc"]), _reason(error)) for error in errors)
        """Path, such as `VirtualService.spec.http[0].timeout`, and reason."""
        super().__init__("\n".join(f"{path}: {reason}" for path, reason in self.problems))


def _path(kind: str, loc: Iterable[int | str]) -> str:
    return kind + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


def _reason(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "this field is unknown"
    return str(error["msg"]).removeprefix("Value error, ")
