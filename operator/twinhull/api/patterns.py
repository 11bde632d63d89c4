"""Sentences for the patterns of fields: what a value is not, and what to write instead."""

from __future__ import annotations

_ENDS = "a letter or a digit at both ends"
_NAME = f"is not a name: write lower-case letters, digits and '-', with {_ENDS}"
#: The fields of a Pod's metadata that the downward API can give, as a pattern and in words.
_OF_OBJECT = r"metadata\.(name|namespace|uid)|metadata\.(labels|annotations)\['[^']+'\]"
_OBJECT_FIELDS = (
    "metadata.name, metadata.namespace, metadata.uid, metadata.labels['KEY'], metadata.annotations['KEY']"
)

PATTERNS = {
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$": (
        "is not an amount: write a number, with a unit such as m, k, M, G, Ki, Mi or Gi if needed (500m, "
        "64Mi)"
    ),
    r"^(([^/.][^/]*|\.([^/.][^/]*)?|\.\.[^/]+)(/([^/.][^/]*|\.([^/.][^/]*)?|\.\.[^/]+)?)*)?$": (
        "leads out of its volume: write a path without '..' and without '/' at its beginning"
    ),
    r"^(([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*)?$": (
        "is not a name of a port: write lower-case letters, digits and '-', and at least one letter"
    ),
    r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$": (
        f"is not a value of a label: write letters, digits, '-', '_' and '.', with {_ENDS}"
    ),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": (
        f"is not a name of an object: write lower-case letters, digits, '-' and '.', with {_ENDS}"
    ),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": _NAME,
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$": _NAME,
    r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$": (
        f"is not a value of a label: write letters, digits, '-', '_' and '.', with {_ENDS}"
    ),
    r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$": (
        f"is not a key of a label: write letters, digits, '-', '_' and '.', with {_ENDS}, such as tier or "
        "example.com/tier"
    ),
    r"^[A-Za-z0-9*?._:/@-]+$": (
        "is not a pattern of images: write letters, digits and any of *?._:/@-, such as ghcr.io/team/**"
    ),
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$": (
        "is not a ServiceAccount: write NAME or NAMESPACE/NAME"
    ),
    r"^[A-Za-z0-9.-]+(:[0-9]+)?$": "is not a host: write HOST or HOST:PORT, without https://",
    r"^https?://[^\t\n\f\r ]+$": "is not a URL: write one that begins with https:// or http://",
    r"^[ -<>-~]+$": "is not a name of a variable: write characters of ASCII without '='",
    rf"^({_OF_OBJECT}|spec\.(nodeName|host|serviceAccountName)|status\.(host|pod)IPs?)$": (
        f"no variable can have: use {_OBJECT_FIELDS}, spec.nodeName, spec.serviceAccountName, status.hostIP, "
        "status.hostIPs, status.podIP or status.podIPs"
    ),
    rf"^({_OF_OBJECT}|metadata\.(labels|annotations))$": (
        f"no file can have: use {_OBJECT_FIELDS}, metadata.labels or metadata.annotations"
    ),
}
