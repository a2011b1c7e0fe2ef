"""A mapping file proposed for an unknown table: which column seems to play which role, and how sure that is.

A person reads and corrects it; nothing is ever served by a guess that nobody has seen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from meantime.fields.refusals import printable_toml
from meantime.survey.questions import PERCENT, PROPORTION, SCALES
from meantime.survey.reading.columns import ALIASES, NUMBER_ROLES, REQUIRED_ROLES, Role, folded
from meantime.survey.reading.profile import Profile, known_question, normal
from meantime.survey.reading.sources import stem
from meantime.survey.reading.table_samples import TableSample

SYNONYMS: dict[Role, tuple[str, ...]] = {
    # role: what its column is called in other tables, as `folded` gives it; the more telling ones first
    Role.QUESTION: ("question", "indicator", "measure", "outcome", "variable", "topic"),
    Role.QUESTION_ID: ("questionid", "indicatorid", "measureid", "questioncode", "indicatorcode"),
    Role.UNIT: ("unit", "units", "unitofmeasure", "datavalueunit"),
    Role.VALUE_TYPE: ("valuetype", "datavaluetype", "estimatetype"),
    Role.YEAR: ("year", "yr", "surveyyear", "refyear", "timeperiod", "period", "time"),
    Role.LOCATION: (
        "location", "locationname", "locationdesc", "state", "statename", "region", "area", "areaname", "geography",
        "country", "county", "jurisdiction", "place",
    ),
    Role.ABBREVIATION: ("abbreviation", "abbr", "stateabbr", "stateabbreviation", "locationabbr", "postalcode"),
    Role.FIPS: ("fips", "fipscode", "statefips", "locationid", "geoid"),
    Role.CATEGORY: (
        "category", "stratificationcategory", "breakoutcategory", "grouptype", "dimension", "groupcategory",
    ),
    Role.STRATUM: ("stratum", "stratification", "breakout", "subgroup", "group", "demographic", "population"),
    Role.VALUE: (
        "value", "estimate", "prevalence", "percent", "percentage", "pct", "rate", "proportion", "obsvalue", "mean",
    ),
    Role.LOW: (
        "low", "lower", "lowci", "lowerci", "cilow", "cilower", "lcl", "lowerlimit", "confidencelimitlow", "lo",
        "lower95ci", "lowerbound", "lb",
    ),
    Role.HIGH: (
        "high", "upper", "highci", "upperci", "cihigh", "ciupper", "ucl", "upperlimit", "confidencelimithigh", "hi",
        "upper95ci", "upperbound", "ub",
    ),
    Role.STANDARD_ERROR: ("standarderror", "stderr", "stderror", "se"),
    Role.MARGIN_OF_ERROR: ("marginoferror", "moe"),
    Role.SAMPLE_SIZE: ("samplesize", "n", "sample", "respondents", "denominator", "unweightedn", "samplen", "size"),
    Role.FOOTNOTE: ("footnote", "note", "notes", "footnotetext", "datavaluefootnote"),
    Role.FOOTNOTE_SYMBOL: ("footnotesymbol", "symbol", "flag", "datavaluefootnotesymbol"),
}  # fmt: skip

_SURE, _LIKELY, _UNSURE = "sure: the name says so", "likely: the name contains it", "unsure: only its content fits"
_NATIONS = ("national", "united states", "us", "usa", "u.s.", "nation", "all states", "overall")
_EVERYBODY = ("total", "overall", "all", "everyone", "all adults", "both", "both sexes", "all persons")
_PERCENT_WORDS = ("percent", "pct", "prevalence", "%")
_MISSING = (".", "-", "--", "*", "~", "na", "n/a", "nan", "null", "none", "nr", "suppressed", "missing")


@dataclass(frozen=True, slots=True)
class Guess:
    """One column that seems to play a role."""

    role: Role
    position: int
    confidence: str


def guess_columns(sample: TableSample) -> dict[Role, Guess]:
    """Guess the role of each column: by its name, else by what it holds; a column plays one role at most."""
    found: dict[Role, Guess] = {}
    taken: set[int] = set()
    for fits, confidence in ((_named, _SURE), (_partly_named, _LIKELY), (_looking_like, _UNSURE)):
        for role in Role:
            free = [place for place in range(len(sample.header)) if place not in taken]
            place = None if role in found else fits(role, free, sample)
            if place is not None:
                found[role] = Guess(role, place, confidence)
                taken.add(place)
    return found


def propose_mapping(source: Path, sample: TableSample) -> str:
    """Return a mapping file for a table, with comments that say what was guessed and what is left to state."""
    guesses = guess_columns(sample)
    lines = [f"# How to read {source.name}; proposed by `meantime inspect`. Check each line, then: --mapping THIS_FILE"]
    lines += ["", "[columns]", *(_column_line(role, guesses, sample) for role in Role)]
    lines += [
        "",
        "[fixed]  # for what has no column: one text that holds for every row",
        *_fixed_lines(source, guesses, sample),
    ]
    lines += ["", "[names]", *_name_lines(guesses, sample)]
    lines += ["", '[directions]  # which end is better: "lower_is_better" or "higher_is_better"']
    lines += _direction_lines(guesses, sample)
    lines += ["", "[source]", *(f'# {claim} = ""' for claim in ("publisher", "title", "dataset_id", "url", "licence"))]
    if sample.delimiter not in {"", ","}:
        lines += ["", "[file]", f"delimiter = {_quoted(sample.delimiter)}"]
    return "\n".join(lines) + "\n"


def _named(role: Role, free: list[int], sample: TableSample) -> int | None:
    names = {folded(sample.header[place]): place for place in reversed(free)}
    wanted = (name for name in (*ALIASES[role], *SYNONYMS[role]) if name in names)
    return next((names[name] for name in wanted if _can_hold(role, sample, names[name])), None)


def _partly_named(role: Role, free: list[int], sample: TableSample) -> int | None:
    for name in SYNONYMS[role]:
        for place in free:
            if len(name) > 2 and name in folded(sample.header[place]) and _can_hold(role, sample, place):
                return place
    return None


def _looking_like(role: Role, free: list[int], sample: TableSample) -> int | None:
    """Find a column by content alone, for the roles that a table can't do without."""
    for place in free:
        texts = sample.column(place)
        if role is Role.YEAR and texts and all(text.isdecimal() and 1900 <= int(text) <= 2100 for text in texts):
            return place
        if role is Role.VALUE and texts and _numbers(texts) and any("." in text for text in texts):
            return place
        if role is Role.LOCATION and any(normal(text) in _STATES for text in texts):
            return place
    return None


def _can_hold(role: Role, sample: TableSample, place: int) -> bool:
    return role not in NUMBER_ROLES or _numbers(sample.column(place))


def _numbers(texts: list[str]) -> bool:
    """Whether nearly all texts are numbers, apart from those that often stand for a missing one."""
    stated = [text for text in texts if text.casefold() not in _MISSING]
    return sum(_is_number(text) for text in stated) >= 0.9 * len(stated)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _column_line(role: Role, guesses: dict[Role, Guess], sample: TableSample) -> str:
    guess = guesses.get(role)
    if guess is None:
        need = "needed: name its column, or fix it below" if role in REQUIRED_ROLES else "not found; may be left out"
        return f'# {role} = ""  # {need}'
    return f"{role} = {_quoted(sample.header[guess.position].strip())}  # {guess.confidence}"


def _fixed_lines(source: Path, guesses: dict[Role, Guess], sample: TableSample) -> Iterable[str]:
    if Role.QUESTION not in guesses:
        yield f"question = {_quoted(stem(source))}  # unsure: the file's name; say what the values are"
    if Role.UNIT not in guesses:
        yield _unit_line(guesses, sample)
    if (Role.CATEGORY in guesses) != (Role.STRATUM in guesses):
        lost = Role.STRATUM if Role.CATEGORY in guesses else Role.CATEGORY
        yield f'{lost} = "Group"  # the table has no column for it; say what its groups are'


def _unit_line(guesses: dict[Role, Guess], sample: TableSample) -> str:
    """Return what the unit seems to be, by the values and by the name of their column."""
    guess = guesses.get(Role.VALUE)
    texts = sample.column(guess.position) if guess else []
    values = [float(text) for text in texts if _is_number(text)]
    name = folded(sample.header[guess.position]) if guess else ""
    are_within = {top: bool(values) and all(0.0 <= value <= top for value in values) for top in SCALES.values()}
    if are_within[SCALES[PROPORTION]] and not all(value.is_integer() for value in values):
        return f'unit = "{PROPORTION}"  # likely: every value is between 0 and 1'
    if are_within[SCALES[PERCENT]] and any(value > 1.0 for value in values):
        is_named = any(word in name for word in _PERCENT_WORDS)
        reason = "likely: the name says so, and" if is_named else "perhaps:"
        return f'{"" if is_named else "# "}unit = "{PERCENT}"  # {reason} every value is between 0 and 100'
    return '# unit = ""  # what one value is, such as "days" or "per 100,000"'


def _name_lines(guesses: dict[Role, Guess], sample: TableSample) -> Iterable[str]:
    for key, role, known in (("nation", Role.LOCATION, _NATIONS), ("overall", Role.STRATUM, _EVERYBODY)):
        texts = dict.fromkeys(sample.column(guesses[role].position)) if role in guesses else {}
        found = [text for text in texts if normal(text) in known]
        prefix = "" if found else "# "
        yield f"{prefix}{key} = {_quoted(found)}"
    yield '# territories = ["Guam", "Puerto Rico"]'
    yield f"{_missing_line(guesses, sample)}  # what stands for an empty field"


def _missing_line(guesses: dict[Role, Guess], sample: TableSample) -> str:
    places = [guesses[role].position for role in NUMBER_ROLES if role in guesses]
    texts = {text for place in places for text in sample.column(place) if not _is_number(text)}
    return f"missing = {_quoted(sorted(texts))}" if texts else '# missing = ["NA"]'


def _direction_lines(guesses: dict[Role, Guess], sample: TableSample) -> Iterable[str]:
    if Role.QUESTION not in guesses:
        return
    for text in list(dict.fromkeys(sample.column(guesses[Role.QUESTION].position)))[:50]:
        known = known_question(text)
        if known is None or known.direction is None:
            yield f'# {_quoted(text)} = "lower_is_better"'


def _quoted(value: str | Collection[str]) -> str:
    """Return a TOML string, or a list of some: the escapes that JSON needs are TOML's, too."""
    return printable_toml(json.dumps(value, ensure_ascii=False))


_STATES = frozenset({"alabama", "alaska", "california", "texas", "new york", "ohio", *Profile().territories})
"""Enough names to recognise a column of US states by what it holds."""
