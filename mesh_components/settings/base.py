"""What every settings model shares: plain data, frozen, camelCase in documents, nothing unknown let through."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Settings(BaseModel):
    """Base of all settings. Errors never echo an input: a key pasted into the wrong place must not be printed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        # Validators are built when a model is first used: a program that attaches two clusters needs few of them.
        defer_build=True,
    )


class ResourceAmounts(Settings):
    """Kubernetes quantities."""

    cpu: str | None = None
    memory: str | None = None
