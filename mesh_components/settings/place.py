"""Where a text is that never stands in the document: a file, an environment variable, a secret stack setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mesh_components.settings.base import Settings

Secrets = Callable[[str], str | None]
"""Gives the value of a secret stack setting, None where it is not set."""


NOT_AT_HAND = "none: the preview is without credentials"
"""Stands for a text where a preview goes on without it."""


class PlaceSettings(Settings):
    """Where a text is. Exactly one source."""

    file: str | None = None
    """Path of a file; relative paths start at the project's folder, `~` is the home folder."""
    environment: str | None = None
    """Name of an environment variable that holds the contents."""
    secret: str | None = None
    """Name of a secret stack setting that holds the contents: `pulumi config set --secret NAME < FILE`."""

    @property
    def stated(self) -> tuple[str, ...]:
        """Which of the sources are named."""
        return tuple(key for key in ("file", "environment", "secret") if getattr(self, key) is not None)


class KubeconfigSettings(PlaceSettings):
    """Where a kubeconfig is. Exactly one source; the contents never stand in the document."""

    context: str | None = None
    """Context to use; the kubeconfig's current context when left out."""


class PlaceError(ValueError):
    """A text that is not where it is said to be. Its message never quotes contents."""


def read(source: PlaceSettings, *, folder: Path, secret: Secrets, environment: Mapping[str, str]) -> bytes:
    """Read what `source` names.

    Args:
        source: which file, environment variable or secret stack setting.
        folder: where relative paths start.
        secret: gives the value of a secret stack setting.
        environment: the environment variables.

    Raises:
        PlaceError: in words for the user, without any of the contents.
    """
    if source.file is not None:
        return _file(folder, source.file)
    if source.environment is not None:
        contents = environment.get(source.environment, "")
        if not contents:
            raise PlaceError(f"the environment variable {source.environment} is not set")
        return contents.encode("utf-8", "surrogateescape")
    if source.secret is not None:
        contents = secret(source.secret) or ""
        if not contents:
            raise PlaceError(f"the secret stack setting {source.secret} is not set")
        return contents.encode()
    raise PlaceError("no file, environment variable or secret stack setting is named")


def _file(folder: Path, file: str) -> bytes:
    path = folder / file
    try:
        path = folder / Path(file).expanduser()
        return path.read_bytes()
    except FileNotFoundError:
        raise PlaceError(f"there is no file {path}") from None
    except (OSError, ValueError, RuntimeError) as error:  # no permission, no path, nobody's home folder
        raise PlaceError(f"{path} cannot be read: {error.__class__.__name__}") from None
