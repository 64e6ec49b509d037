"""Keys and signatures: RFC 8032's own vector, modes, and every way a key file can be wrong."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from zerofactory.errors import FaultyData
from zerofactory.store.signing import fingerprint, is_signed, new_key, public_key, sign


def test_vector_of_rfc_8032() -> None:
    """RFC 8032, 7.1, TEST 2."""
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert is_signed(b"\x72", public, signature)
    assert not is_signed(b"\x73", public, signature)
    assert not is_signed(b"\x72", public, signature.upper())
    assert not is_signed(b"\x72", public[:-2], signature)


def test_a_new_key_is_private_signs_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    public = new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public == public_key(path)
    signer, signature = sign(path, b"tonnes")
    assert signer == public
    assert is_signed(b"tonnes", signer, signature)
    assert len(fingerprint(public).split()) == 8
    with pytest.raises(FaultyData) as caught:
        new_key(path)
    assert caught.value.problems[0].code == "signing.key_exists"


def test_wrong_key_files_are_said(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    other, text = tmp_path / "other.pem", tmp_path / "text.pem"
    other.write_bytes(X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    text.write_text("hello", encoding="utf-8")
    expected = ((other, "key_kind"), (text, "key_unreadable"), (tmp_path / "absent", "key_unreadable"))
    for path, code in expected:
        with pytest.raises(FaultyData) as caught:
            sign(path, b"")
        assert caught.value.problems[0].code == f"signing.{code}"
