"""From what the document says of the root's source to the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi

from mesh_components.settings.source import SourceSettings, VaultSettings
from mesh_components.topology import material
from mesh_components.topology.certificates import Expected
from mesh_components.topology.certificates.read import lined
from mesh_components.topology.material import Stated, Texts
from mesh_components.trust.cert_manager import CertManagerSource
from mesh_components.trust.google_cas import GoogleCasSource
from mesh_components.trust.own import OwnRootSource, ReadyMadeSource
from mesh_components.trust.source import Source
from mesh_components.trust.vault import VaultLogin, VaultSource

T = TypeVar("T")


def from_document(stated: Stated, texts: Texts, expected: Expected) -> Source:
    """Choose it. Raises `pulumi.RunError` where a text is missing that the document names: nobody handed it over."""
    return _Reader(stated.place, texts, expected).source(stated.settings)


@dataclass(frozen=True)
class _Reader:
    """One source of the document, with what it names."""

    place: str
    texts: Texts
    expected: Expected

    def source(self, settings: SourceSettings) -> Source:
        if settings.root is not None:
            signer = material.signer(self.texts, f"{self.place}.root", settings.root)
            return OwnRootSource(self._there(signer))
        if settings.vault is not None:
            login = VaultLogin(self._login(settings.vault), self._ca(settings.vault))
            return VaultSource(settings.vault, self._text("vault.root"), login, self.expected)
        if settings.cert_manager is not None:
            return CertManagerSource(self._text("certManager.root"))
        if settings.google_cas is not None:
            return GoogleCasSource(settings.google_cas, self._text("googleCas.root"), self.expected)
        own = f"{self.place}.intermediates"
        found = {
            name: self._there(material.bundle(self.texts, f"{own}.{name}", item))
            for name, item in settings.intermediates.items()
        }
        return ReadyMadeSource(found)

    def _login(self, vault: VaultSettings) -> dict[str, Any]:
        """As `vault_client` has it. Secret."""
        if vault.app_role is not None:
            secret = self._text("vault.appRole.secretId").strip()
            return {
                "path": f"auth/{vault.app_role.mount}/login",
                "body": {"role_id": vault.app_role.role_id, "secret_id": secret},
            }
        if vault.kubernetes is not None:
            token = self._text("vault.kubernetes.token").strip()
            return {
                "path": f"auth/{vault.kubernetes.mount}/login",
                "body": {"role": vault.kubernetes.role, "jwt": token},
            }
        return {"token": self._text("vault.token").strip()}

    def _ca(self, vault: VaultSettings) -> str | None:
        return None if vault.ca is None else lined(self._text("vault.ca"))

    def _text(self, key: str) -> str:
        return self._there(material.text(self.texts, f"{self.place}.{key}"))

    def _there(self, found: T | None) -> T:
        if found is None:
            raise pulumi.RunError(
                f"{self.place}: the texts that it names were not handed over; a stack reads them itself, a program "
                "gives them to MeshFederationArgs as `texts`, by their place in the document"
            )
        return found
