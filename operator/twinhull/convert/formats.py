"""The formats that can be converted: how each is recognised, and the function that converts it.

A format's package is imported when an input of the format is converted, so that `--help` imports none of
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType

from twinhull.api.isolation import Isolation
from twinhull.convert.choices import isolated, placed
from twinhull.convert.conversion import CannotConvert, Conversion, WrongOption
from twinhull.convert.machines.options import MachineOptions

#: Reads a file that an input names: gives its text, None if it doesn't exist. Raises CannotConvert for a file
#: that must not be read, such as one outside of the input's folder.
Reader = Callable[[str], str | None]


def _no_file(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Input:
    """A file to convert. The caller (`cli/convert`) has read it, and bounded its size."""

    #: Its name in messages: the file's name, or `standard input`.
    source: str
    #: The file's name without folder and endings, empty for the standard input. An object without a name gets
    #: it.
    stem: str
    #: The file's whole text.
    text: str
    #: Its YAML or JSON documents, empty if it is neither. Scalars are read as by kubectl (`cli/scalars`).
    documents: tuple[object, ...] = ()
    #: Why it is neither, with the place in the text. Empty if it is one, or if it wasn't parsed, as XML.
    unreadable: str = ""
    #: The keys that stand twice in a mapping of the documents, each with its place. The documents have the
    #: last value.
    repeated: tuple[str, ...] = ()
    #: Reads a file of the input's folder, by its path in the input.
    read: Reader = _no_file


@dataclass(frozen=True, slots=True)
class Options:
    """The options that a person gives beside the input."""

    #: The Workload's name. None: the input's own. It is refused if there are several Workloads.
    name: str | None = None
    #: The namespace of all objects. None: the input's own.
    namespace: str | None = None
    #: The isolation that the Workloads ask for. None: as the format decides.
    isolation: Isolation | None = None
    #: Variables to which an input may refer: those that a person names, not those of the process.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: The profiles of a Compose file to convert, `*` for all.
    profiles: tuple[str, ...] = ()
    #: Facts that a machine's description doesn't have, above all where its disks come from. `name` and
    #: `namespace` above count here, too.
    machine: MachineOptions = field(default_factory=MachineOptions)


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be converted."""

    #: Its name for `--from`.
    name: str
    #: Its name in sentences.
    title: str
    #: Whether an input has this format. It looks at the content only, and raises nothing.
    recognises: Callable[[Input], bool]
    #: Converts all inputs of this format together, except for the isolation. It raises CannotConvert.
    convert: Callable[[Sequence[Input], Options], Conversion]


def _mentions_kubernetes(file: Input) -> bool:
    """Whether a text seems to be meant as objects of Kubernetes, even if they are incomplete or can't be
    read.
    """
    return _OF_OBJECTS.search(file.text) is not None


def _is_kubernetes(file: Input) -> bool:
    """Whether one of the documents is an object with apiVersion and kind."""
    return any(
        isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys()
        for document in file.documents
    )


def _kubernetes(inputs: Sequence[Input], options: Options) -> Conversion:
    from twinhull.convert.kubernetes import convert  # noqa: PLC0415  when it is needed

    return convert(inputs, options)


def _is_compose(file: Input) -> bool:
    """Whether it has services at the top. Compose and kubectl read YAML in different ways, so the text
    decides.
    """
    begins = re.search(r"""^(services|"services"|'services')[ \t]*:""", file.text, re.MULTILINE)
    return begins is not None or any(
        isinstance(document, dict) and "services" in document for document in file.documents
    )


def _compose(inputs: Sequence[Input], options: Options) -> Conversion:
    from twinhull.convert.compose import convert  # noqa: PLC0415  when it is needed

    (file, *more) = inputs
    texts = _Texts(file.read, [file.text])
    if more:
        raise CannotConvert(
            f"{', '.join(one.source for one in inputs)}: Compose merges several files into one: convert what "
            "docker compose -f … -f … config prints"
        )
    if options.name:
        raise WrongOption(
            f"{file.source}: a Workload has its service's name, which other services ask for: leave out "
            "--name"
        )
    made = _of_file(
        file,
        lambda file: convert(
            file.text,
            environment=options.variables,
            read=texts.read,
            profiles=options.profiles,
            namespace=options.namespace or "",
        ),
    )
    texts.check(options.variables)
    return placed(made, options.namespace)


class _Texts:
    """All texts of an input that may name variables."""

    def __init__(self, read: Reader, texts: Iterable[str]) -> None:
        self._read = read
        self._texts = list(texts)

    def read(self, name: str) -> str | None:
        """A file's text, which is added to the texts."""
        text = self._read(name)
        self._texts.append(text or "")
        return text

    def check(self, variables: Iterable[str]) -> None:
        """Raise WrongOption for a variable that none of the texts names. Compose has some of its own."""
        for name in variables:
            whole_word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
            if not name.startswith("COMPOSE_") and not any(map(whole_word.search, self._texts)):
                raise WrongOption(
                    f"--variable {name}: nothing in the input names this variable: correct the name, or "
                    "leave it out"
                )


def _check_options(options: Options, formats: Collection[str]) -> None:
    """Raise WrongOption for an option that none of the inputs' formats takes."""
    machine = options.machine
    given: list[tuple[str, object, Collection[str], str]] = [
        ("--variable", options.variables, ("compose", *COMMANDS), "a Compose file or docker-run"),
        ("--profile", options.profiles, ("compose",), "a Compose file"),
        ("--os", machine.os, _HYPERVISORS, _OF_HYPERVISORS),
        ("--bootloader", machine.bootloader, _HYPERVISORS, _OF_HYPERVISORS),
        ("--disk-url", machine.disk_url, _HYPERVISORS, _OF_HYPERVISORS),
        ("--disk-claim", machine.disk_claims, _HYPERVISORS, _OF_HYPERVISORS),
        ("--disk-size", machine.disk_sizes, _HYPERVISORS, _OF_HYPERVISORS),
        ("--vddk-url", machine.vddk, _HYPERVISORS, _OF_HYPERVISORS),
    ]
    for option, value, taking, title in given:
        if value and not set(taking) & set(formats):
            raise WrongOption(f"{option} is for {title}, and there is none in the input: leave it out")


def _of_file(file: Input, convert: Callable[[Input], Conversion]) -> Conversion:
    """The conversion of one file. Its errors name the file."""
    try:
        return convert(file)
    except CannotConvert as error:
        raise error.within(file.source) from error


def _machines(name: str, title: str, load: Callable[[], ModuleType]) -> Format:
    """A format in which a hypervisor describes machines. `load` imports the module that converts it."""

    def recognises(file: Input) -> bool:
        return bool(load().recognises(file.text))

    def convert(inputs: Sequence[Input], options: Options) -> Conversion:
        if options.name and len(inputs) > 1:
            files = ", ".join(file.source for file in inputs)
            raise WrongOption(f"--name is for one machine, and these are several ({files}): leave it out")
        machine_options = replace(options.machine, name=options.name, namespace=options.namespace)
        return joined(
            _of_file(file, lambda file: load().convert(file.text, replace(machine_options, stem=file.stem)))
            for file in inputs
        )

    return Format(name, title, recognises, convert)


def _libvirt() -> ModuleType:
    from twinhull.convert.machines import libvirt  # noqa: PLC0415  when it is needed

    return libvirt


def _ovf() -> ModuleType:
    from twinhull.convert.machines import ovf  # noqa: PLC0415  when it is needed

    return ovf


def _vmx() -> ModuleType:
    from twinhull.convert.machines import vmx  # noqa: PLC0415  when it is needed

    return vmx


def _hyperv() -> ModuleType:
    from twinhull.convert.machines import hyperv  # noqa: PLC0415  when it is needed

    return hyperv


#: The formats that take the options for machines, and their name in sentences.
_HYPERVISORS = ("libvirt", "ovf", "vmx", "hyperv")
_OF_HYPERVISORS = "a machine of libvirt, VMware or Hyper-V"
#: A field that every object of Kubernetes has, in YAML or JSON.
_OF_OBJECTS = re.compile(r"""^(?:apiVersion|kind)[ \t]*:|"apiVersion"[ \t]*:""", re.MULTILINE)
#: All formats. An input has the first format that recognises it.
FORMATS = (
    Format("kubernetes", "objects of Kubernetes or KubeVirt", _is_kubernetes, _kubernetes),
    _machines("libvirt", "a domain of libvirt (virsh dumpxml)", _libvirt),
    _machines("ovf", "an OVF descriptor", _ovf),
    _machines("vmx", "a .vmx file of VMware", _vmx),
    _machines("hyperv", "a machine of Hyper-V as JSON (Get-VM | ConvertTo-Json)", _hyperv),
    Format("compose", "a Compose file", _is_compose, _compose),
)
#: The words that `convert` takes in place of a file, before a command line.
COMMANDS = {"docker-run": "docker run"}


def format_of(file: Input) -> Format | None:
    """The format of an input, by its content. None: none recognises it.

    An input that no format recognises, but that has a field of Kubernetes' objects, counts as Kubernetes: its
    conversion says what is wrong.
    """
    recognised = next((found for found in FORMATS if found.recognises(file)), None)
    return recognised or (FORMATS[0] if _mentions_kubernetes(file) else None)


def convert_files(inputs: Iterable[tuple[Format, Input]], options: Options) -> Conversion:
    """The Workloads of files. Files of the same format are converted together. Raises CannotConvert."""
    by_format: dict[str, tuple[Format, list[Input]]] = {}
    for recognised, file in inputs:
        by_format.setdefault(recognised.name, (recognised, []))[1].append(file)
    _check_options(options, by_format)
    if options.name and len(by_format) > 1:
        raise WrongOption(
            "--name is for one Workload, and the files are of several formats: convert them one by one"
        )
    made = joined(recognised.convert(files, options) for recognised, files in by_format.values())
    return isolated(made, options.isolation)


def convert_command(words: Sequence[str], read: Reader, options: Options) -> Conversion:
    """The Workload of a command line of `docker run`, which may name files. Raises CannotConvert."""
    from twinhull.convert.dockerrun import convert  # noqa: PLC0415  when it is needed

    if options.name:
        raise WrongOption("give docker run's own --name, behind the --, and leave out that of convert")
    _check_options(options, COMMANDS)
    texts = _Texts(read, words)
    made = convert(words, environment=options.variables, read=texts.read, namespace=options.namespace or "")
    texts.check(options.variables)
    return isolated(placed(made, options.namespace), options.isolation)


def joined(parts: Iterable[Conversion]) -> Conversion:
    """Several conversions, joined into one."""
    conversions = list(parts)
    return Conversion(
        tuple(obj for part in conversions for obj in part.objects),
        tuple(left for part in conversions for left in part.left),
    )
