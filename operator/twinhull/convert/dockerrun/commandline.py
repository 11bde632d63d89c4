"""Takes a command line of `docker run` apart, as Docker does.

Source: github.com/spf13/pflag: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`; letters
without a value may stand together, and the last one may have a value (`-itp 80:80`); options end at the first
word that isn't one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from twinhull.api.suggestion import misspelt
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.options import OPTIONS, Option, Takes

#: The most words and characters of a command line; a shell takes two million characters.
_MOST_WORDS = 5_000
_MOST_CHARACTERS = 1_000_000
_PROGRAMS = ("docker", "podman", "nerdctl")
#: Docker's own options before the command that have a value.
_GLOBAL = {
    "--config",
    "-c",
    "--context",
    "-H",
    "--host",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
}
_GLOBAL |= {
    "-n",
    "--namespace",
    "--connection",
    "--url",
    "--identity",
    "--root",
    "--runroot",
    "--storage-driver",
}
_BY_NAME = {name: option for option in OPTIONS.values() for name in (option.name, *option.others)}
_BY_LETTER = {option.letter: option for option in OPTIONS.values() if option.letter}
_TRUE = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The parts of a command line."""

    #: docker, podman or nerdctl; docker if the command line doesn't name one.
    program: str
    #: The program's own options, before its command.
    program_options: tuple[str, ...]
    #: The options by their names, each with its place and value.
    options: tuple[tuple[str, InputValue], ...]
    image: str
    #: The words after the image.
    command: tuple[str, ...]


def parse(arguments: Sequence[str]) -> CommandLine:
    """A command line. Raises CannotConvert for one that Docker would refuse."""
    if len(arguments) > _MOST_WORDS or sum(map(len, arguments)) > _MOST_CHARACTERS:
        raise CannotConvert(
            f"the command line is longer than {_MOST_WORDS} words or {_MOST_CHARACTERS} characters"
        )
    if any("\0" in word for word in arguments):
        raise CannotConvert("the command line has a character NUL in it: remove it")
    if len(arguments) == 1 and " " in arguments[0].strip():
        raise CannotConvert("the command line is one word: leave out the quotes around the whole of it")
    program, program_options, words = _after_run(list(arguments))
    options: list[tuple[str, InputValue]] = []
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        read = _long(word, words, program) if word.startswith("--") else _letters(word, words, program)
        options += [(option.name, _in_place(setting, option)) for option, setting in read]
    if not words:
        raise CannotConvert("the command line has no image: end the options with one, such as nginx:1.29")
    return CommandLine(program, program_options, tuple(options), words[0], tuple(words[1:]))


def _after_run(words: list[str]) -> tuple[str, tuple[str, ...], list[str]]:
    """The program, its own options, and the words after `run`."""
    unread = words[1:] if words[:1] == ["sudo"] else words
    program = unread[0].rpartition("/")[2] if unread else ""
    if program not in _PROGRAMS:
        return "docker", (), words
    unread = unread[1:]
    program_options = []
    while unread and unread[0].startswith("-"):
        program_options.append(unread[0].partition("=")[0][:60])
        unread = unread[2:] if unread[0] in _GLOBAL else unread[1:]
    if unread[:1] == ["container"]:
        unread = unread[1:]
    if unread[:1] not in (["run"], ["create"]):
        command = " ".join(unread[:1])[:40]
        raise CannotConvert(
            f"{program} {command} starts no container: give {program} run with its options and image"
        )
    return program, tuple(program_options), unread[1:]


def _unknown(flag: str, program: str) -> str:
    """The error about an option that isn't in the table, which has all options of docker run, and most of the
    others.
    """
    if program == "docker":
        return f"{flag} is no option of docker run: remove it"
    return (
        f"{flag} isn't among the options of {program} run that are known here: it may be a rare or a newer "
        "one. Remove it, and set what it does in the Workload"
    )


def _long(word: str, words: list[str], program: str) -> Iterator[tuple[Option, InputValue]]:
    name, equals, value = word[2:].partition("=")
    if (option := _BY_NAME.get(name)) is None:
        near = misspelt(name[:60], _BY_NAME)
        hint = f", or did you mean --{near}?" if near else ""
        raise CannotConvert(f"{_unknown(f'--{name[:60]}', program)}{hint}")
    flag = f"--{name}"
    if option.takes is Takes.NOTHING:
        yield option, InputValue(flag, _truth(flag, value) if equals else True)
    elif equals:
        yield option, InputValue(flag, value)
    else:
        yield option, InputValue(flag, _next(flag, words))


def _letters(word: str, words: list[str], program: str) -> Iterator[tuple[Option, InputValue]]:
    rest = word[1:]
    while rest:
        letter, rest = rest[0], rest[1:]
        flag = f"-{letter}"
        if (option := _BY_LETTER.get(letter)) is None:
            raise CannotConvert(_unknown(f"{flag} (in {word[:40]})", program))
        if option.takes is Takes.NOTHING:
            if rest.startswith("="):
                yield option, InputValue(flag, _truth(flag, rest[1:]))
                return
            yield option, InputValue(flag, True)  # noqa: FBT003  its value
            continue
        yield option, InputValue(flag, rest.removeprefix("=") if rest else _next(flag, words))
        return


def _next(flag: str, words: list[str]) -> str:
    if not words:
        raise CannotConvert(f"{flag} has no value: add it")
    return words.pop(0)


def _truth(flag: str, value: str) -> bool:
    if (truth := _TRUE.get(value.lower())) is None:
        raise CannotConvert(f"{flag}={value[:40]}: it is true or false: correct it")
    return truth


#: Options whose values may be secret, or that are named by their keys.
_BY_KEY = ("env", "label", "annotation", "env-file", "label-file")


def _in_place(setting: InputValue, option: Option) -> InputValue:
    """A value with its place. If the option may be repeated, the value is a part of the place."""
    if option.takes is not Takes.MANY or option.name in _BY_KEY:
        return setting
    value = str(setting.value)
    return InputValue(f"{setting.path} {value if len(value) <= 100 else f'{value[:100]}…'}", setting.value)  # noqa: PLR2004
