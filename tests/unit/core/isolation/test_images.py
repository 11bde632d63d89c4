"""The full names of images, and the patterns that they match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinhull.core.isolation.glob import Glob
from twinhull.core.isolation.images import allowed, first_match, matches, parse, pinned

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.29", "docker.io/library/nginx:1.29"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1.29@{DIGEST}", f"docker.io/library/nginx:1.29@{DIGEST}"),
        ("bitnami/nginx", "docker.io/bitnami/nginx:latest"),
        ("a/b/c", "docker.io/a/b/c:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("registry-1.docker.io/library/nginx", "docker.io/library/nginx:latest"),
        ("registry.hub.docker.com/team/app", "docker.io/team/app:latest"),
        ("ghcr.io/team/app:v1", "ghcr.io/team/app:v1"),
        ("GHCR.io/team/app:v1", "ghcr.io/team/app:v1"),
        ("ghcr.io:443/team/app:v1", "ghcr.io/team/app:v1"),
        ("ghcr.io:0443/team/app:v1", "ghcr.io/team/app:v1"),
        ("docker.io:00443/nginx", "docker.io/library/nginx:latest"),
        ("host:005000/app", "host:5000/app:latest"),
        ("host:50/app", "host:50/app:latest"),
        ("host:000/app", "host:0/app:latest"),
        ("Registry/app", "registry/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("localhost:5000", "docker.io/library/localhost:5000"),
        ("host:5000/app:2", "host:5000/app:2"),
        ("[2001:db8::1]:5000/app:2", "[2001:db8::1]:5000/app:2"),
    ],
)
def test_name_in_full(written: str, meant: str) -> None:
    assert str(parse(written)) == meant


@pytest.mark.parametrize(
    ("pattern", "fits", "differs"),
    [
        (
            "nginx",
            ["nginx", "nginx:1", f"nginx@{DIGEST}", "docker.io/library/nginx"],
            ["team/nginx", "ghcr.io/nginx"],
        ),
        ("nginx:1.*", ["nginx:1.29", f"nginx:1.29@{DIGEST}"], ["nginx", "nginx:2", f"nginx@{DIGEST}"]),
        ("nginx:latest", ["nginx", "nginx:latest"], ["nginx:1", f"nginx@{DIGEST}"]),
        (f"nginx@{DIGEST}", [f"nginx@{DIGEST}", f"nginx:1@{DIGEST}"], ["nginx", f"nginx@{DIGEST}0"]),
        ("**@sha256:*", [f"a.b/c/d@{DIGEST}"], ["a.b/c/d:1"]),
        ("**:latest", ["nginx", "ghcr.io/a/b"], ["nginx:1"]),
        ("**", ["nginx", "ghcr.io/a/b:1", f"host:5000/x@{DIGEST}"], []),
        ("*", ["nginx", "nginx:1"], ["team/nginx", "ghcr.io/nginx"]),
        ("*/nginx", ["team/nginx", "library/nginx"], ["a/b/nginx", "ghcr.io/nginx"]),
        ("**/nginx", ["nginx", "ghcr.io/nginx", "ghcr.io/a/b/nginx:1"], ["ghcr.io/my-nginx", "nginx/other"]),
        ("docker.io/**", ["nginx", "a/b/c"], ["ghcr.io/nginx", "docker.io.evil.example/x"]),
        (
            "ghcr.io/community/*",
            ["ghcr.io/community/a", "GHCR.IO:443/community/a"],
            ["ghcr.io/community/a/b"],
        ),
        ("ghcr.io/community/**", ["ghcr.io/community/a/b"], ["ghcr.io/community", "ghcr.io/other/a"]),
        ("*.gcr.io/**", ["eu.gcr.io/a", "us.gcr.io/a/b"], ["gcr.io/a", "a.b/x.gcr.io/y"]),
        ("host:*/app", ["host:5000/app"], ["host/app", "other:5000/app"]),
        ("ngin?", ["nginx", "ngina:1"], ["nginxx", "ngin"]),
        ("a.b/c", ["a.b/c"], ["axb/c"]),
    ],
)
def test_pattern(pattern: str, fits: list[str], differs: list[str]) -> None:
    assert [image for image in fits if not matches(pattern, parse(image))] == []
    assert [image for image in differs if matches(pattern, parse(image))] == []


@pytest.mark.parametrize("by_id", [DIGEST, "sha256:ab", "sha256:" + "A" * 64, "sha512:" + "0" * 128])
def test_an_image_by_its_id_may_have_any_name(by_id: str) -> None:
    """It matches every pattern of spec.match.images, and no pattern of an allow list."""
    image = parse(by_id)
    assert str(image) == by_id
    assert parse(str(image)) == image
    for pattern in ("nginx", "ghcr.io/community/app:1", "**:latest", f"a.b/c@{DIGEST}", "**"):
        assert matches(pattern, image)
        assert not allowed([pattern], image)


@pytest.mark.parametrize(
    "name", [f"team/{DIGEST}", "docker.io/library/sha256:ab", "sha256", "sha256:xyz", f"sha256:ab@{DIGEST}"]
)
def test_what_only_looks_like_an_id_has_its_name(name: str) -> None:
    assert parse(name).name
    assert not matches("nginx", parse(name))
    assert allowed(["**"], parse(name))


def test_a_tag_beside_a_digest_is_compared_as_it_is_written() -> None:
    """Nodes pull by the digest alone, so the Workload's author may write any tag for a pattern to match."""
    image = parse(f"quay.io/vendor/proxy:3.1.0@{DIGEST}")
    assert not matches("**/proxy:2.*", image)
    assert matches("**/proxy:3.1.*", image)
    assert matches("**/proxy@sha256:*", image)
    assert matches(f"**/proxy@{DIGEST}", image)


@pytest.mark.parametrize(
    ("image", "is_pinned"),
    [
        (f"nginx@{DIGEST}", True),
        (f"ghcr.io/team/app:1@{DIGEST}", True),
        ("a@sha512:" + "f" * 128, True),
        ("nginx:1.29", False),
        ("nginx", False),
        (DIGEST, False),
        ("nginx@sha256:ab", False),
        (f"nginx@{DIGEST}0", False),
        (f"nginx@{DIGEST}@{DIGEST}", False),
        (f"@{DIGEST}", False),
    ],
)
def test_pinned(image: str, is_pinned: bool) -> None:  # noqa: FBT001  a table
    assert pinned(image) is is_pinned


def test_first_match_names_both_sides() -> None:
    images = [parse("postgres"), parse("ghcr.io/community/app")]
    found = first_match(["nginx", "ghcr.io/**"], images)
    assert found is not None
    assert (found[0], str(found[1])) == ("ghcr.io/**", "ghcr.io/community/app:latest")
    assert first_match([], images) is None
    assert first_match(["nginx"], []) is None


PARTS = st.text("abz09", min_size=1, max_size=4)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
HOSTS = st.sampled_from(["", "docker.io/", "ghcr.io/", "GHCR.io/", "localhost/", "h:5000/", "h.io:443/"])
VERSIONS = st.sampled_from(["", ":1.2", ":latest", f"@{DIGEST}", f":1@{DIGEST}"])
NAMES = st.builds(lambda host, path, version: host + path + version, HOSTS, PATHS, VERSIONS)


@given(NAMES)
def test_name_in_full_is_its_own_full_name(name: str) -> None:
    assert parse(str(parse(name))) == parse(name)


@given(NAMES)
def test_name_is_a_pattern_that_it_fits(name: str) -> None:
    assert matches(name, parse(name))
    assert matches(str(parse(name)), parse(name))
    assert matches("**", parse(name))


@given(NAMES, NAMES)
def test_names_without_wildcards_fit_only_what_means_the_same(one: str, other: str) -> None:
    assert matches(str(parse(one)), parse(other)) == (
        parse(one).name == parse(other).name
        and parse(one).tag in {"", parse(other).tag}
        and parse(one).digest in {"", parse(other).digest}
    )


GLOBS = st.lists(st.sampled_from(["*", "**", "?", "a", "b", "/", "."]), max_size=8).map("".join)
TEXTS = st.text("ab/.", max_size=8)


@pytest.mark.slow
@settings(max_examples=1000)
@given(GLOBS, TEXTS)
def test_glob_is_the_regular_expression_that_it_stands_for(glob: str, text: str) -> None:
    wildcards = {"*": "[^/]*", "**": ".*", "?": "[^/]"}
    meant = "".join(wildcards.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", glob))
    assert Glob(glob).fits(text) == (re.fullmatch(meant, text) is not None)


def test_glob_is_never_slow() -> None:
    assert not Glob("**a" * 60 + "b").fits("a" * 255)
