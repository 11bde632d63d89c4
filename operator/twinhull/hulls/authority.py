"""The certificates by which a guest knows the operator: one authority for each Workload.

No key is stored: an authority is worked out of the operator's secret and the Workload's uid, the same every
time, and only its certificate leaves the operator. So whoever takes a client certificate from one guest's
traffic, or reads one's manifest, gets into no other guest.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_ISSUER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinhull guest authority")])
_SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinhull operator")])
#: An authority lives as long as its Workload. RFC 5280, 4.1.2.5: this is how a certificate says "for ever".
_EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
#: How long a client certificate is good for, and by how much a guest's clock may be behind ours.
CLIENT_LIFETIME = timedelta(hours=24)
_CLOCK_SKEW = timedelta(hours=1)


def certificate(secret: bytes, workload_uid: str) -> str:
    """The authority's certificate (PEM) for the manifest of a Workload's machine: always the same text."""
    key = _key(secret, workload_uid)
    signed = (
        x509.CertificateBuilder(_ISSUER, _ISSUER, key.public_key(), serial_number=1)
        .not_valid_before(_EVER[0])
        .not_valid_after(_EVER[1])
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def client(
    secret: bytes, workload_uid: str, now: datetime, key: Ed25519PrivateKey, serial_number: int
) -> bytes:
    """A client key and its certificate (PEM, both) that the guests of a Workload accept.

    The key and the serial number are to be drawn at random by the caller (shell/guest_client.py). The serial
    number is positive and has 159 bits at most, as RFC 5280, 4.1.2.2 has it.
    """
    authority = _key(secret, workload_uid)
    signed = (
        x509.CertificateBuilder(_ISSUER, _SUBJECT, key.public_key(), serial_number)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + CLIENT_LIFETIME)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(authority, None)
    )
    return signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _key(secret: bytes, workload_uid: str) -> Ed25519PrivateKey:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=f"twinhull guest authority {workload_uid}".encode())
    return Ed25519PrivateKey.from_private_bytes(derived.derive(secret))
