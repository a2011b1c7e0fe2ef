"""Words for a refusal: what was given, shown safely, and what was probably meant.

What is accepted is decided by each kind, in ``kinds.py`` and beside what the values depend on.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Mapping

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
