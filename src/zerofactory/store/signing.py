"""Signing with Ed25519 (RFC 8032): keys in files that only their owner reads, signatures, fingerprints."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from zerofactory.errors import FaultyData, Problem, Text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HEX = {"public": re.compile(r"^[0-9a-f]{64}$"), "signature": re.compile(r"^[0-9a-f]{128}$")}


def new_key(path: Path) -> str:
    """Write a new private key (PEM, PKCS 8, mode 0600) and return its public key in hexadecimal.

    Raises
    ------
    FaultyData
        The file exists: a key is never overwritten.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        message = Text("密钥文件已存在, 不会覆盖。", "The key file exists and is never overwritten.")
        hint = Text("请换一个文件名。", "Choose another file.")
        raise FaultyData([Problem("signing.key_exists", message, hint, file=path.name)]) from error
    except OSError as error:
        message = Text(f"密钥文件写不了: {error.strerror}。", f"The key file cannot be written: {error.strerror}.")
        raise FaultyData([_problem("key_unwritable", message, path)]) from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return public_key(path)


def public_key(path: Path) -> str:
    """Return the public key of a key file in hexadecimal; raise `FaultyData` when it is no Ed25519 key."""
    return _load(path).public_key().public_bytes_raw().hex()


def sign(path: Path, content: bytes) -> tuple[str, str]:
    """Return the public key and the signature of a content, both in hexadecimal."""
    key = _load(path)
    return key.public_key().public_bytes_raw().hex(), key.sign(content).hex()


def is_signed(content: bytes, public: str, signature: str) -> bool:
    """Whether a signature in lower-case hexadecimal is that of the content under a public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not _HEX["public"].match(public) or not _HEX["signature"].match(signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: str) -> str:
    """Return the fingerprint of a public key: the first 32 digits of its SHA-256, in groups of four.

    Examples
    --------
    >>> fingerprint("00" * 32)
    '6668 7aad f862 bd77 6c8f c18b 8e9f 8e20'
    """
    digest = hashlib.sha256(bytes.fromhex(public)).hexdigest()[:32]
    return " ".join(digest[place : place + 4] for place in range(0, len(digest), 4))


def _load(path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        message = Text(f"密钥文件读不了: {error.strerror}。", f"The key file cannot be read: {error.strerror}.")
        raise FaultyData([_problem("key_unreadable", message, path)]) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FaultyData(
            [_problem("key_unreadable", Text("不是私钥文件。", "Not a private key file."), path)]
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise FaultyData([_problem("key_kind", Text("不是 Ed25519 密钥。", "Not an Ed25519 key."), path)])
    return key


def _problem(code: str, message: Text, path: Path) -> Problem:
    hint = Text("请用 zf key new --out 文件 新建密钥。", "Make a key with zf key new --out FILE.")
    return Problem(code=f"signing.{code}", message=message, hint=hint, file=path.name)
