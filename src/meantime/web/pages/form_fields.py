"""A statistic's parameters as the fields of a form: the catalogue says what is asked, a dataset what can be chosen.

A new parameter has its field here by its kind. What a question has no values for can't be chosen with it. Nothing is
checked but by the kinds themselves, and no HTML is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from meantime.errors import FieldError
from meantime.fields.fields import Field
from meantime.fields.kinds import Boolean, Choice, Kind, ListOf, Number, WholeNumber
from meantime.statistics.kinds import Name, PlaceName, QuestionName, WordOrName, Year, Years
from meantime.statistics.statistic import Statistic
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import LocationKind

ASKED_OFTEN = frozenset({"by", "k", "end", "goal", "of"})
"""Parameters that stand open in a form, besides those that are required or name something in the data."""

MANY = 16
"""A longer list of boxes is folded up."""

SHORT = 40
"""So many characters of a default can stand in a select."""

_UNBOUNDED = 1e6
_NONE = "[]"  # how an empty list is written where it isn't the default
_KIND_NAMES = {LocationKind.STATE: "States", LocationKind.TERRITORY: "Territories", LocationKind.NATION: "Nation"}
_CATEGORY, _STRATUM = "CategoryName", "StratumName"

_CHOSEN_BY_SIGHT = (Year, Years, QuestionName, PlaceName)
"""Kinds whose summaries say how they are written, which nobody has to know who sees what there is."""

Texts = Mapping[str, Sequence[str]]
"""What a query string gives: the texts of each name, in their order."""


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be chosen: ``value`` is what stands in an address."""

    value: str
    label: str
    group: str = ""
    is_chosen: bool = False
    is_possible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field of a form.

    ``widget`` is one of select, boxes, switch, number, text, json. ``text`` is what was typed in; ``kept`` are the
    values that were understood, of whatever widget; ``is_understood`` is whether that is all. ``default`` says what an
    empty field means.
    """

    name: str
    widget: str
    summary: str
    default: str
    options: Sequence[Option] = ()
    text: str = ""
    kept: Sequence[str] = ()
    is_understood: bool = True
    is_required: bool = False
    is_advanced: bool = False
    redraws: bool = False
    minimum: float | None = None
    maximum: float | None = None
    step: str = "any"

    @property
    def label(self) -> str:
        """What it is called on the page."""
        return self.name.replace("_", " ").capitalize()

    @property
    def told_default(self) -> str:
        """The default in words, where it isn't the first of what can be chosen already."""
        return "" if self.widget == "select" and len(self.default) <= SHORT else self.default

    @property
    def is_list(self) -> bool:
        """Whether several values can be given."""
        return self.widget == "boxes"

    @property
    def is_long(self) -> bool:
        """Whether there is much to choose from."""
        return len(self.options) > MANY

    @property
    def groups(self) -> Mapping[str, Sequence[Option]]:
        """The options by their group, in order."""
        found: dict[str, list[Option]] = {}
        for option in self.options:
            found.setdefault(option.group, []).append(option)
        return found


@dataclass(frozen=True, slots=True)
class _Held:
    """What there are values of: of the questions that were chosen, or of any."""

    years: frozenset[int]
    locations: frozenset[str]
    segments: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, cube: SurveyCube, questions: Sequence[str]) -> _Held:
        cells = cube.cells
        has_value = cells.value_count > 0
        if questions:
            has_value &= np.isin(cells.question, [cube.question_index[each] for each in questions])
        segments = [cube.segments[place] for place in np.unique(cells.segment[has_value])]
        return cls(
            frozenset(np.unique(cells.year[has_value]).tolist()),
            frozenset(cube.locations[place].name for place in np.unique(cells.location[has_value])),
            frozenset((each.category, each.stratum) for each in segments if not each.is_blank),
        )


def form_fields(statistic: type[Statistic], cube: SurveyCube, texts: Texts) -> list[FormField]:
    """Return the fields of a statistic's form, filled in with what a query string gives as far as it is understood.

    Parameters
    ----------
    statistic
        What is asked for.
    cube
        What is asked.
    texts
        The query; names that are no parameters are passed over.
    """
    asked = [
        question
        for each in statistic.parameters()
        if isinstance(_item(each.kind), QuestionName)
        for question in _understood(each.kind, texts.get(each.name, ()), cube)
    ]
    held = _Held.of(cube, [str(question) for question in asked])
    return [_form_field(each, cube, texts.get(each.name, ()), held) for each in statistic.parameters()]


def _form_field(field: Field, cube: SurveyCube, texts: Sequence[str], held: _Held) -> FormField:
    kind, item = field.kind, _item(field.kind)
    canonical = _understood(kind, texts, cube)
    kept = [_written(item, each, cube) for each in canonical]
    options = [replace(each, is_chosen=each.value in kept) for each in _options(item, cube, held)]
    if options and isinstance(kind, ListOf) and kind.minimum == 0 and field.default:
        options.append(Option(_NONE, "none of these", is_chosen=list(texts) == [_NONE]))
    widget = _widget(kind, has_options=bool(options))
    number = kind if isinstance(kind, Number | WholeNumber) else None
    names_data = isinstance(item, Name | Year | Years | WordOrName)
    return FormField(
        name=field.name,
        widget=widget,
        summary="" if isinstance(item, _CHOSEN_BY_SIGHT) else field.summary,
        default=_default(field),
        options=options,
        text=", ".join(texts) if widget in ("number", "text", "json") else "",
        kept=kept if options else texts,
        is_understood=not texts or list(texts) == [_NONE] or bool(_values(kind, texts, cube)),
        is_required=field.is_required,
        is_advanced=not (field.is_required or names_data or field.name in ASKED_OFTEN),
        redraws=isinstance(item, QuestionName),
        minimum=_bound(number.minimum) if number else None,
        maximum=_bound(number.maximum) if number else None,
        step="1" if isinstance(kind, WholeNumber) else "any",
    )


def _item(kind: Kind[object]) -> Kind[object]:
    return kind.item if isinstance(kind, ListOf) else kind


def _widget(kind: Kind[object], *, has_options: bool) -> str:
    """Return how a kind of value is asked for."""
    if has_options:
        return "boxes" if isinstance(kind, ListOf | Years) else "select"
    if isinstance(kind, Boolean):
        return "switch"
    if isinstance(kind, Number | WholeNumber):
        return "number"
    return "json" if "contentMediaType" in kind.query_schema() else "text"


def _bound(number: float | None) -> float | None:
    return None if number is None or abs(number) >= _UNBOUNDED else number


def _default(field: Field) -> str:
    """Return in words what an empty field means."""
    if field.is_required or isinstance(field.kind, Boolean):
        return ""
    if field.default_in_words:
        return field.default_in_words
    found = field.default
    return ", ".join(map(str, found)) if isinstance(found, tuple) else "" if found is None else str(found)


def _understood(kind: Kind[object], texts: Sequence[str], cube: SurveyCube) -> list[object]:
    """Return the values in texts that the kind reads; of a list each that it reads, whatever the others are."""
    if not isinstance(kind, ListOf | Years):
        return _values(kind, texts, cube) if texts else []
    if whole := _values(kind, texts, cube) if texts else []:
        return whole
    parts = (part for text in texts for part in (text.split(",") if not _values(kind, [text], cube) else [text]))
    return list(dict.fromkeys(value for part in parts for value in _values(kind, [part], cube)))


def _values(kind: Kind[object], texts: Sequence[str], cube: SurveyCube) -> list[object]:
    try:
        found = kind.read_texts(texts, cube)
    except FieldError:
        return []
    return list(found) if isinstance(found, tuple) else [found]


def _written(item: Kind[object], value: object, cube: SurveyCube) -> str:
    """Return the text of one value in an address."""
    return str(value) if isinstance(item, Years) or isinstance(value, int) else "".join(_texts(item, value, cube))


def _texts(item: Kind[object], value: object, cube: SurveyCube) -> Sequence[str]:
    return item.write_texts(value, cube) if isinstance(value, str | float | tuple) else []


def _options(item: Kind[object], cube: SurveyCube, held: _Held) -> Iterator[Option]:
    """Yield what can be chosen; nothing for a kind that isn't chosen from a list."""
    if isinstance(item, Year | Years):
        yield from (Option(str(year), str(year), is_possible=year in held.years) for year in cube.years)
    elif isinstance(item, QuestionName):
        for question in cube.questions:
            label = f"{question.question_id} · {question.text}" if question.question_id else question.text
            yield Option(_written(item, question.text, cube), label)
    elif isinstance(item, PlaceName):
        kinds = sorted({each.kind for each in cube.locations}, key=list(_KIND_NAMES).index)
        for kind in kinds:
            group = _KIND_NAMES[kind] if len(kinds) > 1 else ""
            for name in [each.name for each in cube.locations if each.kind is kind]:
                yield Option(name, name, group, is_possible=name in held.locations)
    elif isinstance(item, WordOrName):
        yield from (Option(word, word) for word in item.words)
        yield from _options(item.name, cube, held)
    elif isinstance(item, Name):
        yield from _segment_options(item.listed_as, cube, held)
    elif isinstance(item, Choice):
        yield from (Option(str(word), str(word).replace("_", " ")) for word in item.choices)


def _segment_options(listed_as: str, cube: SurveyCube, held: _Held) -> Iterator[Option]:
    """Yield categories, or strata by their category; on a scale they are in its order."""
    if listed_as == _CATEGORY:
        with_values = {category for category, _ in held.segments}
        for name in sorted({each.category for each in cube.segments if not each.is_blank}):
            yield Option(name, name, is_possible=name in with_values)
    elif listed_as == _STRATUM:
        last = len(cube.segments)
        segments = [each for each in cube.segments if not each.is_blank]
        segments.sort(key=lambda each: (each.category, last if each.order is None else each.order, each.stratum))
        for each in segments:
            is_possible = (each.category, each.stratum) in held.segments
            yield Option(each.stratum, each.stratum, each.category, is_possible=is_possible)
