from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pytest
from pydantic import ConfigDict, Field

from twinhull.api.base import Model, Raw, rule, validations
from twinhull.api.schema import structural


class Colour(StrEnum):
    """What the class says."""

    RED = "Red"
    BLUE = "Blue"


class Door(Model):
    """A door."""

    model_config = ConfigDict(
        json_schema_extra=validations(rule("self.open", "open: shut doors aren't for sale"))
    )

    open: bool = Field(True, description="Whether one can go through.")  # noqa: FBT003


class Garden(Model):
    """A garden, of which nothing is to be said."""


class House(Model):
    """A house."""

    colour: Colour = Field(description="What the field says.")
    kind: Literal["Cottage"] = Field("Cottage", description="Its kind.")
    front_door: Door | None = Field(None, description="The door to the street.")
    doors: tuple[Door, ...] | None = Field(
        None, description="All of them.", json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    labels: dict[str, str] | None = Field(None, description="What is written on it.")
    garden: Garden | None = Field(None, description="The garden.")


def fields() -> Raw:
    properties: Raw = structural(House)["properties"]
    return properties


def test_field_says_more_than_the_class_it_refers_to() -> None:
    assert fields()["colour"] == {
        "description": "What the field says.",
        "type": "string",
        "enum": ["Red", "Blue"],
    }


def test_only_value_is_an_enum_of_one() -> None:
    assert fields()["kind"]["enum"] == ["Cottage"]


def test_optional_field_may_be_absent_rather_than_null() -> None:
    assert fields()["frontDoor"] == {
        "description": "The door to the street.",
        "type": "object",
        "properties": {
            "open": {"description": "Whether one can go through.", "type": "boolean", "default": True}
        },
        "x-kubernetes-validations": [{"rule": "self.open", "message": "open: shut doors aren't for sale"}],
    }
    assert structural(House)["required"] == ["colour"]


def test_list_keeps_its_type_and_its_items_are_inlined() -> None:
    doors = fields()["doors"]
    assert doors["x-kubernetes-list-type"] == "atomic"
    assert doors["items"]["description"] == "A door."


def test_object_without_fields_has_no_empty_map_of_them() -> None:
    assert fields()["garden"] == {"description": "The garden.", "type": "object"}


def test_map_keeps_the_schema_of_its_values() -> None:
    assert fields()["labels"]["additionalProperties"] == {"type": "string"}


def test_what_a_structural_schema_cannot_say_is_an_error() -> None:
    class Height(Model):
        metres: float = Field(gt=0)

    with pytest.raises(ValueError, match="exclusiveMinimum"):
        structural(Height)
