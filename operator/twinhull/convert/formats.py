"""The formats that are converted: how each is recognised, and what converts it.

A format's package is imported when something of the format is converted, so that `--help` needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from twinhull.api.isolation import Isolation
from twinhull.convert.conversion import CannotConvert, Conversion


def _no_file(name: str) -> str:
    raise CannotConvert(f"the input refers to the file {name}, and has no folder: give the input as a file")


@dataclass(frozen=True, slots=True)
class Input:
    """A file that is to be converted, read and bounded by whoever calls (`cli/convert`)."""

    #: What messages call it: the file's name, or `standard input`.
    source: str
    #: The file's name without folder and endings, empty for the standard input: names what has no name.
    stem: str
    #: The file's whole text.
    text: str
    #: Its YAML or JSON documents, an empty tuple if it is neither. Scalars are kubectl's (`cli/scalars`).
    documents: tuple[object, ...] = ()
    #: The text of a file that the input names, by the path that stands in it. It raises CannotConvert for a
    #: file that isn't in the input's folder or below, can't be read, or is too large.
    read: Callable[[str], str] = _no_file


@dataclass(frozen=True, slots=True)
class Options:
    """What a person says beside the input."""

    #: The Workload's name. None: the input's own. It's refused if there are several Workloads.
    name: str | None = None
    #: The namespace of all objects. None: the input's own.
    namespace: str | None = None
    #: The isolation that the Workloads ask for. None: as the format decides.
    isolation: Isolation | None = None
    #: Variables that an input may refer to. They are those that a person names, not the process's.
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be converted."""

    #: What `--from` calls it.
    name: str
    #: What it is, for a person: the object of a sentence.
    title: str
    #: Whether an input is of this format. It looks at the content only, and raises nothing.
    recognises: Callable[[Input], bool]
    #: Converts all inputs of this format together. It raises CannotConvert.
    convert: Callable[[Sequence[Input], Options], Conversion]


def _is_kubernetes(given: Input) -> bool:
    """Whether there is an object with apiVersion and kind among the documents."""
    return any(
        isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys()
        for document in given.documents
    )


def _kubernetes(inputs: Sequence[Input], options: Options) -> Conversion:
    from twinhull.convert.kubernetes import convert  # noqa: PLC0415  when it is needed

    return convert(inputs, options)


#: All formats. An input is of the first that recognises it.
FORMATS = (Format("kubernetes", "objects of Kubernetes or KubeVirt", _is_kubernetes, _kubernetes),)


#: What is converted from a command line in place of files, by the first word.
COMMANDS: dict[str, Callable[[Sequence[str], Options], Conversion]] = {}


def format_of(given: Input) -> Format | None:
    """The format of an input, by its content. None: none recognises it."""
    return next((found for found in FORMATS if found.recognises(given)), None)
