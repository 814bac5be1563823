"""What Pulumi reads before it runs a program: Pulumi.yaml, the stack's settings, and both's configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from meshctl.local.passphrase import Crypter


class ProjectError(Exception):
    """A project or stack that cannot be read: where, what, why, fix."""


@dataclass(frozen=True)
class Config:
    """Configuration as it reaches the program: strings by full key, and which keys are secret."""

    values: Mapping[str, str] = field(default_factory=dict)
    secret_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """One Pulumi project with the settings of one stack."""

    root: Path
    name: str
    stack: str
    settings: Mapping[str, Any]
    """Pulumi.yaml."""
    stack_settings: Mapping[str, Any]
    """Pulumi.<stack>.yaml."""
    stack_file: Path

    @property
    def program(self) -> Path:
        """The file to run; its folder is where it runs."""
        main = self.root / str(self.settings.get("main") or ".")
        return main / "__main__.py" if main.is_dir() else main

    @property
    def salt(self) -> str | None:
        """The salt of the stack's secrets, if it has any."""
        salt = self.stack_settings.get("encryptionsalt")
        return str(salt) if salt else None

    def config(self, crypter: Crypter) -> Config:
        """Merge the project's values and defaults with the stack's values; the stack wins, key by key."""
        merged = {_full(key, self.name): _declared(value) for key, value in _mapping(self.settings, "config").items()}
        stack = _mapping(self.stack_settings, "config")
        merged |= {_full(key, self.name): value for key, value in stack.items()}
        values, secret = {}, []
        for key, value in merged.items():
            if value is None:
                continue
            plain, is_secret = _decrypt(value, crypter)
            values[key] = _text(plain)
            if is_secret:
                secret.append(key)
        return Config(values, tuple(secret))


def load(directory: Path, stack: str) -> Project:
    """Find the project in `directory` or above it, as Pulumi does, and the settings of `stack`."""
    project = located(directory, stack)
    path, folder, stack_file = project.root / "Pulumi.yaml", project.stack_file.parent, project.stack_file
    if not stack_file.exists() and list(folder.glob("Pulumi.*.yaml")):
        known = ", ".join(sorted(p.name[len("Pulumi.") : -len(".yaml")] for p in folder.glob("Pulumi.*.yaml")))
        message = f"{stack_file}: there is no stack {stack!r}; copy the file of another one: {known}"
        raise ProjectError(message)
    stack_settings = _read(stack_file) if stack_file.exists() else {}
    if "secretsprovider" in stack_settings and stack_settings["secretsprovider"] not in ("passphrase", "default"):
        message = (
            f"{stack_file}: secretsprovider {stack_settings['secretsprovider']!r} needs the Pulumi CLI; "
            "the local engine knows the passphrase provider only"
        )
        raise ProjectError(message)
    project = replace(project, stack_settings=stack_settings)
    if not project.program.is_file():
        message = f"{path}: the program {project.program} does not exist; set `main` to its folder or file"
        raise ProjectError(message)
    return project


def located(directory: Path, stack: str) -> Project:
    """The project, and where the settings of `stack` are or would be; they are not read."""
    root = _root(directory.resolve())
    path = root / "Pulumi.yaml"
    settings = _read(path)
    name = settings.get("name")
    if not isinstance(name, str) or not name:
        message = f"{path}: has no `name`, which every URN begins with; add `name: <project>`"
        raise ProjectError(message)
    folder = root / str(settings.get("stackConfigDir") or ".")
    return Project(root, name, stack, settings, {}, folder / f"Pulumi.{stack}.yaml")


def mapping(text: str, where: str) -> Mapping[str, Any]:
    """A file of settings, read. Raises ProjectError, which begins with `where`."""
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        message = f"{where}: cannot be read: {' '.join(str(error).split())}"
        raise ProjectError(message) from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        message = f"{where}: is not a mapping of keys to values, as Pulumi's settings are"
        raise ProjectError(message)
    return data


def _root(directory: Path) -> Path:
    for folder in (directory, *directory.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    message = f"{directory}: no Pulumi.yaml here or above; run in the project's folder or give it with --cwd DIR"
    raise ProjectError(message)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {' '.join(str(error).split())}"
        raise ProjectError(message) from error
    return mapping(text, str(path))


def _mapping(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = settings.get(key) or {}
    if not isinstance(value, dict):
        message = f"`{key}` is not a mapping of keys to values"
        raise ProjectError(message)
    return value


def _full(key: object, project: str) -> str:
    text = str(key)
    return text if ":" in text else f"{project}:{text}"


def _declared(value: Any) -> Any:
    """A project's entry is a plain value, or a declaration with `value` or `default`."""
    if isinstance(value, dict):
        return value.get("value", value.get("default"))
    return value


def _decrypt(value: Any, crypter: Crypter) -> tuple[Any, bool]:
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return crypter.open(value["secure"]), True
        pairs = {key: _decrypt(item, crypter) for key, item in value.items()}
        return {key: item for key, (item, _) in pairs.items()}, any(secret for _, secret in pairs.values())
    if isinstance(value, list):
        items = [_decrypt(item, crypter) for item in value]
        return [item for item, _ in items], any(secret for _, secret in items)
    return value, False


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), default=str)
