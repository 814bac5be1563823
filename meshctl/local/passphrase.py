"""Secrets at rest, in the format of Pulumi's passphrase provider, so that both engines share stack files.

A salt is `v1:<salt>:v1:<nonce>:<ciphertext of "pulumi">`; its latter half tells a wrong passphrase.
A secret is `v1:<base64 nonce>:<base64 ciphertext>`. The key is PBKDF2-HMAC-SHA256 of the passphrase, AES-256-GCM seals.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

ITERATIONS = 1_000_000
_CHECK = "pulumi"
_HOW = "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it"


class PassphraseError(Exception):
    """No passphrase, a wrong one, or a damaged secret; the message says which and what to do."""


def from_environment(environ: Mapping[str, str] = os.environ) -> str | None:
    """The passphrase as Pulumi finds it: an empty variable is an empty passphrase, a file is stripped of blanks."""
    if (phrase := environ.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
        return phrase
    if not (name := environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")):
        return None
    try:
        return Path(name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"PULUMI_CONFIG_PASSPHRASE_FILE: {name} cannot be read: {error}; {_HOW}"
        raise PassphraseError(message) from error


def key(phrase: str, salt: bytes) -> bytes:
    """The key of 32 bytes. Python's own hashlib takes twice as long, with the OpenSSL that it is built with."""
    return PBKDF2HMAC(SHA256(), 32, salt, ITERATIONS).derive(phrase.encode())


def new_salt() -> bytes:
    """As long as Pulumi's."""
    return secrets.token_bytes(8)


class Crypter:
    """Seals and opens values with a key derived in the background, as that takes a good part of a second."""

    def __init__(self, phrase: str | None, salt: str | None, where: str) -> None:
        """With no `salt`, a new one is made when it is needed; `where` names the file of the salt, for messages."""
        self._where = where
        self._phrase = phrase
        self._salt = salt
        self._is_new = salt is None
        self._lock = threading.Lock()
        self._aead: Future[AESGCM] | None = None
        if phrase is not None and salt is not None:
            self._aead = self._start(phrase, _salt_bytes(salt, where))

    @property
    def salt(self) -> str:
        """The salt with its check value, to be kept beside what is sealed with it."""
        self._ready()
        assert self._salt is not None  # noqa: S101 (set by _derive)
        return self._salt

    def begin(self) -> None:
        """Begin to derive the key, if there is anything to derive it from."""
        with self._lock:
            if self._aead is None and self._phrase is not None:
                self._aead = self._start(self._phrase, new_salt())

    def check(self) -> None:
        """Raise PassphraseError now if the passphrase is missing or wrong; a new key is wrong for nothing."""
        self.begin()
        if self._is_new and self._aead is not None:
            return
        self._ready()

    def seal(self, text: str) -> str:
        """Encrypt `text`."""
        return _seal(self._ready(), text)

    def open(self, sealed: str) -> str:
        """Decrypt what `seal`, or Pulumi, has made."""
        aead = self._ready()
        try:
            version, nonce, body = sealed.split(":")
            if version != "v1":
                raise ValueError(version)
            return aead.decrypt(_decode(nonce), _decode(body), None).decode()
        except (ValueError, InvalidTag) as error:
            message = f"{self._where}: a secret is damaged and cannot be decrypted; set it anew"
            raise PassphraseError(message) from error

    def _ready(self) -> AESGCM:
        self.begin()
        if self._aead is None:
            message = f"{self._where} holds secrets, or is about to, and no passphrase is given: {_HOW}"
            raise PassphraseError(message)
        return self._aead.result()

    def _start(self, phrase: str, raw: bytes) -> Future[AESGCM]:
        pool = ThreadPoolExecutor(1, thread_name_prefix="passphrase")
        future = pool.submit(self._derive, phrase, raw)
        pool.shutdown(wait=False)
        return future

    def _derive(self, phrase: str, raw: bytes) -> AESGCM:
        aead = AESGCM(key(phrase, raw))
        if self._salt is None:
            self._salt = f"v1:{base64.b64encode(raw).decode()}:{_seal(aead, _CHECK)}"
            return aead
        _, nonce, body = self._salt.split(":")[2:]
        try:
            good = aead.decrypt(_decode(nonce), _decode(body), None) == _CHECK.encode()
        except (ValueError, InvalidTag):
            good = False
        if not good:
            message = f"{self._where}: incorrect passphrase; nothing was changed. Give the one it was made with: {_HOW}"
            raise PassphraseError(message)
        return aead


def _seal(aead: AESGCM, text: str) -> str:
    nonce = secrets.token_bytes(12)
    body = aead.encrypt(nonce, text.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(body).decode()}"


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _salt_bytes(salt: str, where: str) -> bytes:
    parts = salt.split(":")
    try:
        if len(parts) != 5 or parts[0] != "v1" or parts[2] != "v1":
            raise ValueError(salt)
        return _decode(parts[1])
    except ValueError as error:
        message = (
            f"{where}: the encryption salt is not of the form v1:<salt>:v1:<nonce>:<check>; restore the file, "
            "as nothing that was encrypted with it can be read otherwise"
        )
        raise PassphraseError(message) from error
