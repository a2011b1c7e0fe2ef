"""Words for a refusal: what was given, shown safely, and what was probably meant.

What is accepted is decided by each kind, in ``kinds.py`` and beside what the values depend on.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from unicodedata import category

from meantime.errors import FieldError

ACCEPTED_LIMIT = 60
"""Accepted names are listed in an error when there are at most so many."""

COMPARED_CHARACTERS = 500
"""So much of a name is compared with the accepted ones; comparing takes the square of the time."""

SHOWN_CHARACTERS = 84

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 2 * SHOWN_CHARACTERS
_REPR.maxlong = SHOWN_CHARACTERS
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = 4
_REPR.maxlevel = 2


def shown(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    r"""Return a value as a text without control characters, at most ``limit`` long, fit for a message or a log.

    >>> print(shown("Alabama\nforged line"), shown("x" * 3000, limit=12))
    'Alabama\nforged line' 'xxxxxxx...'
    """
    try:
        text = repr(value[:limit]) if isinstance(value, str) else _REPR.repr(value)
    except ValueError:  # Python writes no integer of more than 4300 digits
        return "a number of thousands of digits"
    is_cut = len(text) > limit or (isinstance(value, str) and len(value) > limit)
    return f"{text[: limit - 4]}...{text[-1]}" if is_cut else text


def printable(text: str) -> str:
    r"""Return a text fit for a line of a log or of a terminal: what isn't printable is escaped.

    That is whatever ends a line, gives a terminal orders, or turns the order of letters round (Unicode's categories C
    and Z but for spaces).

    >>> print(printable("job\n2026-01-01T00:00:00.000Z ERROR forged\x1b[2J"))
    job\n2026-01-01T00:00:00.000Z ERROR forged\x1b[2J
    """
    return _escaped(text, lambda character: character.encode("unicode_escape").decode("ascii"))


def encodable(text: str) -> str:
    r"""Return a text that UTF-8 can hold: half of a surrogate pair, as in a file's name that isn't UTF-8, is escaped.

    >>> print(encodable("a\udcf1o.csv"))
    a\udcf1o.csv
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def printable_json(text: str) -> str:
    """Return a JSON text with what isn't printable escaped as JSON does it; ends of lines between values stay."""
    return "\n".join(_escaped(line, _escaped_in_json) for line in text.split("\n"))


def printable_toml(text: str) -> str:
    """Return a line of TOML with what isn't printable escaped as TOML does it."""
    return _escaped(text, lambda character: f"\\U{ord(character):08x}")


def _escaped_in_json(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0xFFFF else f"\\u{ord(character):04x}"


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or category(character) == "Zs" else escape(character) for character in text
    )


def nearest(
    value: str, names: Iterable[str], aliases: Mapping[str, str] | None = None, *, likeness: float = 0.6
) -> tuple[str, ...]:
    """Return up to three names that ``value`` may have been meant to be, the likeliest first.

    Parameters
    ----------
    value
        What was given.
    names
        The accepted names.
    aliases
        Other words for some of the names, such as abbreviations.
    likeness
        How alike two names must be, from 0 to 1.

    Examples
    --------
    >>> nearest("alabamma", ["Alabama", "Alaska", "Ohio"])
    ('Alabama',)
    """
    from difflib import get_close_matches  # 5 ms, and only a refusal needs it

    wanted = value[:COMPARED_CHARACTERS].strip().casefold()
    folded = {alias.casefold(): name for alias, name in (aliases or {}).items()} | {n.casefold(): n for n in names}
    if wanted in folded:
        return (folded[wanted],)
    found = [name for key, name in folded.items() if len(wanted) >= 3 and wanted in key]
    found += [folded[key] for key in get_close_matches(wanted, folded, n=3, cutoff=likeness)]
    return tuple(dict.fromkeys(found))[:3]


def unknown_name(
    value: str,
    names: Collection[str],
    *,
    what: str,
    field: str = "",
    aliases: Mapping[str, str] | None = None,
    forms: str = "",
) -> FieldError:
    """Return the error for a name that is not among the accepted ones.

    Parameters
    ----------
    value, names, aliases
        As for ``nearest``.
    what
        What such a name names, as in "is no location".
    field
        The field, where it is known.
    forms
        Which spellings of a name are accepted, where that is not the name alone.
    """
    near = nearest(value, names, aliases)
    if near:
        hint = f"; did you mean {' or '.join(shown(name) for name in near)}?"
    elif len(names) <= ACCEPTED_LIMIT:
        hint = f"; accepted: {', '.join(names)}"
    else:
        hint = f"; {len(names)} are known, see the dataset's list"
    hint = f"; {forms}{hint}" if forms else hint
    accepted = tuple(names) if len(names) <= ACCEPTED_LIMIT else ()
    return FieldError(f"{shown(value)} is no {what}{hint}", field=field, accepted=accepted, nearest=near)
