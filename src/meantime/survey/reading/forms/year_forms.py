"""How years are written: as numbers, dates, quarters, fiscal years, and spans such as 2019/20.

A date means its year. A span means the year that a mapping's rule says, ``first`` or ``last``; without a rule it means
none, and so does "2011-12" as long as it may be a month or a span.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import narwhals as nw

from meantime.survey.questions import FIRST_YEAR, LAST_YEAR

_YEAR = "(?:1[0-9]|20)[0-9]{2}|2100"
_MONTH, _DAY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
_DASH = "(?: ?[-/\u2010-\u2015] ?| to )"

PLAIN = rf"^(?:{_YEAR})(?:[.]0*)?$"
_FIRST = (  # texts that begin with their year, but for letters before it
    rf"^(?:{_YEAR})[-/.]{_MONTH}[-/.]{_DAY}(?:[T ].*)?$",
    rf"^(?:{_YEAR}){_MONTH}{_DAY}$",
    rf"^(?:{_YEAR})[- ]?(?:[QqHhSs][1-4]|[Mm](?:0?[1-9]|1[0-2]))$",
)
_LAST = (  # texts that end with their year, but for a time after it
    r"^(?:0?[1-9]|[12][0-9]|3[01])[-/. ](?:0?[1-9]|[12][0-9]|3[01])[-/. ]" + f"(?:{_YEAR})(?:[T ].*)?$",
    rf"^(?:[QqHh][1-4]|[A-Za-z]{{3,9}}\.?)[-/, ]*(?:{_YEAR})$",
    rf"^(?:[Ff][Yy]|[Cc][Yy]|[Yy][Rr]?)[- ]?(?:{_YEAR})$",
)
_LONG_SPAN = rf"^(?:{_YEAR}){_DASH}(?:{_YEAR})$"
_SHORT_SPAN = rf"^(?:{_YEAR}){_DASH}[0-9]{{2}}$"


def _any(patterns: Iterable[str]) -> str:
    return "|".join(patterns)


@dataclass(frozen=True, slots=True)
class YearForm:
    """How the years of a table are read.

    ``rule`` is the year of a span that counts, ``first`` or ``last``; empty where nobody has stated it.
    ``short_is_month`` says that texts such as 2019-03 are months, and no spans.
    """

    rule: str = ""
    short_is_month: bool = False

    def plain(self, text: nw.Expr) -> nw.Expr:
        """Return texts as an engine casts them; what is no year becomes a text that it refuses."""
        bare = text.str.replace_all("^[^0-9]+", "")
        date = bare.str.replace_all("[T ][0-9]{1,2}:.*$", "")
        last = date.str.tail(4)
        found = nw.when(text.str.contains(PLAIN)).then(text.str.head(4))
        chosen = nw.when(text.str.contains(_any(_LAST))).then(last).otherwise(nw.lit("?"))
        if self.rule == "last":
            chosen = nw.when(text.str.contains(_LONG_SPAN)).then(last).otherwise(chosen)
        if self.rule == "last" and not self.short_is_month:
            chosen = nw.when(text.str.contains(_SHORT_SPAN)).then(_end_of_short_span(text)).otherwise(chosen)
        return found.otherwise(nw.when(text.str.contains(_any(self._first))).then(bare.str.head(4)).otherwise(chosen))

    @property
    def _first(self) -> tuple[str, ...]:
        spans = (_LONG_SPAN, _SHORT_SPAN) if self.rule == "first" else ()
        return (*_FIRST, *spans, *((_SHORT_SPAN,) if self.short_is_month else ()))

    def year(self, text: str) -> int | None:
        """Return the year that a text means; None where it means none.

        >>> [YearForm("last").year(text) for text in ("2019", "2019-05-01", "1999/00", "2011-2012")]
        [2019, 2019, 2000, 2012]
        """
        if re.fullmatch(PLAIN, text) or re.search(_any(self._first), text):
            return int(re.sub("^[^0-9]+", "", text)[:4])
        if re.search(_any(_LAST), text):
            return int(re.sub("[T ][0-9]{1,2}:.*$", "", text)[-4:])
        if self.rule == "last" and re.fullmatch(_LONG_SPAN, text):
            return int(text[-4:])
        if self.rule == "last" and re.fullmatch(_SHORT_SPAN, text):
            first, end = int(text[:4]), int(text[-2:])
            year = first - first % 100 + end + (100 if end < first % 100 else 0)
            return year if year <= LAST_YEAR else None
        return None


def _end_of_short_span(text: nw.Expr) -> nw.Expr:
    first, end = text.str.head(4).cast(nw.Int64), text.str.tail(2).cast(nw.Int64)
    century = first - first % 100
    return nw.when(end < first % 100).then(century + 100 + end).otherwise(century + end).cast(nw.String)


def derive_year_form(texts: Iterable[str], rule: str) -> YearForm:
    """Tell from a table's years whether texts such as 2019-03 are months: when one of them can be no span, all can.

    >>> derive_year_form(["2019-03", "2019-12"], ""), derive_year_form(["2019-20"], "first").short_is_month
    (YearForm(rule='', short_is_month=True), False)
    """
    short = [text for text in texts if re.fullmatch(_SHORT_SPAN, text)]
    months = all(re.search(f"-{_MONTH}$", text) for text in short)
    return YearForm(rule, short_is_month=months and any(int(text[-2:]) <= int(text[2:4]) for text in short))


def example_of_years(texts: Iterable[str]) -> str:
    """Return the first text that is a date, a span or a year with something beside it; empty where all are years."""
    return next((text for text in texts if not re.fullmatch(PLAIN, text)), "")


def is_span(text: str) -> bool:
    """Whether a text can be a span of years.

    >>> is_span("2019/20"), is_span("2019-05-01")
    (True, False)
    """
    return re.fullmatch(f"{_LONG_SPAN}|{_SHORT_SPAN}", text) is not None


def are_years(years: Iterable[float]) -> bool:
    """Whether numbers are years, all of them."""
    return all(year.is_integer() and FIRST_YEAR <= year <= LAST_YEAR for year in years)


def year_fault(text: str) -> str:
    """Return why a text is no year, and what to do."""
    shown = f"{text[:60]!r} is no year"
    if re.fullmatch(_SHORT_SPAN, text) and re.search(f"-{_MONTH}$", text):
        return f'{shown}: it may be a month or a span; state `year = "first"` or "last" under [file] in a mapping file'
    if is_span(text):
        return f'{shown} but a span; state `year = "first"` or "last" under [file] in a mapping file'
    if re.fullmatch(r"[0-9]+([.][0-9]*)?", text):
        return f"{shown} from {FIRST_YEAR} to {LAST_YEAR}; is another column the year?"
    return shown
