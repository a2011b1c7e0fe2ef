"""What a reader must know of a profile as a whole; what is said of one question is up to its own statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meantime.statistics.estimation.absences import Absence
from meantime.statistics.estimation.cautions import listed
from meantime.statistics.measures.profiles.records import Part
from meantime.statistics.result import Record
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import LocationKind, Question


def labelled(question: Question) -> str:
    """Return how cautions call a question."""
    return question.question_id or question.text


def cautions_of_profile(cube: SurveyCube, place: str, against: str | None, records: Sequence[Record]) -> list[str]:
    """Return what holds for a whole profile: what it is compared and ranked with, its years, and what is missing."""
    labels = {each.text: labelled(each) for each in cube.questions}
    return [
        *_of_place(place, cube.locations[cube.location_index[place]].kind, against),
        *_of_years(records, labels),
        *_of_lacking_parts(records, labels),
        *_of_breaks(records, labels),
        *_of_strata(records),
        *_of_absences(place, records),
    ]


def cautions_of_questions(said: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """Return what single statistics caution of, each with the questions that it is about unless these are all."""
    return [caution if len(labels) == count else f"{listed(labels)}: {caution}" for caution, labels in said.items()]


def _of_place(place: str, kind: LocationKind, against: str | None) -> list[str]:
    found = []
    if against is None:
        why = "the place is the nation" if kind is LocationKind.NATION else "the dataset has no nation"
        found.append(f"compared with nothing, because {why}; name a location in `against`")
    if kind is LocationKind.STATE:
        found.append("the rank intervals of all states hold together, but question by question")
    else:
        found.append(f"without a rank: only states are ranked, and {place} is none")
    return found


def _of_years(records: Sequence[Record], labels: Mapping[str, str]) -> list[str]:
    by_year: dict[object, list[str]] = {}
    for record in records:
        if record["part"] == Part.NOW:
            by_year.setdefault(record["year"], []).append(labels[str(record["question"])])
    if len(by_year) < 2:
        return []
    years = "; ".join(f"{year} {listed(those)}" for year, those in sorted(by_year.items(), key=str))
    return [f"not all questions are of one year: {years}"]


def _of_lacking_parts(records: Sequence[Record], labels: Mapping[str, str]) -> list[str]:
    found = []
    asked = [str(record["question"]) for record in records if record["part"] == Part.NOW]
    for part, reason in (
        (Part.TREND, "no two years on one side of a known break have a value and a standard error"),
        (Part.DISPARITY, "no two strata of a category have a value"),
    ):
        those = {record["question"] for record in records if record["part"] == part}
        lacking = [labels[text] for text in asked if text not in those]
        if lacking:
            found.append(f"without a {part}, because {reason}: {listed(lacking)}")
    return found


def _of_breaks(records: Sequence[Record], labels: Mapping[str, str]) -> list[str]:
    found = []
    for part, what in (
        (Part.NOW, "values from before a known break, which can't be compared with those since"),
        (Part.TREND, "trends that end before a known break, and say nothing of the years since"),
    ):
        those = [
            f"{labels[str(record['question'])]} in {record['year']}"
            for record in records
            if record["part"] == part and record["breaks_since"]
        ]
        if those:
            found.append(f"{what}: {listed(those)}")
    return found


def _of_strata(records: Sequence[Record]) -> list[str]:
    if not any(record["part"] == Part.DISPARITY for record in records):
        return []
    chosen = "a largest difference between strata is chosen because it is large, so it is too large on average"
    return [f"strata are taken as independent samples; {chosen}"]


def _of_absences(place: str, records: Sequence[Record]) -> list[str]:
    found = []
    absent = {str(record["year"]) for record in records if record["absence"] == Absence.NOT_SURVEYED.name.lower()}
    if absent:
        found.append(f"{place} isn't in the survey of {listed(sorted(absent))}")
    strata = [record for record in records if record["part"] == Part.STRATUM]
    suppressed = sum(record["absence"] == Absence.SUPPRESSED.name.lower() for record in strata)
    if suppressed:
        found.append(
            f"suppressed: {suppressed} of {len(strata)} estimates of strata; small groups are suppressed more often, so"
            " what is missing is not missing at random"
        )
    return found
