"""What the operator shows to guests is drawn anew each time."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from twinhull.hulls import authority
from twinhull.shell.guest_certificate import new_client

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = b"s" * 32


def test_two_clients_share_neither_key_nor_serial_number() -> None:
    first, second = (new_client(SECRET, "u1", NOW) for _ in range(2))
    certificates = [x509.load_pem_x509_certificate(pem) for pem in (first, second)]
    assert certificates[0].serial_number != certificates[1].serial_number
    assert certificates[0].public_key() != certificates[1].public_key()


def test_client_is_issued_by_its_workloads_authority() -> None:
    pem = new_client(SECRET, "u1", NOW)
    client = x509.load_pem_x509_certificate(pem)
    issuer = x509.load_pem_x509_certificate(authority.certificate(SECRET, "u1").encode())
    client.verify_directly_issued_by(issuer)
    assert load_pem_private_key(pem, None).public_key() == client.public_key()
