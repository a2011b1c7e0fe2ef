"""A mapping file proposed for a table: what each column seems to be, how sure that is, and why others play no part.

A person reads and corrects it; nothing is ever served by a guess that nobody has seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from meantime.fields.refusals import printable_toml
from meantime.survey.questions import PERCENT, PROPORTION, SCALES
from meantime.survey.reading.columns import COUNT_ROLES, FIGURE_ROLES, REQUIRED_ROLES, Role
from meantime.survey.reading.forms.number_forms import (
    PLAIN,
    NumberColumn,
    NumberForm,
    UndecidedNumbersError,
    derive_number_form,
)
from meantime.survey.reading.forms.unread_texts import is_bound, is_missing_mark
from meantime.survey.reading.profile import known_question, normal
from meantime.survey.reading.proposal.column_facts import ColumnFacts
from meantime.survey.reading.proposal.column_guesses import Confidence, Guesses, candidates, why_not, years_pattern
from meantime.survey.reading.proposal.column_words import (
    EVERYBODY,
    NATIONS,
    PERCENT_WORDS,
    in_time,
)
from meantime.survey.reading.proposal.table_samples import TableShape
from meantime.survey.reading.sources import stem

_LEVEL = re.compile(r"(?<!\d)(8\d|9\d)(\.\d+)?(?!\d)")
_WRITTEN = tuple(role for role in Role if role not in {Role.CATEGORY, Role.STRATUM})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was found of one table, to be written as a mapping file.

    ``varying`` are the columns that rows of one cell differ in; ``release`` is the one that tells these rows apart.
    """

    source: Path
    shape: TableShape
    guesses: Guesses
    row_count: int
    varying: Collection[int] = ()
    release: int | None = None

    @property
    def form(self) -> NumberForm | UndecidedNumbersError:
        """How the numbers are written, or why that can't be told."""
        columns = [(role, found) for role in FIGURE_ROLES if (found := self.guesses.fact(role))]
        texts = [NumberColumn(c.header, (*c.odd_numbers, *c.texts), role in COUNT_ROLES) for role, c in columns]
        if not any(c.odd_numbers for _, c in columns) and any(c.distinct > len(c.texts) for _, c in columns):
            return PLAIN  # some texts would tell too little
        try:
            return derive_number_form(texts, has_comma_fields=self.shape.delimiter in {"", ","})
        except UndecidedNumbersError as error:
            return error

    def text(self) -> str:
        """Return the mapping file."""
        name = self.source.name
        lines = [f"# How to read {name}; proposed by `meantime inspect`. Check each line, then: --mapping THIS_FILE"]
        lines += ["", "[columns]", *self._column_lines(), *self._passed_over()]
        lines += self._section("[fixed]  # for what has no column: one text that holds for every row", self._fixed())
        lines += self._section("[rows]", self._rows())
        lines += self._section("[values]", self._values())
        lines += self._section("[wide]", self._wide())
        lines += self._section("[names]", self._names())
        lines += self._section(
            '[directions]  # which end is better: "lower_is_better" or "higher_is_better"', self._directions()
        )
        lines += self._section("[source]", (f'# {claim} = ""' for claim in ("publisher", "title", "licence", "url")))
        lines += self._section("[file]", self._file())
        return "\n".join(lines) + "\n"

    def _section(self, title: str, lines: Iterable[str]) -> list[str]:
        found = list(lines)
        return ["", title, *found] if found else []

    def _column_lines(self) -> Iterator[str]:
        for role in _WRITTEN:
            yield from self._column_line(role)
            if role is Role.FIPS:
                yield from self._strata_lines()

    def _column_line(self, role: Role) -> Iterator[str]:
        guesses = self.guesses
        if role in guesses.roles:
            yield f"{role} = {_quoted(self._recipe(role))}  # {guesses.why[role]}"
        elif role in REQUIRED_ROLES and not (guesses.year_headers and role in {Role.YEAR, Role.VALUE}):
            if role is Role.QUESTION:
                return  # it is fixed below
            fitting = candidates(role, guesses)
            which = f"; perhaps {', '.join(repr(name) for name in fitting)}" if fitting else ""
            yield f'# {role} = ""  # needed: name its column, or fix it below{which}'

    def _recipe(self, role: Role) -> str:
        """Return a role's column, or the text that is made of several."""
        first = self._header(self.guesses.roles[role])
        parts = self.guesses.parts.get(role, [])
        if self.guesses.known and role in self.guesses.known.columns.recipes:
            recipe = self.guesses.known.columns.recipes[role]
            parts = parts[len(recipe.parts) - 1 :]
            first = recipe.shown.strip()
        if not parts:
            return first
        names = [self._header(place) for place in parts]
        written_first = first if "{" in first else f"{{{first}}}"
        if role is Role.LOCATION:
            return ", ".join([written_first, *(f"{{{name}}}" for name in names)])
        bracketed = {self.guesses.roles.get(other) for other in (Role.VALUE_TYPE, Role.UNIT)}
        written = [f" ({{{n}}})" if p in bracketed else f": {{{n}}}" for n, p in zip(names, parts, strict=True)]
        return written_first + "".join(sorted(written, key=lambda text: text.startswith(" (")))

    def _strata_lines(self) -> Iterator[str]:
        guesses = self.guesses
        if guesses.strata:
            why = guesses.why.get(Role.STRATUM, "likely: the names say so")
            yield f"strata = {_quoted([self._header(place) for place in guesses.strata])}  # {why}"
        for role in (Role.CATEGORY, Role.STRATUM):
            if role in guesses.roles:
                yield f"{role} = {_quoted(self._recipe(role))}  # {guesses.why[role]}"

    def _passed_over(self) -> Iterator[str]:
        taken = self.guesses.taken
        for column in self.guesses.facts:
            if column.position not in taken:
                yield f"# {_quoted(column.header.strip())}: {printable_toml(why_not(column, self.row_count))}"
        if self.shape.second_header:
            yield f"# two lines of names? Below the header stands {_quoted(list(self.shape.second_header))}; write one"

    def _fixed(self) -> Iterator[str]:
        value = self.guesses.fact(Role.VALUE)
        if self.guesses.known:
            fixed = {role: text for role, text in self.guesses.known.profile.fixed.items() if text}
            yield from (f"{role} = {_quoted(text)}  # {Confidence.STATED}" for role, text in fixed.items())
            return
        if Role.QUESTION not in self.guesses.roles:
            is_telling = value is not None and len(value.header.split()) > 1
            text = value.header.strip() if value is not None and is_telling else stem(self.source)
            named = "the value's column" if is_telling else "the file's name; say what the values are"
            yield f"question = {_quoted(text)}  # unsure: {named}"
        if Role.UNIT not in self.guesses.roles:
            yield self._unit(value)

    def _unit(self, value: ColumnFacts | None) -> str:
        """Return what the unit seems to be, by the values and by what the table calls them."""
        low, high = self._extent(value) if value else (None, None)
        question = self.guesses.fact(Role.QUESTION)
        called = " ".join([value.header if value else "", *(question.texts if question else ())]).casefold()
        is_named = any(word in called for word in PERCENT_WORDS)
        if value and any("%" in text for text in value.odd_numbers):
            return f'unit = "{PERCENT}"  # sure: the values have percent signs'
        if value and low is not None and high is not None and low >= 0.0:
            if high <= SCALES[PROPORTION] and value.decimal:
                return f'unit = "{PROPORTION}"  # likely: every value is between 0 and 1'
            if SCALES[PROPORTION] < high <= SCALES[PERCENT]:
                reason = "likely: the name says so, and" if is_named else "perhaps:"
                return f'{"" if is_named else "# "}unit = "{PERCENT}"  # {reason} every value is between 0 and 100'
        return '# unit = ""  # what one value is, such as "days" or "per 100,000"'

    def _extent(self, value: ColumnFacts) -> tuple[float | None, float | None]:
        """Return the least and the greatest value, whatever way they are written."""
        form = self.form
        if not isinstance(form, NumberForm):
            return None, None
        plain = () if form.thousands == "." else (value.minimum, value.maximum)
        numbers = [number for number in (*map(form.number, value.odd_numbers), *plain) if number is not None]
        return min(numbers, default=None), max(numbers, default=None)

    def _rows(self) -> Iterator[str]:
        for role in (Role.VALUE_TYPE, Role.UNIT):
            column = self.guesses.fact(role)
            if column and column.position in self.guesses.parts.get(Role.QUESTION, ()):
                kept = f"{_key(column.header.strip())} = {_quoted(column.texts[0])}"
                yield f"# keep = {{{kept}}}  # instead of {column.header.strip()} in the question: one of them alone"
        if self.release is not None:
            yield self._latest(self.guesses.facts[self.release])
        elif self.varying:
            names = ", ".join(repr(self._header(place)) for place in sorted(self.varying)[:5])
            differ = f"rows of one cell differ in {names} alone; better keep one of them each"
            are_figures = all(self._is_figure(place) for place in self.varying)
            yield f"pool = true  # unsure: {differ}" if are_figures else f"# pool = true  # {differ}"

    def _latest(self, release: ColumnFacts) -> str:
        *earlier, latest = sorted(release.texts, key=in_time)
        others = " or ".join(printable_toml(json.dumps(text, ensure_ascii=False)) for text in earlier[-3:])
        kept = f"keep = {{{_key(release.header.strip())} = {_quoted(latest)}}}"
        return f"{kept}  # unsure: the latest; or {others}; rows of the others are left out"

    def _is_figure(self, place: int) -> bool:
        roles = (*FIGURE_ROLES, Role.FOOTNOTE, Role.FOOTNOTE_SYMBOL)
        return self.guesses.facts[place].decimal > 0 or any(self.guesses.roles.get(role) == place for role in roles)

    def _values(self) -> Iterator[str]:
        roles = [role for role in (Role.LOW, Role.HIGH, Role.MARGIN_OF_ERROR) if role in self.guesses.roles]
        found = {match[0] for role in roles if (match := _LEVEL.search(self._header(self.guesses.roles[role])))}
        if len(found) == 1 and (level := float(found.pop())) != 95.0:
            yield f"confidence_percent = {level:g}  # likely: the names say so"
        elif not found and Role.MARGIN_OF_ERROR in roles:
            yield "# confidence_percent = 90  # the level of the margin of error; 95 where it isn't stated"

    def _wide(self) -> Iterator[str]:
        if self.guesses.year_headers:
            yield f"years = {_quoted(years_pattern(self.guesses))}  # years are columns: each becomes a row"

    def _names(self) -> Iterator[str]:
        location = self.guesses.fact(Role.LOCATION)
        known = self.guesses.known.profile.nation if self.guesses.known else ()
        nations = [text for text in (location.texts if location else ()) if normal(text) in {*NATIONS, *known}]
        yield f"{'' if nations else '# '}nation = {_quoted(nations or ['United States'])}"
        yield self._overall()
        marks = self._marks()
        bound = next(
            (f"; {printable_toml(repr(mark))} says a bound and no figure" for mark in marks if is_bound(mark)), ""
        )
        yield f"{'' if marks else '# '}missing = {_quoted(marks or ['NA'])}  # what stands for an empty field{bound}"
        unread = self._unread()
        if unread:
            yield f"# no numbers: {_quoted(unread)}; a footnote mark after the number? Take it out of the table"

    def _overall(self) -> str:
        guesses = self.guesses
        places = [*guesses.strata, *([guesses.roles[Role.STRATUM]] if Role.STRATUM in guesses.roles else [])]
        texts = dict.fromkeys(text for place in places for text in guesses.facts[place].texts)
        known = guesses.known.profile.overall if guesses.known else ()
        found = [text for text in texts if normal(text) in {*EVERYBODY, *known}]
        if found:
            return f"overall = {_quoted(found)}"
        example = list(texts)[:3] or ["All adults"]
        none = f"  # nobody of {_quoted(example)} seems to be everybody" if texts else ""
        return f'# overall = ["All adults"]{none}'

    def _marks(self) -> list[str]:
        stated = self.guesses.known.profile.missing if self.guesses.known else ()
        return sorted({*stated, *(mark for mark in self._odd_marks() if is_missing_mark(mark))})

    def _unread(self) -> list[str]:
        return sorted(set(self._odd_marks()) - set(self._marks()))[:10]

    def _odd_marks(self) -> list[str]:
        columns = [self.guesses.fact(role) for role in FIGURE_ROLES]
        return [mark for column in columns if column for mark in column.marks]

    def _directions(self) -> Iterator[str]:
        column = self.guesses.fact(Role.QUESTION)
        if column is None or self.guesses.parts.get(Role.QUESTION):
            return
        for text in column.texts[:50]:
            known = known_question(text)
            if known is None or known.direction is None:
                yield f'# {_quoted(text)} = "lower_is_better"'

    def _file(self) -> Iterator[str]:
        stated = self.shape.form
        if stated.delimiter != ",":
            yield f"delimiter = {_quoted(stated.delimiter)}"
        if stated.encoding:
            yield f"encoding = {_quoted(stated.encoding)}  # perhaps: the file is not UTF-8"
        if stated.skip:
            yield f"skip = {stated.skip}  # lines above the header"
        form = self.form
        if isinstance(form, UndecidedNumbersError):
            yield f"# {printable_toml(str(form))}"
        elif form != PLAIN:
            yield f"decimal = {_quoted(form.decimal)}"
            if form.thousands:
                yield f"thousands = {_quoted(form.thousands[0])}"
        year = self.guesses.fact(Role.YEAR)
        if year and year.spans:
            yield f'year = "first"  # of a span such as {printable_toml(year.spans[0])}: its "first" or "last" year'

    def _header(self, place: int) -> str:
        return self.guesses.facts[place].header.strip()


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(value: str | Collection[str]) -> str:
    """Return a TOML string, or a list of some: the escapes that JSON needs are TOML's, too."""
    return printable_toml(json.dumps(value, ensure_ascii=False))
