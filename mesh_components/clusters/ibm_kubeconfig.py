"""The administrator's kubeconfig out of the archive that IBM Cloud sends. Pure.

It holds a client certificate and no plugin, so it works wherever this program runs. Peers do not get it: they get one
with the reader's token.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

_LARGEST = 1 << 20
_REFERENCES = ("certificate-authority", "client-certificate", "client-key")


class ArchiveError(ValueError):
    """An archive without a usable kubeconfig. Its message quotes nothing of it."""


def kubeconfig(archive: bytes) -> str:
    """The kubeconfig with all that it names in files beside it put into it. Raises ArchiveError."""
    files = _files(archive)
    found = next((text for name, text in sorted(files.items()) if name.endswith((".yml", ".yaml"))), None)
    try:
        document: Any = yaml.safe_load(found or b"")
        for key, entry in (("clusters", "cluster"), ("users", "user")):
            for item in document[key]:
                item[entry] = _whole(item[entry], files)
    except (yaml.YAMLError, KeyError, TypeError):
        raise ArchiveError("the archive that IBM Cloud sent has no kubeconfig in it") from None
    return yaml.safe_dump(document, sort_keys=False)


def lifetime(text: str) -> tuple[str, str] | None:
    """Beginning and end of the client certificate, RFC 3339; None where there is none."""
    from mesh_components.topology.certificates.read import begins, ends

    for item in yaml.safe_load(text)["users"]:
        data = item["user"].get("client-certificate-data")
        if data:
            certificate = base64.b64decode(data).decode()
            return begins(certificate), ends(certificate)
    return None


def _files(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            small = [item for item in opened.infolist() if not item.is_dir() and item.file_size <= _LARGEST]
            return {PurePosixPath(item.filename).name: opened.read(item) for item in small}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise ArchiveError("what IBM Cloud sent in place of a kubeconfig is no archive") from None


def _whole(entry: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    made = dict(entry)
    for key in _REFERENCES:
        name = made.pop(key, None)
        if name is not None:
            made[f"{key}-data"] = base64.b64encode(files[PurePosixPath(name).name]).decode()
    return made
