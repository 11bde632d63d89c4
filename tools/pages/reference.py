"""docs/reference.md: the fields of our kinds as a page, read from their CustomResourceDefinitions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import fill

from twinhull.api.base import API_VERSION, Raw
from twinhull.api.celrule import pattern_of
from twinhull.api.crd import access_requests, isolation_policies, workloads
from twinhull.api.workload import RESTART_ANNOTATION

_INTRO = f"""\
<!-- Made by `make generate` from operator/twinhull/api; changes belong there. -->

# API reference

The kinds Workload, IsolationPolicy and AccessRequest are `{API_VERSION}`. `kubectl explain twl.spec` shows the same in a terminal, and
`twinhull crd` prints the definitions.

[What a Workload says](workload.md) and [policies](policies.md) explain how to use the fields.
"""
_RESTART = f"""\
The annotation `{RESTART_ANNOTATION}` on a Workload restarts it, by its strategy, whenever the value changes:
see [flips](flips.md#restarting).
"""
#: What has a page of its own: of which path, how it is named, and where it is told.
_TEMPLATE = ("Workload", "spec.template", "[PodTemplateSpec](parity.md)")
_FORMATS = {"date-time": "time"}


def page() -> str:
    """The page's text."""
    kinds = (
        *_kind(workloads()["spec"], _RESTART),
        *_kind(isolation_policies()["spec"]),
        *_kind(access_requests()["spec"]),
    )
    return "\n".join([_INTRO, *kinds]).rstrip("\n") + "\n"


def _kind(definition: Raw, more: str = "") -> Iterator[str]:
    """A kind's part: what it is, its own rules, and a heading for each of its objects."""
    names, (version,) = definition["names"], definition["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    kind, short = names["kind"], ", ".join(f"`{name}`" for name in names["shortNames"])
    where = "namespaced" if definition["scope"] == "Namespaced" else "cluster-scoped"
    yield f"## {kind}\n"
    yield f"{_filled(schema['description'])}\n"
    yield f"The kind is {where}. kubectl knows it as {short} and `{names['plural']}.{definition['group']}`.\n"
    if more:
        yield more
    own = {name: field for name, field in schema["properties"].items() if name in {"spec", "status"}}
    yield from _table(kind, "", {**schema, "properties": own})
    for name, field in own.items():
        yield from _object(kind, name, field)


def _object(kind: str, path: str, schema: Raw) -> Iterator[str]:
    """An object's heading, its fields and its rules, and then the same of the objects in it."""
    yield f"### {kind} `{path}`\n"
    yield f"{_filled(schema['description'])}\n"
    yield from _table(kind, f"{path}.", schema)
    for name, field in schema["properties"].items():
        below, element = _element(f"{path}.{name}", field)
        if (kind, below) != _TEMPLATE[:2] and "properties" in element:
            yield from _object(kind, below, {**element, "description": field["description"]})


def _table(kind: str, above: str, schema: Raw) -> Iterator[str]:
    """An object's fields, and the messages of its CEL rules with the field that each blames."""
    required = schema.get("required", ())
    yield "| field | type | default | allowed | description |"
    yield "|---|---|---|---|---|"
    for name, field in schema["properties"].items():
        default = "**required**" if name in required else _default(field)
        cells = (f"`{name}`", _type(kind, f"{above}{name}", field), default, _allowed(field))
        yield f"| {' | '.join(cells)} | {_prose(field['description'])} |"
    yield ""
    rules = schema.get("x-kubernetes-validations", ())
    if rules:
        yield "The API server refuses objects that break these rules, with these messages:\n"
    for rule in rules:
        blamed = f"`{rule['fieldPath'][1:]}`: " if "fieldPath" in rule else ""
        yield _filled(f"{blamed}{rule['message']}", bullet="- ")
    if rules:
        yield ""


def _element(path: str, field: Raw) -> tuple[str, Raw]:
    """What a list or a map is of, or the field itself; and its path."""
    if "additionalProperties" in field:
        return path, field["additionalProperties"]
    return (f"{path}[]", field["items"]) if "items" in field else (path, field)


def _type(kind: str, path: str, field: Raw) -> str:
    if (kind, path) == _TEMPLATE[:2]:
        return _TEMPLATE[2]
    below, element = _element(path, field)
    if "items" in field:
        return (
            f"list of {_link(kind, below, 'objects') if 'properties' in element else element['type'] + 's'}"
        )
    if "properties" in field:
        return _link(kind, path, "object")
    if "additionalProperties" in field:
        return f"map of {element['type']}s"
    if field["type"] == "object":
        return "any object" if field.get("x-kubernetes-preserve-unknown-fields") else "empty object (`{}`)"
    return _FORMATS.get(field.get("format", ""), str(field["type"]))


def _link(kind: str, path: str, text: str) -> str:
    """A link to an object's heading, by the name that GitHub and the site give it."""
    anchor = re.sub(r"[^\w-]", "", f"{kind}-{path}").lower()
    return f"[{text}](#{anchor})"


def _default(field: Raw) -> str:
    return f"`{json.dumps(field['default'])}`" if "default" in field else ""


def _allowed(field: Raw) -> str:
    """What a field may be; of a list or a map, what each in it may be and how many there may be."""
    _, element = _element("", field)
    each = "" if element is field else "each "
    parts = [
        (each, ", ".join(f"`{value}`" for value in element.get("enum", ()))),
        (each, _range(element, "minimum", "maximum")),
        (each, _range(element, "minLength", "maxLength", " characters")),
        (each, f"`{element['pattern']}`" if "pattern" in element else ""),
        *(
            (each, rule["message"])
            for rule in element.get("x-kubernetes-validations", ())
            if pattern_of(rule)
        ),
        ("", _range(field, "minItems", "maxItems", " of them")),
        ("", _range(field, "minProperties", "maxProperties", " of them")),
        ("", _unlike(field)),
    ]
    # A bar would end the table's cell.
    return "<br>".join(f"{whose}{text}" for whose, text in parts if text).replace("|", r"\|")


def _range(schema: Raw, least: str, most: str, unit: str = "") -> str:
    match schema.get(least), schema.get(most):
        case None, None:
            return ""
        case None, high:
            return f"at most {high}{unit}"
        case low, None:
            return f"at least {low}{unit}"
        case low, high:
            return f"{low} to {high}{unit}"


def _unlike(field: Raw) -> str:
    """What no two elements of a list may have in common."""
    match field.get("x-kubernetes-list-type"):
        case "set":
            return "no two alike"
        case "map":
            return (
                f"no two of the same {', '.join(f'`{key}`' for key in field['x-kubernetes-list-map-keys'])}"
            )
    return ""


def _filled(text: str, bullet: str = "") -> str:
    return fill(bullet + _prose(text), 110, subsequent_indent=" " * len(bullet), break_on_hyphens=False)


def _prose(text: str) -> str:
    """A description as Markdown takes it, in a table too."""
    return re.sub(r"([*|])", r"\\\1", text).replace("<", "&lt;")
