"""TLS with a guest: it shows the certificate that the operator has seen, and is shown a person's."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class PersonalKey:
    """A key that never leaves this process, but for a file of its own that lives while OpenSSL reads it."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    def request(self) -> str:
        """A certificate request (PEM) for it. The operator takes only the key of it."""
        made = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(self._key, None)
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, certificate: str, guests: str) -> ssl.SSLContext:
        """TLS by this key and its certificate, with nobody but the guest whose own certificate that is."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # its certificate is known, and names no host
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=guests)
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # OpenSSL takes a certificate from a file only; mkstemp makes one that nobody else may read.
        file, name = tempfile.mkstemp()
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(certificate.encode() + private)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return context
