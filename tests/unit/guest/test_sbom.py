"""The list of what the image is made of."""

from __future__ import annotations

from guest.image import sbom
from guest.image.lock import Package
from guest.image.sbom import Module

_REPORT = """\
kubelet: go1.26.8
\tpath\tk8s.io/kubernetes/cmd/kubelet
\tmod\ttwinhull.dev/guest\t(devel)\t
\tdep\tgithub.com/go-logr/logr\tv1.4.3\th1:abc=
\tdep\tk8s.io/api\tv0.0.0
\t=>\tk8s.io/api\tv0.37.2\th1:def=
\tbuild\t-trimpath=true
"""
_LOGR, _API = (
    Module("github.com/go-logr/logr", "v1.4.3", "h1:abc="),
    Module("k8s.io/api", "v0.37.2", "h1:def="),
)
_LIBC = Package("libc6", "2.41-12", "debian/pool/main/g/glibc/libc6_2.41-12_amd64.deb", "0" * 64)


def test_a_programs_modules_are_those_it_was_built_of_and_gos_own() -> None:
    assert sbom.parse(_REPORT) == [_LOGR, _API, Module("stdlib", "v1.26.8", "")]


def test_the_document_leads_from_the_image_to_every_part() -> None:
    document = sbom.document("1.2.3", [_LIBC], {"kubelet": ("1.37.2", [_LOGR, _API])}, 1_700_000_000)

    names = {package["SPDXID"]: package["name"] for package in document["packages"]}
    related = {
        (
            names.get(one["spdxElementId"], "the document"),
            one["relationshipType"],
            names[one["relatedSpdxElement"]],
        )
        for one in document["relationships"]
    }
    assert related == {
        ("the document", "DESCRIBES", "twinhull-guest"),
        ("twinhull-guest", "CONTAINS", "libc6"),
        ("twinhull-guest", "CONTAINS", "kubelet"),
        ("kubelet", "STATIC_LINK", "github.com/go-logr/logr"),
        ("kubelet", "STATIC_LINK", "k8s.io/api"),
    }


def test_a_module_of_two_programs_is_one_package() -> None:
    document = sbom.document("1", [], {"a": ("1", [_LOGR]), "b": ("1", [_LOGR])}, 0)

    assert [package["name"] for package in document["packages"]].count(_LOGR.path) == 1


def test_a_debian_package_has_its_hash_and_a_package_url() -> None:
    document = sbom.document("1", [_LIBC], {}, 0)

    (libc,) = (package for package in document["packages"] if package["name"] == "libc6")
    assert libc["checksums"] == [{"algorithm": "SHA256", "checksumValue": "0" * 64}]
    (reference,) = libc["externalRefs"]
    assert reference["referenceLocator"] == "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=trixie"
