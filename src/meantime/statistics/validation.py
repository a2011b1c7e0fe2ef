"""From what a client sent to canonical arguments: each value checked against its parameter and the cube.

The same request always gives the same arguments, whatever its spelling (order of lists, id or text of a question,
a range or a list of years, defaults left out or written out), so that they can serve as the key of a cache.
Nothing is computed here, and nothing here depends on more than one parameter: that is each statistic's ``settle``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from meantime.errors import InvalidParameterError
from meantime.statistics.parameters import MAXIMUM_YEAR, Parameter, ParameterKind
from meantime.statistics.refusals import refuse_name, refuse_type, shown
from meantime.survey.cube.survey_cube import SurveyCube


def check_value(parameter: Parameter, value: object, cube: SurveyCube) -> object:
    """Return the canonical form of one parameter's value.

    Raises
    ------
    InvalidParameterError
        The value has the wrong type, is out of bounds, or names something that the cube doesn't hold.
    """
    return _CHECKS[parameter.kind](parameter, value, cube)


def _text(parameter: Parameter, value: object, what: str) -> str:
    if not isinstance(value, str):
        raise refuse_type(parameter, value, f"a text that names a {what}")
    return value


def _question(parameter: Parameter, value: object, cube: SurveyCube) -> str:
    text = _text(parameter, value, "question")
    index = cube.question_index.get(text)
    if index is None:
        raise _unknown_question(parameter, text, cube)
    return cube.questions[index].text


def _question_text(parameter: Parameter, value: object, cube: SurveyCube) -> str:
    text = _text(parameter, value, "question")
    index = cube.question_index.get(text)
    if index is None or cube.questions[index].text != text:
        raise _unknown_question(parameter, text, cube)
    return text


def _unknown_question(parameter: Parameter, text: str, cube: SurveyCube) -> InvalidParameterError:
    return refuse_name(
        text,
        (question.text for question in cube.questions),
        field=parameter.name,
        what="question of this dataset",
        aliases={question.question_id: question.text for question in cube.questions if question.question_id},
    )


def _location(parameter: Parameter, value: object, cube: SurveyCube) -> str:
    name = _text(parameter, value, "location")
    if name not in cube.location_index:
        aliases = {place.abbreviation: place.name for place in cube.locations if place.abbreviation}
        raise refuse_name(name, cube.location_index, field=parameter.name, what="location", aliases=aliases)
    return name


def _category(parameter: Parameter, value: object, cube: SurveyCube) -> str:
    return _member(parameter, value, "category", {segment.category for segment in cube.segments})


def _stratum(parameter: Parameter, value: object, cube: SurveyCube) -> str:
    return _member(parameter, value, "stratum", {segment.stratum for segment in cube.segments})


def _member(parameter: Parameter, value: object, what: str, names: set[str]) -> str:
    name = _text(parameter, value, what)
    if not name or name not in names:
        raise refuse_name(name, sorted(names - {""}), field=parameter.name, what=what)
    return name


def _year(parameter: Parameter, value: object, cube: SurveyCube) -> int:
    year = _whole(parameter, value)
    if year not in cube.years:
        raise InvalidParameterError(
            f"{parameter.name}: the data has no year {shown(year)}; it has {', '.join(map(str, cube.years))}",
            field=parameter.name,
            accepted=[str(known) for known in cube.years],
        )
    return year


def _years(parameter: Parameter, value: object, cube: SurveyCube) -> list[int]:
    if not isinstance(value, Mapping):
        return sorted({_year(parameter, item, cube) for item in _items(parameter, value)})
    unknown = sorted(set(value) - {"from", "to"})
    if unknown or not value:
        raise refuse_type(parameter, dict(value), 'a list of years or a range such as {"from": 2015, "to": 2020}')
    first = _whole(parameter, value.get("from", 0))
    last = _whole(parameter, value.get("to", MAXIMUM_YEAR))
    years = [year for year in cube.years if first <= year <= last]
    if not years:
        raise InvalidParameterError(
            f"{parameter.name}: the data has no year from {shown(first)} to {shown(last)};"
            f" it has {', '.join(map(str, cube.years))}",
            field=parameter.name,
            accepted=[str(known) for known in cube.years],
        )
    return years


def _items(parameter: Parameter, value: object) -> Sequence[object]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise refuse_type(parameter, value, "a list")
    if not parameter.minimum_items <= len(value) <= parameter.maximum_items:
        raise InvalidParameterError(
            f"{parameter.name}: {len(value)} items; give {parameter.minimum_items} to {parameter.maximum_items}",
            field=parameter.name,
        )
    return value


def _list_of(check: Callable[[Parameter, object, SurveyCube], str]) -> Callable[..., object]:
    def check_list(parameter: Parameter, value: object, cube: SurveyCube) -> list[str]:
        return sorted({check(parameter, item, cube) for item in _items(parameter, value)})

    return check_list


def _choice(parameter: Parameter, value: object, _: SurveyCube) -> str:
    text = _text(parameter, value, "choice")
    if text not in parameter.choices:
        raise refuse_name(text, parameter.choices, field=parameter.name, what="accepted value")
    return text


def _choices(parameter: Parameter, value: object, cube: SurveyCube) -> list[str]:
    chosen = {_choice(parameter, item, cube) for item in _items(parameter, value)}
    return [choice for choice in parameter.choices if choice in chosen]


def _boolean(parameter: Parameter, value: object, _: SurveyCube) -> bool:
    if not isinstance(value, bool):
        raise refuse_type(parameter, value, "true or false")
    return value


def _whole(parameter: Parameter, value: object) -> int:
    """Return an integer; 5.0 is one (as in JSON Schema), true is not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise refuse_type(parameter, value, "a whole number")
    return int(value)


def _integer(parameter: Parameter, value: object, _: SurveyCube) -> int:
    number = _whole(parameter, value)
    _check_bounds(parameter, number)
    return number


def _number(parameter: Parameter, value: object, _: SurveyCube) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise refuse_type(parameter, value, "a finite number")
    _check_bounds(parameter, value)
    return float(value) + 0.0  # -0.0 is 0.0


def _numbers(parameter: Parameter, value: object, cube: SurveyCube) -> list[float]:
    return sorted({_number(parameter, item, cube) for item in _items(parameter, value)})


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def _check_bounds(parameter: Parameter, value: float) -> None:
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"{'' if low is None else f'at least {low:g}'}{'' if low is None or high is None else ' and '}"
        bounds += "" if high is None else f"at most {high:g}"
        raise InvalidParameterError(
            f"{parameter.name}: {shown(value)} is out of bounds; give {bounds}", field=parameter.name
        )


def _population(parameter: Parameter, value: object, cube: SurveyCube) -> list[dict[str, object]]:
    table: dict[tuple[str, int], float] = {}
    for row in _items(parameter, value):
        if not isinstance(row, Mapping) or set(row) != {"location", "year", "population"}:
            raise refuse_type(
                parameter, row, 'a row such as {"location": "Ohio", "year": 2023, "population": 11785935}'
            )
        key = _location(parameter, row["location"], cube), _whole(parameter, row["year"])
        if key in table:
            raise InvalidParameterError(
                f"{parameter.name}: {key[0]} {key[1]} is given twice; give each location and year once",
                field=parameter.name,
            )
        people = _number(parameter, row["population"], cube)
        if not 0 < people <= 1e12:
            raise refuse_type(parameter, people, "a number of people above 0")
        table[key] = people
    return [
        {"location": location, "year": year, "population": people} for (location, year), people in sorted(table.items())
    ]


_CHECKS: dict[ParameterKind, Callable[[Parameter, object, SurveyCube], object]] = {
    ParameterKind.QUESTION: _question,
    ParameterKind.QUESTION_TEXT: _question_text,
    ParameterKind.LOCATION: _location,
    ParameterKind.LOCATIONS: _list_of(_location),
    ParameterKind.YEAR: _year,
    ParameterKind.YEARS: _years,
    ParameterKind.CATEGORY: _category,
    ParameterKind.CATEGORIES: _list_of(_category),
    ParameterKind.STRATUM: _stratum,
    ParameterKind.STRATA: _list_of(_stratum),
    ParameterKind.CHOICE: _choice,
    ParameterKind.CHOICES: _choices,
    ParameterKind.BOOLEAN: _boolean,
    ParameterKind.INTEGER: _integer,
    ParameterKind.NUMBER: _number,
    ParameterKind.NUMBERS: _numbers,
    ParameterKind.POPULATION: _population,
}
