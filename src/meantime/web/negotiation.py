"""Which of the media types that an answer could have a client likes best (RFC 9110, section 12.5.1).

Written here, since werkzeug's takes a parameter for part of the type's name: to it ``text/csv; charset=utf-8`` isn't
``text/csv``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from werkzeug.http import parse_list_header, parse_options_header

_QUALITY = re.compile(r"[01]|[01]?\.[0-9]*|[01]\.", re.ASCII)  # with ".2", which Java's own client sends
_UTF_8 = "utf-8"


@dataclass(frozen=True, slots=True)
class _MediaRange:
    """One member of an Accept header, in lower case; ``*`` stands for any type or subtype."""

    kind: str
    subkind: str
    parameters: frozenset[tuple[str, str]]
    quality: float

    @property
    def specificity(self) -> tuple[bool, bool, int]:
        """How much it says; of the ranges that a type fits, the one that says most counts."""
        return (self.kind != "*", self.subkind != "*", len(self.parameters))

    def fits(self, media_type: str) -> bool:
        """Whether a media type has everything that the range names."""
        full, options = parse_options_header(media_type.lower())
        kind, _, subkind = full.partition("/")
        parameters = set(options.items())
        if kind == "text" or subkind.endswith("json"):
            parameters.add(("charset", _UTF_8))  # all that is sent is, whether it says so or not
        return self.kind in ("*", kind) and self.subkind in ("*", subkind) and self.parameters <= parameters


def preferred_type(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the offered media type that a client likes best, or None when it accepts none of them.

    Parameters
    ----------
    accept
        The Accept header; without one, or with an empty one, everything is accepted.
    offered
        Media types with their parameters, the server's favourite first: it wins among equals. Of two of one quality the
        one that the client names, and doesn't only allow, is liked better.

    Examples
    --------
    >>> preferred_type("text/csv; charset=utf-8, */*;q=0.1", ["application/json", "text/csv; header=present"])
    'text/csv; header=present'
    >>> preferred_type("image/png", ["application/json"])
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = list(_ranges_in(accept))
    best, best_rank = None, (0.0, (False, False, 0))
    for media_type in offered:
        fitting = max((each for each in ranges if each.fits(media_type)), key=_specificity, default=None)
        if fitting is not None and fitting.quality > 0.0 and (fitting.quality, fitting.specificity) > best_rank:
            best, best_rank = media_type, (fitting.quality, fitting.specificity)
    return best


def _specificity(media_range: _MediaRange) -> tuple[bool, bool, int]:
    return media_range.specificity


def _ranges_in(accept: str) -> Iterator[_MediaRange]:
    """Yield the media ranges of a header; what can't be understood is left out."""
    for member in parse_list_header(accept):
        full, options = parse_options_header(member.lower())
        kind, slash, subkind = ("*", "/", "*") if full == "*" else full.partition("/")
        quality = options.get("q", "1")
        if not slash or (kind == "*" and subkind != "*") or not _QUALITY.fullmatch(quality) or float(quality) > 1.0:
            continue
        names = list(options)
        parameters = names[: names.index("q")] if "q" in options else names  # what follows q is none of the type's
        found = frozenset((name, _UTF_8 if options[name] == "utf8" else options[name]) for name in parameters)
        yield _MediaRange(kind, subkind, found, float(quality))
