"""A folder of files that is replaced as a whole, and in which nobody else's file is written over."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from meshctl.local.project import ProjectError

INDEX = "index.yaml"
_BY = "mesh render"


def replace(folder: Path, index: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """Put `files` and the index there, in the place of what an earlier call has put there.

    Returns the index as it was written.

    Raises:
        ProjectError: when the folder holds something else, or cannot be written.
    """
    _check(folder)
    listed = {"generatedBy": _BY, **index, "files": sorted(files)}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for name, text in {**files, INDEX: yaml.safe_dump(listed, sort_keys=False, width=100)}.items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            made.chmod(0o755)
            _swap(made, folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise ProjectError(f"{folder}: cannot be written: {error.strerror}; name another folder") from error
    return listed


def _check(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ProjectError(f"{folder}: is a file; name a folder")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    foreign = there - _ours(folder)
    if foreign:
        names = ", ".join(sorted(foreign)[:5]) + (" and more" if len(foreign) > 5 else "")
        raise ProjectError(
            f"{folder}: holds what `mesh render` has not written: {names}; move it away, or name another folder"
        )


def _ours(folder: Path) -> set[str]:
    """What the index says; nothing where there is none of ours."""
    try:
        index = yaml.safe_load((folder / INDEX).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return set()
    if not isinstance(index, dict) or index.get("generatedBy") != _BY:
        return set()
    return {INDEX, *(str(name) for name in index.get("files") or ())}


def _swap(made: Path, folder: Path) -> None:
    """Two renames: a reader sees the old folder or the new one, or for a moment none, and never a mixture."""
    old = made.with_name(f"{made.name}-old")
    if folder.exists():
        folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
