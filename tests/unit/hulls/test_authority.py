"""The certificates by which guests know the operator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from twinhull.hulls import authority

SECRET = b"s" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def parsed(pem: str | bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem if isinstance(pem, bytes) else pem.encode())


def client_of(secret: bytes, uid: str, serial_number: int = 7) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    return authority.client(secret, uid, NOW, key, serial_number)


def test_an_authority_is_the_same_every_time() -> None:
    assert authority.certificate(SECRET, "u1") == authority.certificate(SECRET, "u1")


@pytest.mark.parametrize(("secret", "uid"), [(b"t" * 32, "u1"), (SECRET, "u2")])
def test_every_workload_and_every_secret_has_its_own(secret: bytes, uid: str) -> None:
    other = parsed(authority.certificate(secret, uid))
    client = parsed(client_of(SECRET, "u1"))
    with pytest.raises(InvalidSignature):
        client.verify_directly_issued_by(other)


def test_client_is_issued_by_its_workloads_authority() -> None:
    issuer = parsed(authority.certificate(SECRET, "u1"))
    pem = client_of(SECRET, "u1")
    client = parsed(pem)
    client.verify_directly_issued_by(issuer)
    assert load_pem_private_key(pem, None).public_key() == client.public_key()
    assert client.not_valid_before_utc < NOW - timedelta(minutes=30)
    assert client.not_valid_after_utc == NOW + authority.CLIENT_LIFETIME


def test_client_can_issue_nothing_itself() -> None:
    client = parsed(client_of(SECRET, "u1"))
    with pytest.raises(x509.ExtensionNotFound):
        client.extensions.get_extension_for_class(x509.BasicConstraints)


def test_client_is_made_of_what_was_drawn_and_nothing_else() -> None:
    assert client_of(SECRET, "u1") == client_of(SECRET, "u1")
    assert parsed(client_of(SECRET, "u1", 8)).serial_number == 8
