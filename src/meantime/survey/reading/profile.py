"""How the values of a table are read: what the nation, territories and strata are called, which end is better.

One profile is built in, CDC's family of tables; a mapping file (``mapping.py``) changes parts of it.
The names of the columns are in ``columns.py``; nothing here opens a file.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from meantime.survey.adult_population import ADULTS
from meantime.survey.questions import PERCENT, PROPORTION, Break, Direction, Location, LocationKind, Question, Segment
from meantime.survey.reading.columns import Role
from meantime.survey.reading.known_breaks import ACTIVITIES_2023, METHOD_2011, PRODUCE_2017


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question that is known by its words: which end is better and which survey asks it.

    All ``words`` must be in the text. The publisher's id alone doesn't count: another survey may use it for something
    else, and a question that was turned round would keep it. Where no end is better, ``reason`` says why, and
    ``contract_direction`` is what the contract holds all the same. ``breaks`` are those of the question alone.
    """

    words: tuple[str, ...]
    direction: Direction | None
    survey: str
    contract_direction: Direction | None = None
    reason: str = ""
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class StatedBreak:
    """A break that a mapping states of questions, by their texts or ids; of all questions if it names none."""

    questions: tuple[str, ...]
    stated: Break

    def concerns(self, text: str, question_id: str) -> bool:
        """Whether a question is one of these."""
        return not self.questions or any(normal(name) in {normal(text), normal(question_id)} for name in self.questions)


@dataclass(frozen=True, slots=True)
class KnownSurvey:
    """Who publishes a survey that is known by its questions."""

    publisher: str
    title: str
    dataset_id: str
    url: str
    licence: str


BRFSS = "brfss"
WIC = "wic"
_LOWER, _HIGHER = Direction.LOWER_IS_BETTER, Direction.HIGHER_IS_BETTER

_OVERWEIGHT = (
    "no end is called better: who is obese doesn't count as overweight, so the share of overweight falls where obesity"
    " rises"
)

KNOWN_QUESTIONS = (
    KnownQuestion(("adults", "fruit less than one time daily"), _LOWER, BRFSS, breaks=(PRODUCE_2017,)),  # Q018
    KnownQuestion(("adults", "vegetables less than one time daily"), _LOWER, BRFSS, breaks=(PRODUCE_2017,)),  # Q019
    KnownQuestion(("adults", "have obesity"), _LOWER, BRFSS),  # Q036
    KnownQuestion(("adults", "overweight classification"), None, BRFSS, _LOWER, _OVERWEIGHT),  # Q037
    KnownQuestion(
        ("adults", "at least 150 minutes", "aerobic", "equivalent combination"),
        _HIGHER,
        BRFSS,
        breaks=(ACTIVITIES_2023,),
    ),  # Q043
    KnownQuestion(
        ("adults", "at least 150 minutes", "aerobic", "muscle-strengthening"), _HIGHER, BRFSS, breaks=(ACTIVITIES_2023,)
    ),  # Q044
    KnownQuestion(("adults", "at least 300 minutes", "aerobic"), _HIGHER, BRFSS, breaks=(ACTIVITIES_2023,)),  # Q045
    KnownQuestion(("adults", "muscle-strengthening", "2 or more days"), _HIGHER, BRFSS),  # Q046
    KnownQuestion(("adults", "no leisure-time physical activity"), _LOWER, BRFSS),  # Q047
    # Nobody has stated a direction for these: a mapping file can.
    KnownQuestion(("wic children", "overweight classification"), None, WIC),  # Q040
    KnownQuestion(("wic children", "have obesity"), None, WIC),  # Q041
    KnownQuestion(("wic children", "high weight-for-length"), None, WIC),  # Q060
)

SURVEY_BREAKS = {BRFSS: (METHOD_2011,)}
"""Breaks of all questions of a survey."""

SURVEY_PEOPLE = {BRFSS: ADULTS, WIC: "children in WIC"}
"""Of whom a survey asks."""

_PUBLISHER = "Centers for Disease Control and Prevention"
_LICENCE = "Public domain (work of the U.S. government)"
KNOWN_SURVEYS = {
    BRFSS: KnownSurvey(
        _PUBLISHER,
        "Nutrition, Physical Activity, and Obesity - Behavioral Risk Factor Surveillance System",
        "hn4x-zwk7",
        "https://data.cdc.gov/d/hn4x-zwk7",
        _LICENCE,
    ),
    WIC: KnownSurvey(
        _PUBLISHER, "Nutrition, Physical Activity, and Obesity - Women, Infant, and Child", "", "", _LICENCE
    ),
}

UNITS = {
    "%": PERCENT, "percent": PERCENT, "percentage": PERCENT, "percentages": PERCENT, "per cent": PERCENT, "pc": PERCENT,
    "proportion": PROPORTION, "proportions": PROPORTION, "fraction": PROPORTION,
}  # fmt: skip
"""What units with a known scale are called; others stay as they are written."""

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_SPREADSHEET_DATE = (
    rf"[0-9]{{1,2}}[-/. ]{_MONTH}|{_MONTH}[-/. ][0-9]{{1,2}}|[0-9]{{1,4}}([-/.])[0-9]{{1,2}}\1[0-9]{{1,4}}"
)

SPREADSHEET_DATES = {"5-mar": "3 - 5", "11-jun": "6 - 11", "17-dec": "12 - 17"}
"""Ranges of months that a spreadsheet had turned into dates before CDC published its WIC table."""

OVERALL = ("Overall", "Overall")
"""Category and stratum of everybody in a table with several strata columns."""

FIPS_LENGTHS = (2, 5, 11)
"""Digits of the codes of states, counties and census tracts; leading zeros may be lost."""


@dataclass(frozen=True, slots=True)
class FileForm:
    """How a file is written, as far as that is stated; empty texts and None are left to be recognised."""

    delimiter: str = ","
    decimal: str = ""
    thousands: str = ""
    encoding: str = ""
    skip: int | None = None  # lines above the header
    footer: int | None = None  # lines below the table
    year: str = ""  # which year of a span counts: "first" or "last"


@dataclass(frozen=True, slots=True)
class Profile:
    """How one table is read. Names are compared without case and repeated blanks.

    ``columns`` are the columns that a mapping names, or texts made of several; the others are found by alias.
    ``strata`` are the columns of a table with several strata columns. Only rows with the texts of ``keep`` (header to
    texts) are read. ``pool`` allows several rows in one cell. ``confidence_percent`` is the level of the limits.
    ``wide_years`` is the pattern of the headers that are years.
    ``missing`` are texts that stand for an empty cell. ``known_unit`` is the unit of known questions whose row names
    none; others have none then. ``strata_order`` gives the strata of a category from its lowest end. ``directions``
    come before ``KNOWN_QUESTIONS``; their keys are ids or texts. ``breaks`` come besides those of ``KNOWN_QUESTIONS``,
    or in place of one in the same year. ``layout`` is the name of the known layout that this
    was completed with (``layouts.py``).
    """

    nation: tuple[str, ...] = ("national", "united states", "us")
    territories: tuple[str, ...] = (
        "american samoa", "guam", "northern mariana islands", "puerto rico", "virgin islands", "u.s. virgin islands",
    )  # fmt: skip
    overall: tuple[str, ...] = (
        "total", "overall", "all", "all persons", "all people", "all adults", "all ages", "all sexes", "all genders",
        "all races", "both", "both sexes", "both genders", "everyone", "everybody", "persons", "total population",
    )  # fmt: skip
    strata_order: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "age (years)": ("18 - 24", "25 - 34", "35 - 44", "45 - 54", "55 - 64", "65 or older"),
            "age (months)": ("3 - 5", "6 - 11", "12 - 17", "18 - 23", "24 - 35", "36 - 47", "48 - 59"),
            "education": (
                "less than high school", "high school graduate", "some college or technical school", "college graduate",
            ),
            "income": (
                "less than $15,000", "$15,000 - $24,999", "$25,000 - $34,999",
                "$35,000 - $49,999", "$50,000 - $74,999", "$75,000 or greater",
            ),
        }
    )  # fmt: skip
    directions: Mapping[str, Direction] = field(default_factory=dict)
    breaks: tuple[StatedBreak, ...] = ()
    known_unit: str = PERCENT
    missing: tuple[str, ...] = ()
    columns: Mapping[Role, str] = field(default_factory=dict)
    strata: tuple[str, ...] = ()
    fixed: Mapping[Role, str] = field(default_factory=dict)
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pool: bool = False
    confidence_percent: float = 95.0
    file: FileForm = FileForm()
    wide_years: str = ""
    layout: str = ""

    @property
    def key(self) -> str:
        """A checksum of everything that changes how a table is read (hex)."""
        breaks = {survey: [asdict(each) for each in found] for survey, found in SURVEY_BREAKS.items()}
        tables = (asdict(self), [asdict(known) for known in KNOWN_QUESTIONS], breaks, SURVEY_PEOPLE, UNITS)
        return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()

    def question(self, text: str, question_id: str, unit: str) -> Question:
        """Return a question with its direction (None when no end is called better) and unit."""
        stated = {normal(name): direction for name, direction in self.directions.items()}
        known = known_question(text)
        direction = stated.get(normal(text)) or stated.get(normal(question_id))
        stated_unit = unit or (self.known_unit if known else "")
        stated_unit = UNITS.get(normal(stated_unit), stated_unit)
        of_known = (*SURVEY_BREAKS.get(known.survey, ()), *known.breaks) if known else ()
        of_mapping = (each.stated for each in self.breaks if each.concerns(text, question_id))
        by_year = {each.year: each for each in (*of_known, *of_mapping)}
        breaks = tuple(by_year[year] for year in sorted(by_year))
        people = SURVEY_PEOPLE.get(known.survey, "") if known else ""
        if known is None or direction is not None:
            return Question(question_id, text, direction, stated_unit, breaks=breaks, people=people)
        own = (known.contract_direction, known.reason, breaks, people)
        return Question(question_id, text, known.direction, stated_unit, *own)

    def location(self, name: str, abbreviation: str, fips: str) -> Location:
        """Return a location with its kind and its FIPS code; the nation has none."""
        if normal(name) in self.nation:
            return Location(name, abbreviation, "", LocationKind.NATION)
        kind = LocationKind.TERRITORY if normal(name) in self.territories else LocationKind.STATE
        return Location(name, abbreviation, fips_code(fips), kind)

    def segment(self, category: str, stratum: str) -> Segment:
        """Return a segment with its place on the category's scale."""
        scale = self.strata_order.get(normal(category), ())
        name = normal(stratum)
        respelled = SPREADSHEET_DATES.get(name, name)
        is_overall = name in self.overall or (category, stratum) == OVERALL
        return Segment(category, stratum, scale.index(respelled) if respelled in scale else None, is_overall)


def normal(name: str) -> str:
    """Return a name as names are compared: without case, repeated blanks and Unicode's other forms of a letter.

    >>> normal("North\u00a0 Dakota") == normal("north dakota")
    True
    """
    if name.isascii():
        return " ".join(name.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())


def is_spreadsheet_date(stratum: str) -> bool:
    """Whether a stratum looks like a range that a spreadsheet turned into a date: 5-Mar, Oct-14, 9/5/2019.

    >>> [is_spreadsheet_date(text) for text in ("5-Sep", "Oct-14", "2019-09-05", "18 - 24", "May")]
    [True, True, True, False, False]
    """
    return re.fullmatch(_SPREADSHEET_DATE, normal(stratum)) is not None


def fips_code(text: str) -> str:
    """Return a FIPS code in its full length: 2 digits of a state, 5 of a county, 11 of a tract; empty where it's none.

    >>> fips_code("1"), fips_code("1129.0"), fips_code("01001020100"), fips_code("PRT")
    ('01', '01129', '01001020100', '')
    """
    found = re.fullmatch(r"([0-9]+)(\.0+)?", text)
    length = next((length for length in FIPS_LENGTHS if found and len(found[1]) <= length), 0)
    return found[1].zfill(length) if found and length and len(found[1]) not in {6, 7, 8, 9} else ""


def known_question(text: str) -> KnownQuestion | None:
    """Return what is known of a question: the row of the table that has most of its words, or None."""
    compared = normal(text)
    if "not" in compared.split():
        return None  # whoever asks how many do not have obesity turns the direction round
    found = [known for known in KNOWN_QUESTIONS if all(word in compared for word in known.words)]
    return max(found, key=lambda known: len(known.words), default=None)


def known_survey(questions: tuple[Question, ...]) -> KnownSurvey | None:
    """Return the survey that asks all of these questions, when it is known."""
    surveys = {known.survey if (known := known_question(question.text)) else "" for question in questions}
    return KNOWN_SURVEYS.get(surveys.pop()) if len(surveys) == 1 else None
