"""man/: a manual page for `twinhull`, and one for each verb, made of the verbs' own helps.

They are written in the man macros (groff_man(7), man(7) of mandoc), in the few that both programs know.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator

import click

import twinhull
from tools.verbs import Told, verbs
from twinhull.cli import SECTIONS, main

_HEADER = '.\\" Made by `make generate` from the help of the command; changes belong there.\n'
#: What groff takes for more than the character itself (groff_char(7)).
_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
#: What the verbs read beside their options.
_ENVIRONMENT = {
    "KUBECONFIG": "The kubeconfig of the cluster. The default is ~/.kube/config.",
    "NO_COLOR": "If it is set, nothing is printed in colours.",
}


def pages() -> dict[str, Callable[[], str]]:
    """What makes each page, by its file in man/."""
    made: dict[str, Callable[[], str]] = {"twinhull.1": _group_page}
    for entry in verbs():
        made[f"twinhull-{entry.verb.name}.1"] = lambda entry=entry: _verb_page(entry)  # type: ignore[misc]
    return made


def _group_page() -> str:
    return _page("twinhull", _summary(main), _group_sections())


def _group_sections() -> Iterator[tuple[str, str]]:
    yield "SYNOPSIS", f"{_bold('twinhull')} {_italic('COMMAND')} [{_italic('OPTIONS')}]\n"
    yield "DESCRIPTION", "".join(_paragraphs(_help(main)[1:]) or [_text(_help(main)[0])])
    listed = ""
    for title, section in SECTIONS.items():
        listed += f'.SS "{_plain(title)}"\n'
        for verb in section:
            listed += f".TP\n.BR twinhull\\-{_plain(verb.name)} (1)\n{_text(verb.summary)}"
    yield "COMMANDS", listed
    yield "OPTIONS", _options(main, _context(main))
    yield "ENVIRONMENT", _terms(_ENVIRONMENT)
    yield "SEE ALSO", ".BR kubectl (1)\n"


def _verb_page(entry: Told) -> str:
    return _page(f"twinhull-{entry.verb.name}", entry.verb.summary, _verb_sections(entry))


def _verb_sections(entry: Told) -> Iterator[tuple[str, str]]:
    command, name = entry.command, entry.verb.name
    context = click.Context(command, parent=_context(main), info_name=name, **command.context_settings)
    pieces = " ".join(_italic(piece) for piece in command.collect_usage_pieces(context))
    yield "SYNOPSIS", f"{_bold(f'twinhull {name}')} {pieces}\n"
    yield "DESCRIPTION", "".join(_paragraphs(entry.paragraphs[1:])) or _text(entry.paragraphs[0])
    yield "OPTIONS", _options(command, context)
    if variables := _variables(command, context):
        yield "ENVIRONMENT", _terms(variables)
    for title, lines in entry.sections.items():
        if title.startswith("Exit codes"):
            yield "EXIT STATUS", _terms({str(code): what for code, what in entry.exit_codes.items()})
        else:
            yield title.upper(), _as_it_is(lines)
    yield "SEE ALSO", ".BR twinhull (1)\n"


def _page(name: str, summary: str, sections: Iterator[tuple[str, str]]) -> str:
    parts = [(_plain(title), content.removeprefix(".PP\n")) for title, content in sections]
    written = "".join(f'.SH "{title}"\n{content}' for title, content in parts)
    title = f'.TH {_plain(name.upper())} 1 "" "twinhull {_plain(twinhull.__version__)}" "Twinhull"\n'
    # Without hyphens and blanks that would be taken for parts of an option or a field.
    return (
        f"{_HEADER}{title}.nh\n.ad l\n.SH NAME\n{_plain(name)} \\- {_inline(summary.rstrip('.'))}\n{written}"
    )


def _context(group: click.Group) -> click.Context:
    return click.Context(group, info_name="twinhull", **group.context_settings)


def _summary(command: click.Command) -> str:
    return _help(command)[0]


def _help(command: click.Command) -> list[str]:
    return re.split(r"\n[ \t]*\n", inspect.cleandoc(command.help or ""))


def _paragraphs(paragraphs: list[str]) -> list[str]:
    return [
        _as_it_is(text.removeprefix("\b\n")) if text.startswith("\b\n") else f".PP\n{_text(text)}"
        for text in paragraphs
    ]


def _options(command: click.Command, context: click.Context) -> str:
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    described = [record for record in records if record and record[1]]  # click lists arguments without a help
    return "".join(f".TP\n{_option(names)}\n{_text(text)}" for names, text in described)


def _option(names: str) -> str:
    """The names of an option are bold, and what stands for its value is in italics."""
    words = re.split(r"(, | )", names)
    return "".join(
        word if not word.strip(", ") else _bold(word) if word.startswith("-") else _italic(word)
        for word in words
    )


def _variables(command: click.Command, context: click.Context) -> dict[str, str]:
    """The variables of the environment that stand for options, each with what it is."""
    variables = {}
    for option in command.params:
        name = option.envvar
        if name is None and context.auto_envvar_prefix and option.name:
            name = f"{context.auto_envvar_prefix}_{option.name.upper()}"
        if isinstance(option, click.Option) and isinstance(name, str):
            variables[name] = f"The value of {max(option.opts, key=len)}."
    return variables


def _terms(terms: dict[str, str]) -> str:
    return "".join(f".TP\n{_bold(term)}\n{_text(meaning)}" for term, meaning in terms.items())


def _as_it_is(lines: str) -> str:
    """Lines that aren't filled."""
    kept = "".join(
        f"{_guarded(_plain(line.removeprefix('  ')))}\n" for line in lines.strip("\n").splitlines()
    )
    return f".PP\n.RS 4\n.nf\n{kept}.fi\n.RE\n"


def _text(text: str) -> str:
    """A paragraph. What stands between backticks is bold."""
    return f"{_guarded(_inline(' '.join(text.split())))}\n"


def _inline(text: str) -> str:
    parts = re.split(r"`([^`]+)`", text)
    return "".join(_bold(part) if number % 2 else _plain(part) for number, part in enumerate(parts))


def _guarded(line: str) -> str:
    """A line that isn't taken for a request."""
    return f"\\&{line}" if line[:1] in {".", "'"} else line


def _plain(text: str) -> str:
    return "".join(
        _ESCAPES.get(one, one) if one.isascii() else f"\\[u{ord(one):04X}]" for one in text.expandtabs()
    )


def _bold(text: str) -> str:
    return f"\\fB{_plain(text)}\\fR"


def _italic(text: str) -> str:
    return f"\\fI{_plain(text)}\\fR"
