"""What the operator shows to guests: a client key and its certificate, drawn anew each time."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twinhull.hulls import authority


def new_client(secret: bytes, workload_uid: str, now: datetime) -> bytes:
    """A new client key and its certificate (PEM, both) that the guests of a Workload accept.

    `secret` is the operator's, of which the Workload's authority is worked out. The certificate is good for
    authority.CLIENT_LIFETIME from `now` on.
    """
    key, serial_number = Ed25519PrivateKey.generate(), x509.random_serial_number()
    return authority.client(secret, workload_uid, now, key, serial_number)
