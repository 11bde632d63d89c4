"""The certificate authority of each Workload, by whose certificates a guest recognizes the operator.

No key is stored. An authority's key is derived from the operator's secret and the Workload's uid, the same
every time, and only the certificate leaves the operator. Whoever takes a client certificate from the traffic
of one guest, or reads its manifest, therefore gets into no other guest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_ISSUER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinhull guest authority")])
_SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinhull operator")])
#: An authority's certificate is valid for as long as its Workload may live. RFC 5280, 4.1.2.5: a certificate
#: without a known end is valid until this time.
_UNLIMITED = (datetime(2020, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
#: How long a client certificate is valid.
CLIENT_LIFETIME = timedelta(hours=24)
#: How far a guest's clock may be behind the operator's.
_CLOCK_SKEW = timedelta(hours=1)
#: The extended key usage of a person's certificate: id-kp-secureShellClient (RFC 6187, 2.2.3). A guest of an
#: earlier version asks for clientAuth, and so refuses people.
_PERSON_KEY_USAGE = ObjectIdentifier("1.3.6.1.5.5.7.3.21")
_RSA_BITS = 2048, 4096


def certificate(secret: bytes, workload_uid: str) -> str:
    """The certificate (PEM) of a Workload's authority, for its machine's manifest: always the same text."""
    key = _key(secret, workload_uid)
    signed = (
        x509.CertificateBuilder(_ISSUER, _ISSUER, key.public_key(), serial_number=1)
        .not_valid_before(_UNLIMITED[0])
        .not_valid_after(_UNLIMITED[1])
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def client(
    secret: bytes, workload_uid: str, now: datetime, key: Ed25519PrivateKey, serial_number: int
) -> bytes:
    """A client key and its certificate (both PEM) that the guests of a Workload accept for CLIENT_LIFETIME.

    The caller draws the key and the serial number at random (shell/guest_certificate.py). The serial number
    is positive and has 159 bits at most, as RFC 5280, 4.1.2.2 requires.
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


@dataclass(frozen=True, slots=True)
class Person:
    """A person who may enter one boot of one machine of a Workload."""

    #: The person's public key.
    key: CertificatePublicKeyTypes
    #: What the person may do in the machine (api/accessrequest.Usage).
    usages: tuple[str, ...]
    #: The SHA-256, in hex, of the certificate that the guest makes for itself at each boot.
    fingerprint: str
    #: The AccessRequest that is granted, as namespace/name.
    request: str
    #: When the access ends.
    ends: datetime


def person(secret: bytes, workload_uid: str, person: Person, now: datetime, serial_number: int) -> str:
    """The certificate (PEM) of a person.

    The guest distinguishes it from the operator's certificate by its extended key usage. It reads the usages
    from the subject's organizational units, and the fingerprint from the subject's serial number
    (guest/README.md). The serial number of the certificate itself is as in `client`.
    """
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, person.request[:64]),
            *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, usage) for usage in person.usages),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, person.fingerprint),
        ]
    )
    signed = (
        x509.CertificateBuilder(_ISSUER, subject, person.key, serial_number)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(person.ends)
        .add_extension(x509.ExtendedKeyUsage([_PERSON_KEY_USAGE]), critical=False)
        .sign(_key(secret, workload_uid), None)
    )
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def fingerprint(certificate: str) -> str:
    """The SHA-256 of a certificate (PEM), in hex; empty if the certificate can't be read."""
    try:
        return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256()).hex()
    except ValueError:
        return ""


def requested_key(request: str) -> CertificatePublicKeyTypes:
    """The key in a certificate request (PKCS #10, PEM). The other fields of the request are ignored.

    Raises ValueError if the request can't be read or isn't signed by its key, or if the key is too weak or of
    a kind that TLS 1.3 doesn't sign with.
    """
    try:
        read = x509.load_pem_x509_csr(request.encode())
        key = read.public_key()
        if not _is_strong(key):
            raise ValueError(
                "its key is neither Ed25519, nor ECDSA on P-256 or P-384, nor RSA of 2048 to 4096 bits"
            )
        proved = read.is_signature_valid
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("it has a key or a signature that isn't supported") from error
    if not proved:
        raise ValueError("it isn't signed by its own key")
    return key


def _is_strong(key: CertificatePublicKeyTypes) -> bool:
    """Whether TLS 1.3 signs with a key of this kind, and the key is of a usual strength."""
    match key:
        case ed25519.Ed25519PublicKey():
            return True
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1()):
            return True
        case rsa.RSAPublicKey():
            return _RSA_BITS[0] <= key.key_size <= _RSA_BITS[1]
    return False


def _key(secret: bytes, workload_uid: str) -> Ed25519PrivateKey:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=f"twinhull guest authority {workload_uid}".encode())
    return Ed25519PrivateKey.from_private_bytes(derived.derive(secret))
