"""TLS with a guest: the guest shows the certificate that the operator has seen, and the caller shows a
person's.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class PersonalKey:
    """A key that never leaves this process, but for a file that exists while OpenSSL reads it."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    def request(self) -> str:
        """A certificate request (PEM) for the key. The operator uses only its public key."""
        made = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(self._key, None)
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, certificate: str, guests: str) -> ssl.SSLContext:
        """TLS with this key and its certificate. Only the guest whose own certificate is `guests` is
        accepted.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # the guest's certificate is known, and names no host
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=guests)
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # OpenSSL reads a certificate from a file only; mkstemp makes one that nobody else may read.
        file, name = tempfile.mkstemp()
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(certificate.encode() + private)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return context
