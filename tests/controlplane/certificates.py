"""Certificates of a control plane, made when it starts; nothing of it outlives the folder it is in."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LIFETIME = dt.timedelta(days=365)
_PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_CLOCK_SKEW = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class KeyPair:
    """The PEM files of a certificate and its private key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority of its own, in `folder`: `<name>-ca.crt`, and the pairs it issues beside it.

    `made` says that its files are there: it isn't made anew then. `by_rsa` is for programs that sign with its
    key and know no other algorithm.
    """

    def __init__(self, folder: Path, name: str, *, made: bool = False, by_rsa: bool = False) -> None:
        self._folder = folder
        self._subject = _name(f"{name}-ca", ())
        self.files = KeyPair(folder / f"{name}-ca.crt", folder / f"{name}-ca.key")
        self._key = _read_key(self.files.key) if made else self._create(by_rsa=by_rsa)

    def _create(self, *, by_rsa: bool) -> _PrivateKey:
        key = rsa.generate_private_key(65_537, 2048) if by_rsa else ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(self._subject, self._subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(self.files, certificate, key)
        return key

    def server(self, file_name: str, common_name: str, hosts: Iterable[str]) -> KeyPair:
        """A pair for a server reached by `hosts` (DNS names and addresses)."""
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(file_name, _name(common_name, ()), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, file_name: str, user: str, groups: Iterable[str] = ()) -> KeyPair:
        """A pair for a client; Kubernetes takes the common name as user and the organizations as groups.

        https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
        """
        return self._issue(file_name, _name(user, groups), ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def peer(self, file_name: str, common_name: str, hosts: Iterable[str]) -> KeyPair:
        """A pair for what is server and client under one certificate, as etcd's members are."""
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(file_name, _name(common_name, ()), None, names)

    def _issue(
        self,
        file_name: str,
        subject: x509.Name,
        purpose: x509.ObjectIdentifier | None,
        names: x509.SubjectAlternativeName | None,
    ) -> KeyPair:
        purposes = (
            [purpose] if purpose else [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        )
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(subject, self._subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        files = KeyPair(self._folder / f"{file_name}.crt", self._folder / f"{file_name}.key")
        _write(files, builder.sign(self._key, hashes.SHA256()), key)
        return files


def service_account_keys(folder: Path) -> KeyPair:
    """The key that signs ServiceAccounts' tokens (`key`), and its public half (`certificate`)."""
    key = ec.generate_private_key(ec.SECP256R1())
    files = KeyPair(folder / "service-accounts.pub", folder / "service-accounts.key")
    public = key.public_key()
    files.certificate.write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    _write_key(files.key, key)
    return files


def _name(common_name: str, organizations: Iterable[str]) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(subject: x509.Name, issuer: x509.Name, key: _PublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(files: KeyPair, certificate: x509.Certificate, key: _PrivateKey) -> None:
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_key(files.key, key)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _write_key(path: Path, key: _PrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
