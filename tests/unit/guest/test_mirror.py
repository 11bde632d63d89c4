"""Where Debian's files are."""

from __future__ import annotations

import pytest

from guest.image.mirror import VARIABLE, Mirror


@pytest.mark.parametrize(
    ("path", "url"),
    [
        (
            "debian/pool/main/c/crun/crun_1.21-1_amd64.deb",
            "http://m/debian/pool/main/c/crun/crun_1.21-1_amd64.deb",
        ),
        ("debian-security/pool/updates/x.deb", "http://m/debian-security/pool/updates/x.deb"),
    ],
)
def test_the_security_archive_is_beside_the_main_one(path: str, url: str) -> None:
    assert Mirror("http://m/debian").url(path) == url


def test_another_mirror_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "https://mirror.example/os/debian/")

    assert Mirror.of_environment().url("debian/dists/x") == "https://mirror.example/os/debian/dists/x"
