"""Which population counts for a place and year: the request's own table, or the adults of US states that are known.

The figures that come with Meantime are in ``survey/adult_population.py``. What isn't in them is refused with the
reason, never filled in from another year or another place.
"""

from __future__ import annotations

from collections.abc import Sequence

from meantime.errors import InvalidParameterError
from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.filters import Places
from meantime.statistics.estimation.nation import states_lacking
from meantime.statistics.estimation.options import Weights
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.kinds import PopulationRow
from meantime.survey.adult_population import ADULTS, PUBLISHER, AdultPopulation, adult_populations
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import Location, LocationKind

Rows = tuple[PopulationRow, ...]

_GIVE_TABLE = "give a table `population` of location, year and population"


def check_population(weights: str, given: Rows | None, places: Places, question: str, *, strata_apart: bool) -> None:
    """Check that the population weights have a population, for one stratum at a time.

    Raises
    ------
    InvalidParameterError
        A table is given for other weights, several strata would be pooled (a table counts everybody), or none is
        given and the known figures don't have what is asked for.
    """
    if weights != Weights.POPULATION:
        if given is not None:
            raise InvalidParameterError(
                f"population: a table is given but the weights are {weights!r}; ask for weights `population`",
                field="population",
            )
        return
    if len(places.segments) > 1 and not strata_apart:
        raise InvalidParameterError(
            "weights: the population table counts everybody, so it can't weigh several strata against each other;"
            " keep them apart with by `stratum`, or take one stratum",
            field="weights",
        )
    if given is None:
        check_known(places, question)


def check_known(places: Places, question: str) -> None:
    """Check that the figures that come with Meantime count the people of whom a question asks, there and then.

    Raises
    ------
    InvalidParameterError
        The question isn't known to be about adults, a stratum isn't everybody, or a year or location has no figure.
    """
    cube, known = places.cube, adult_populations()
    asked = cube.questions[cube.question_index[question]]
    if asked.people != ADULTS:
        whom = f"is about {asked.people}" if asked.people else "isn't known to be about adults"
        raise InvalidParameterError(
            f"population: the figures that come with Meantime count adults, and the question {asked.text!r} {whom};"
            f" {_GIVE_TABLE}",
            field="population",
        )
    if not all(cube.segments[index].is_overall for index in places.segments):
        raise InvalidParameterError(
            "population: the figures that come with Meantime count all adults, not those of a stratum; leave"
            f" categories and strata out, or {_GIVE_TABLE}",
            field="population",
        )
    years = {year for _, year in known}
    lacking = [str(year) for year in places.years if year not in years]
    if lacking:
        raise InvalidParameterError(
            f"years: the figures that come with Meantime have no population of {listed(lacking)}; they have"
            f" {', '.join(map(str, sorted(years)))}; choose one of these, or {_GIVE_TABLE}",
            field="years",
            accepted=[str(year) for year in sorted(years & set(cube.years))],
        )
    unknown = [
        f"{cube.locations[index].name} {year}"
        for index in places.locations
        for year in places.years
        if not _counted(cube, question, cube.locations[index], year)
    ]
    if unknown:
        raise InvalidParameterError(
            f"locations: the figures that come with Meantime have no population of {listed(unknown)}; leave them out,"
            f" or {_GIVE_TABLE}",
            field="locations",
        )


def population_of(weights: str, given: Rows | None, selection: Selection) -> Rows | None:
    """Return the request's own rows, or for population weights the known ones of the selection's places and years."""
    return known_rows(selection) if weights == Weights.POPULATION and given is None else given


def cautions_of_population(weights: str, given: Rows | None, selection: Selection) -> list[str]:
    """Return what must be known of the figures that come with Meantime, where they are what counts."""
    if weights != Weights.POPULATION or given is not None:
        return []
    cube = selection.cube
    used = {
        each.year: each.vintage
        for index in selection.locations
        for year in selection.years
        for each in _counted(cube, selection.question.text, cube.locations[index], year)
    }
    vintages = " and ".join(f"vintage {vintage} for {year}" for year, vintage in sorted(used.items()))
    whose = f"the population is the residents aged 18 and over on July 1, as estimated by {PUBLISHER} ({vintages})"
    found = [
        f"{whose}, taken as exact: no error of it is in an interval",
        "the survey asks adults outside institutions, the population counts those inside too, as if they were alike",
    ]
    if len(set(used.values())) > 1:
        found.append("populations of several vintages aren't one series: a change between them may be one of counting")
    nations = [cube.locations[index].name for index in selection.locations if _is_nation(cube.locations[index])]
    if nations:
        found.append(
            f"the population of {' and '.join(nations)} is that of the states, and the District of Columbia, that its"
            " estimates are made of"
        )
    return found


def known_rows(selection: Selection) -> Rows:
    """Return the known population of each of a selection's locations and years."""
    cube = selection.cube
    counted = {
        (cube.locations[index].name, year): _counted(cube, selection.question.text, cube.locations[index], year)
        for index in selection.locations
        for year in selection.years
    }
    return tuple(
        PopulationRow(name, year, float(sum(each.adults for each in found)))
        for (name, year), found in counted.items()
        if found
    )


def _counted(cube: SurveyCube, question: str, place: Location, year: int) -> Sequence[AdultPopulation]:
    """Return the figures that make the population of a place: of a state its own, of the nation its states'."""
    known = adult_populations()
    if _is_nation(place):
        without = states_lacking(cube, cube.question_index[question], year)
        of_year = [each for each in known.values() if each.year == year and each.is_part_of_nation]
        return [each for each in of_year if each.location not in without]
    own = known.get((place.name, year))
    return [own] if own is not None and place.fips in ("", own.fips) else []


def _is_nation(place: Location) -> bool:
    return place.kind is LocationKind.NATION
