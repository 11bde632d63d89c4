"""Decoding what the API server says, object by object."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinhull.api.base import Raw
from twinhull.api.bounds import MAX_VALUES
from twinhull.api.reading import UNREAD
from twinhull.shell.decoding import Page, Undecodable, decode, decode_event

METADATA: Raw = {
    "name": "web",
    "namespace": "shop",
    "uid": "u1",
    "resourceVersion": "7",
    "generation": 3,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "labels": {"twinhull.dev/workload": "web", "app": "x"},
    "annotations": {"large": "x" * 100},
    "ownerReferences": [{"uid": "o1", "controller": True}, {"uid": "o2"}],
}
KEPT = {
    **{key: METADATA[key] for key in ("name", "namespace", "uid", "resourceVersion", "generation")},
    "creationTimestamp": METADATA["creationTimestamp"],
    "labels": METADATA["labels"],
    "ownerReferences": [{"uid": "o1", "controller": True}],
}
POD = {"restartPolicy": "Never", "containers": [{"name": "web", "image": 'a"}]\\'}]}
TEMPLATE = {"metadata": {"annotations": {"large": "x"}}, "spec": {"volumes": [], **POD}}
STATUS = {"conditions": [{"type": "Ready", "message": '}"]{ \\" é'}]}
DEEP = ["[" * depth + "]" * depth for depth in (150, 1_500, 10_000)]
MANY = "[" + ",".join(["{}"] * (MAX_VALUES + 1)) + "]"
HARD = {
    **{f"{len(value) // 2} deep": (value, "it nests more than 100 levels deep") for value in DEEP},
    "many values": (MANY, "it has more than 50,000 values"),
    "a long number": ("1" * 5_000, "it isn't JSON: Exceeds the limit"),
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
objects = st.dictionaries(st.text().filter(lambda key: key != "metadata"), values)


def text(overrides: str, metadata: str | None = None) -> str:
    """An object as the API server writes custom ones, by key."""
    default = json.dumps(METADATA)
    spec = f'{{"virtualMachine":{{"overrides":{overrides}}},"template":{json.dumps(TEMPLATE)}}}'
    parts = f'"apiVersion":"v1","kind":"X","metadata":{metadata or default},"spec":{spec}'
    return f'{{{parts},"status":{json.dumps(STATUS)}}}'


def objects_of(page: str) -> list[Raw]:
    return [obj for batch in Page(page.encode()).batches() for obj in batch]


@pytest.mark.slow
@given(objects, st.booleans(), st.sampled_from([None, 1]))
def test_what_can_be_read_is_read_as_json(obj: Raw, escaped: bool, indent: int | None) -> None:  # noqa: FBT001
    assert decode(json.dumps(obj, ensure_ascii=escaped, indent=indent).strip().encode()) == obj


@pytest.mark.slow
@given(st.lists(objects, max_size=4), objects)
def test_a_page_is_read_object_by_object(items: list[Raw], metadata: Raw) -> None:
    for listed in (
        {"kind": "List", "items": items, "metadata": metadata},
        {"metadata": metadata, "items": items},
    ):
        page = Page(json.dumps(listed).encode())
        assert [obj for batch in page.batches() for obj in batch] == items
        assert page.metadata == metadata


def test_a_page_may_have_no_objects() -> None:
    for items in ("[]", "null"):
        page = Page(f'{{"items":{items},"metadata":{{"resourceVersion":"9"}}}}'.encode())
        assert [obj for batch in page.batches() for obj in batch] == []
        assert page.metadata == {"resourceVersion": "9"}


def test_managed_fields_are_left_out() -> None:
    assert decode(b'{"metadata":{"name":"x","managedFields":[{}]}}') == {"metadata": {"name": "x"}}


@pytest.mark.parametrize(("value", "why"), HARD.values(), ids=HARD)
def test_of_what_is_too_much_the_name_status_and_template_are_read(value: str, why: str) -> None:
    found = decode(text(value).encode())
    assert found.pop(UNREAD).startswith(why)
    template = {"spec": {**POD, "volumes": []}}
    spec = {"virtualMachine": {"overrides": {}}, "template": template}
    assert found == {"metadata": KEPT, "spec": spec, "status": STATUS}, "of overrides, that there are some"


@pytest.mark.parametrize("part", ["managedFields", "annotations", "labels", "finalizers", "aaa", "zzz"])
def test_it_may_be_anywhere(part: str) -> None:
    """The managedFields of an object nest as deep as it does, and stand before its name."""
    meta = json.dumps({**METADATA, part: 0}, sort_keys=True).replace(f'"{part}": 0', f'"{part}": {DEEP[1]}')
    found = decode(text("{}", meta).encode())
    kept = KEPT if part != "labels" else {**KEPT, "labels": {}}
    assert (found["metadata"], found["status"]) == (kept, STATUS)


@pytest.mark.parametrize(("value", "why"), HARD.values(), ids=HARD)
def test_the_objects_beside_it_notice_nothing(value: str, why: str) -> None:
    items = ",".join([text("{}"), text(value), text("[]")])
    for page in (
        f'{{"items":[{items}],"kind":"List","metadata":{{"resourceVersion":"9","continue":"c"}}}}',
        f'{{"kind":"List","metadata":{{"resourceVersion":"9","continue":"c"}}, "items": [ {items} ] }}\n',
    ):
        first, second, third = objects_of(page)
        assert (first["kind"], third["kind"]) == ("X", "X")
        assert second[UNREAD].startswith(why)


@pytest.mark.parametrize(("value", "why"), HARD.values(), ids=HARD)
def test_an_event_of_it_has_its_name(value: str, why: str) -> None:
    change, obj = decode_event(f'{{"type":"DELETED","object":{text(value)}}}'.encode())
    assert (change, obj["metadata"]) == ("DELETED", KEPT)
    assert obj[UNREAD].startswith(why)


def test_a_page_comes_in_batches_that_memory_has_room_for() -> None:
    large = {"metadata": METADATA, "spec": "x" * 100_000}
    batches = list(Page(json.dumps({"items": [large] * 10, "metadata": {}}).encode()).batches())
    assert [len(batch) for batch in batches] == [3, 3, 3, 1]


BROKEN = [
    "",
    "{",
    "[]",
    "no",
    '{"items":[',
    '{"items":[{},',
    '{"items":[{}]}',
    '{"items":[[1}',
    '{"a"',
    '{"a":',
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_no_list_is_said_to_be_none(broken: str) -> None:
    page = Page(broken.encode())
    with pytest.raises(Undecodable):
        _ = [*page.batches(), page.metadata]


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", "no", f'{{"spec":{DEEP[1]}}}', f'{{"metadata":{DEEP[1]}}}']
)
def test_what_is_no_object_is_said_to_be_none(broken: str) -> None:
    with pytest.raises(Undecodable):
        decode(broken.encode())


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"type":"ADDED"}', '{"type":"ADDED","object":1}'])
def test_what_is_no_event_is_said_to_be_none(broken: str) -> None:
    with pytest.raises(Undecodable):
        decode_event(broken.encode())


@given(st.binary(max_size=60))
def test_nothing_else_is_raised(line: bytes) -> None:
    for read in (decode, decode_event, lambda text: list(Page(text).batches())):
        try:
            _: Any = read(line)
        except Undecodable:
            continue
