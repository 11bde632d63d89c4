"""The operator's client certificate for guests: made anew each time, with a new key."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twinhull.hulls import authority


def new_client(secret: bytes, workload_uid: str, now: datetime) -> bytes:
    """A new client key and its certificate (PEM, both) that the guests of a Workload accept.

    The Workload's certificate authority is derived from the operator's `secret`. The certificate is valid for
    authority.CLIENT_LIFETIME from `now` on.
    """
    key, serial_number = Ed25519PrivateKey.generate(), x509.random_serial_number()
    return authority.client(secret, workload_uid, now, key, serial_number)
