"""Nothing of a machine's description vanishes: it is carried over, named, or known to mean nothing.

Each part of each description in tests/conversions/machines is taken away. If neither the Workload nor what
is named as left is another one then, the part has vanished, unless it's in the format's table of parts that
mean nothing, or says what goes without saying (REDUNDANT).
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinhull.convert.conversion import CannotConvert, Conversion
from twinhull.convert.machines.tree import Node

from .machines_samples import SAMPLES, Sample

#: Parts that are read, and whose absence says the same: kinds, some with a value, and why.
REDUNDANT = {
    "libvirt": {
        "domain/currentMemory*": "it's the memory",
        "domain/memory/@unit=KiB": "KiB is the default",
        "domain/vcpu=1": "one is the default",
        "domain/os/type=hvm": "hvm is what is converted",
        "domain/os/type/@arch=x86_64": "x86_64 is what is converted",
        "domain/os/type/@arch=i686": "x86_64 runs it too",
        "domain/os/loader*": "the firmware attribute says it too",
        "domain/os/@firmware": "the loader says it too",
        "domain/os/firmware/*": "the loader and the template of its variables say it too",
        "domain/cpu/topology/@*=1": "cores of one socket are what the machine has",
        "domain/cpu/topology/@cores=*": "cores of one socket are what the machine has",
        "domain/devices/disk/@device=disk": "a disk is the default",
        "domain/devices/disk/target/@dev": "the boot disk has a name of its own",
        "domain/devices/disk/target/@bus=sata": "SATA is the default",
    },
    "vmx": {
        "usb:0/*": "keyboard and mouse are KubeVirt's",
        "*/deviceType=*disk": "a disk is the default",
        "numvcpus=1": "one is the default",
        "guestos": "Linux is the default",
        "cpuid/corespersocket": "cores of one socket are what the machine has",
        "ethernet*/virtualdev=e1000e": "e1000e is the default",
        "ethernet1/*": "one that isn't there, or is named as a whole",
    },
    "ovf": {
        "*/OperatingSystemSection/*": "the number, the name and the description say the same",
        "*/VirtualSystem/@id": "the name is the same",
        "*/VirtualSystem/Name": "the identifier is the same",
        "*Item/AllocationUnits": "a CPU's are hertz",
        "*Item/ResourceSubType": "a controller is KubeVirt's",
        "*Item/Address": "a controller's is a place",
        "*/vmw:Config*": "what is off by default says nothing",
        "*Disk/@capacityAllocationUnits": "byte is the default",
    },
    "hyperv": {
        "*DynamicMemoryEnabled=false": "it is off by default",
        "*MemoryMinimum": "memory isn't dynamic",
        "*MemoryMaximum": "memory isn't dynamic",
        "Security/TpmEnabled=false": "it is off by default",
        "*HardDrives/Controller*": "the order and the name of a disk; the first place is the default",
        "*HardDrives/VHD/*": "what is to be done about it is said with the file",
    },
}


_SPACES = {
    "http://www.vmware.com/schema/ovf": "vmw:",
    "http://www.virtualbox.org/ovf/machine": "vbox:",
    "http://libosinfo.org/xmlns/libvirt/domain/1.0": "libosinfo:",
    "http://libvirt.org/schemas/domain/qemu/1.0": "qemu:",
    "http://libvirt.org/schemas/domain/vmware/1.0": "vmware:",
    "http://www.w3.org/XML/1998/namespace": "xml:",
}


def named(tag: str) -> str:
    uri, brace, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    return _SPACES.get(uri, f"{{{uri}}}" if uri and "dmtf" not in uri else "") + local if brace else tag


def result(conversion: Conversion) -> tuple[Any, ...]:
    """The objects, and all that is named, without the numbers of parts, which go on when one is away."""
    named = sorted((re.sub(r"\[[0-9]+\]", "", part.path), part.why) for part in conversion.left)
    return json.dumps(conversion.objects, sort_keys=True), tuple(named)


def without_each(one: Sample) -> Iterator[tuple[str, str, str]]:
    """The kind and value of each part without parts below, and the description without it."""
    if one.of.ending == "vmx":
        yield from _vmx_without(one.text)
    elif one.of.ending == "json":
        yield from _json_without(json.loads(one.text))
    else:
        yield from _xml_without(one)


def _vmx_without(text: str) -> Iterator[tuple[str, str, str]]:
    lines = text.splitlines()
    for index, line in enumerate(lines):
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            device, _, rest = key.strip().lower().partition(".")
            kind = f"{device}/{rest}".strip("/") if rest and device else (rest or device)
            yield kind, value.strip().strip('"'), "\n".join(lines[:index] + lines[index + 1 :])


def _json_without(whole: Any) -> Iterator[tuple[str, str, str]]:
    places: list[tuple[Any, Any, str, Any]] = []

    def walk(value: Any, kind: str) -> None:
        for key in value if isinstance(value, dict) else range(len(value)):
            below = value[key]
            name = f"{kind}/{key}".strip("/") if isinstance(value, dict) else kind
            if key == "Count" and "value" in value:
                continue
            if isinstance(below, dict | list) and below:
                walk(below, name)
            elif below not in (None, "", [], {}):
                places.append((value, key, name, below))

    walk(whole, "")
    for container, key, kind, value in places:
        was = container[key]
        container[key] = None
        yield kind.replace("/value", ""), json.dumps(value).strip('"'), json.dumps(whole)
        container[key] = was


def _xml_without(one: Sample) -> Iterator[tuple[str, str, str]]:
    root = ET.fromstring(one.text)  # noqa: S314  our own files

    def walk(element: ET.Element, kind: str) -> Iterator[tuple[str, str, str]]:
        for key, value in list(element.attrib.items()):
            del element.attrib[key]
            yield f"{kind}/@{named(key)}", value, ET.tostring(root, encoding="unicode")
            element.attrib[key] = value
        for child in list(element):
            below = f"{kind}/{named(child.tag)}"
            yield from walk(child, below)
            if not len(child) and ((child.text or "").strip() or not child.attrib):
                index = list(element).index(child)
                element.remove(child)
                yield below, (child.text or "").strip(), ET.tostring(root, encoding="unicode")
                element.insert(index, child)

    yield from walk(root, named(root.tag))


def fits(table: dict[str, str], kind: str, value: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.lower().split("*"))), whole.lower())
        for pattern in table
        for whole in (kind, f"{kind}={value}")
    )


def is_without_meaning(one: Sample, kind: str, value: str) -> bool:
    """Whether the part, or one around it, is in the table of those that mean nothing."""
    parts = kind.split("/")
    return any(
        one.of.tables.meaningless.why(
            Node(parts[end - 1], value if end == len(parts) else None, kind="/".join(parts[:end]))
        )
        for end in range(1, len(parts) + 1)
    )


@pytest.mark.slow
@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_no_part_vanishes(one: Sample) -> None:
    whole = result(one.converted())
    vanished = []
    for kind, value, text in without_each(one):
        if is_without_meaning(one, kind, value) or fits(REDUNDANT[one.of.name], kind, value):
            continue
        try:
            if result(one.converted(text)) != whole:
                continue
        except CannotConvert:
            continue
        if not any(_covers(part.path, kind) for part in one.converted().left):
            vanished.append(f"{kind} = {value}")
    assert vanished == []


def _covers(path: str, kind: str) -> bool:
    """Whether a part is named with one around it."""
    plain = re.sub(r"\[[^\]]*\]", "", path)
    plain = (
        plain.strip("/") if path.startswith("/") else plain.replace(".", "/", 1 if "/" not in kind else -1)
    )
    plain, kind = plain.strip("/").lower().replace(".", "/"), kind.lower().replace(".", "/")
    return kind == plain or kind.startswith(f"{plain}/")


_WORDS = st.from_regex(r"[a-z][a-zA-Z]{3,12}", fullmatch=True).map(lambda word: f"zz{word}")


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLES), _WORDS, st.data())
def test_a_part_that_nobody_knows_is_named(one: Sample, word: str, data: st.DataObject) -> None:
    """Wherever it stands, but inside of a part that is named, or means nothing, as a whole."""
    kind, text = _with_unknown(one, word, data)
    conversion = one.converted(text)
    named = any(word.lower() in part.path.lower() for part in conversion.left)
    around = any(_covers(part.path, kind) for part in conversion.left)
    assert named or around or is_without_meaning(one, kind, "zz") or _is_of_what_is_absent(one, kind)


def _is_of_what_is_absent(one: Sample, kind: str) -> bool:
    """Whether a .vmx says that the device isn't there."""
    device = kind.partition("/")[0]
    return one.of.ending == "vmx" and f'{device}.present = "false"' in one.text.lower()


def _with_unknown(one: Sample, word: str, data: st.DataObject) -> tuple[str, str]:
    """The kind of an unknown part, and the description with it."""
    if one.of.ending == "vmx":
        devices = sorted(
            {line.partition(".")[0] for line in one.text.splitlines() if "." in line.partition("=")[0]}
        )
        device = data.draw(st.sampled_from([device for device in devices if device and device[0] != "#"]))
        return f"{device.lower()}/{word.lower()}", f'{one.text.rstrip()}\n{device}.{word} = "zz"\n'
    if one.of.ending == "json":
        whole = json.loads(one.text)
        kind, place = data.draw(st.sampled_from(list(_objects(whole, ""))))
        place[word] = "zz"
        return f"{kind}/{word}".strip("/"), json.dumps(whole)
    root = ET.fromstring(one.text)  # noqa: S314  our own files
    kinds = list(_elements(root, named(root.tag)))
    kind, element = data.draw(st.sampled_from(kinds))
    if data.draw(st.booleans()):
        element.set(word, "zz")
        return f"{kind}/@{word}", ET.tostring(root, encoding="unicode")
    ET.SubElement(element, word).text = "zz"
    return f"{kind}/{word}", ET.tostring(root, encoding="unicode")


def _objects(value: Any, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        for below in value:
            yield from _objects(below, kind)
    elif isinstance(value, dict):
        if value.keys() != {"value", "Count"}:
            yield kind, value
        for key, below in value.items():
            yield from _objects(below, kind if key == "value" else f"{kind}/{key}".strip("/"))


def _elements(element: ET.Element, kind: str) -> Iterator[tuple[str, ET.Element]]:
    yield kind, element
    for child in element:
        yield from _elements(child, f"{kind}/{named(child.tag)}")


@pytest.mark.parametrize("one", [one for one in SAMPLES if one.of.ending in {"xml", "ovf"}], ids=str)
def test_a_text_between_elements_is_named(one: Sample) -> None:
    """No format has one, so nobody reads it."""
    root = ET.fromstring(one.text)  # noqa: S314  our own files
    root.text = "a text that nobody reads"
    left = one.converted(ET.tostring(root, encoding="unicode")).left
    assert [part.path for part in left if part.path.strip("/") == named(root.tag).rpartition("}")[2]]
