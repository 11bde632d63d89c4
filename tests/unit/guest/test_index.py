"""Which packages a few wanted ones need."""

from __future__ import annotations

import pytest

from guest.image.errors import LockError
from guest.image.index import Index, parse

_DIGEST = "0" * 64


def _stanza(name: str, version: str = "1", **fields: str) -> str:
    named = {key.replace("_", "-"): value for key, value in fields.items()}
    lines = {"Package": name, "Version": version, "Filename": f"pool/{name}.deb", "SHA256": _DIGEST} | named
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def _index(*stanzas: str) -> Index:
    return Index.of(parse("\n".join(stanzas), "debian"))


def _names(index: Index, *wanted: str, denied: frozenset[str] = frozenset()) -> list[str]:
    return [package.name for package in index.resolve(wanted, denied)]


def test_dependencies_come_along_by_name_whatever_version_they_ask_for() -> None:
    index = _index(
        _stanza("crun", Depends="libc6 (>= 2.38), libcap2 (>= 1:2.10)"),
        _stanza("libc6", Pre_Depends="libgcc-s1:any"),
        _stanza("libcap2"),
        _stanza("libgcc-s1"),
        _stanza("other"),
    )

    assert _names(index, "crun") == ["crun", "libc6", "libcap2", "libgcc-s1"]


def test_of_alternatives_the_first_is_taken() -> None:
    index = _index(_stanza("a", Depends="b | c"), _stanza("b"), _stanza("c"))

    assert _names(index, "a") == ["a", "b"]


def test_of_alternatives_one_that_is_there_already_is_enough() -> None:
    index = _index(_stanza("a", Depends="b | c"), _stanza("b"), _stanza("c"))

    assert _names(index, "c", "a") == ["a", "c"]


def test_a_denied_package_satisfies_who_needs_it_and_brings_nothing() -> None:
    index = _index(_stanza("a", Depends="adduser"), _stanza("adduser", Depends="perl"), _stanza("perl"))

    assert _names(index, "a", denied=frozenset({"adduser"})) == ["a"]


def test_a_virtual_package_is_what_provides_it() -> None:
    index = _index(_stanza("a", Depends="awk"), _stanza("mawk", Provides="awk, other (= 1)"))

    assert _names(index, "a") == ["a", "mawk"]


def test_packages_may_need_each_other() -> None:
    index = _index(_stanza("a", Depends="b"), _stanza("b", Depends="a"))

    assert _names(index, "a") == ["a", "b"]


def test_the_newest_version_wins_wherever_it_is() -> None:
    main = parse(_stanza("qemu", "1:10.0.13+ds-0+deb13u1"), "debian")
    security = parse(_stanza("qemu", "1:10.0.2+ds-2+deb13u1"), "debian-security")

    (found,) = Index.of([*security, *main]).resolve(["qemu"], frozenset())

    assert (found.version, found.path) == ("1:10.0.13+ds-0+deb13u1", "debian/pool/qemu.deb")


def test_of_equal_versions_the_first_given_wins() -> None:
    entries = [*parse(_stanza("a"), "debian"), *parse(_stanza("a"), "debian-security")]

    (found,) = Index.of(entries).resolve(["a"], frozenset())

    assert found.path.startswith("debian/")


def test_a_missing_package_is_said_with_who_needs_it() -> None:
    index = _index(_stanza("a", Depends="gone | lost"))

    with pytest.raises(LockError, match="gone or lost, which a needs, isn't in Debian's index"):
        index.resolve(["a"], frozenset())
