"""Errors that help: what was sent, shown safely, and what was probably meant.

What is accepted is decided in ``validation.py`` and by each statistic.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Mapping

from meantime.errors import InvalidParameterError
from meantime.statistics.parameters import MAXIMUM_TEXT, Parameter

ACCEPTED_LIMIT = 60
"""Accepted values are listed in an error when there are at most so many."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80
_REPR.maxlist = _REPR.maxdict = 4
_REPR.maxlevel = 2


def shown(value: object) -> str:
    r"""Return a value as a short text without control characters, fit for a message or a log.

    >>> print(shown("Alabama\nforged line"))
    'Alabama\nforged line'
    """
    return _REPR.repr(value)


def nearest(value: str, names: Iterable[str], aliases: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return up to three names that ``value`` may have been meant to be, the likeliest first.

    Parameters
    ----------
    value
        What was sent.
    names
        The accepted names.
    aliases
        Other words for some of the names, such as abbreviations.

    Examples
    --------
    >>> nearest("alabamma", ["Alabama", "Alaska", "Ohio"])
    ('Alabama',)
    """
    wanted = value[:MAXIMUM_TEXT].strip().casefold()
    folded = {alias.casefold(): name for alias, name in (aliases or {}).items()} | {n.casefold(): n for n in names}
    if wanted in folded:
        return (folded[wanted],)
    found = [name for key, name in folded.items() if len(wanted) >= 3 and wanted in key]
    found += [folded[key] for key in difflib.get_close_matches(wanted, folded, n=3)]
    return tuple(dict.fromkeys(found))[:3]


def refuse_name(
    value: str, names: Iterable[str], *, field: str, what: str, aliases: Mapping[str, str] | None = None
) -> InvalidParameterError:
    """Return the error for a name that is not among the accepted ones."""
    accepted = tuple(names)
    near = nearest(value, accepted, aliases)
    if near:
        hint = f"; did you mean {' or '.join(shown(name) for name in near)}?"
    elif len(accepted) <= ACCEPTED_LIMIT:
        hint = f"; accepted: {', '.join(accepted)}"
    else:
        hint = f"; {len(accepted)} are known, see the dataset's list"
    return InvalidParameterError(
        f"{field}: {shown(value)} is no {what}{hint}",
        field=field,
        accepted=accepted if len(accepted) <= ACCEPTED_LIMIT else (),
        nearest=near,
    )


def refuse_type(parameter: Parameter, value: object, expected: str) -> InvalidParameterError:
    """Return the error for a value of the wrong type."""
    return InvalidParameterError(f"{parameter.name}: {shown(value)} is not {expected}", field=parameter.name)
