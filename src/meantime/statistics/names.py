"""The one resolver of names: which things in a cube a spelling can mean. What is done about it is up to ``kinds.py``.

A name as it stands in the data means that thing alone. Any other spelling (``plain_spelling``) of a name or of another
word for it, such as an id, an abbreviation or a FIPS code, means everything that it fits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from meantime.fields.spellings import plain_spelling
from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube
from meantime.survey.questions import LocationKind

INCLUDED_KINDS = {
    "states": LocationKind.STATE,
    "territories": LocationKind.TERRITORY,
    "nation": LocationKind.NATION,
}
"""Value of ``include`` to the kind of location it lets in; where places are named, the word means all of them."""


@dataclass(frozen=True, slots=True)
class NameTable:
    """The names of one dimension of a cube.

    Parameters
    ----------
    names
        As they stand in the data, in their order.
    meanings
        Plain spelling to the names that it can mean, in their order.
    groups
        Plain spelling of a word for several names together to those names.
    """

    names: Collection[str]
    meanings: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def meant_by(self, spelling: str) -> tuple[str, ...]:
        """Return the names that a spelling can mean: none, one, or several among which nobody can choose."""
        if spelling in self.names:
            return (spelling,)
        return self.meanings.get(plain_spelling(spelling), ())

    def group_of(self, spelling: str) -> tuple[str, ...]:
        """Return the names that a word means together; none where it is, or can be, a name itself."""
        return () if self.meant_by(spelling) else self.groups.get(plain_spelling(spelling), ())


def name_table(
    names: Iterable[str],
    words: Iterable[tuple[str, str]] = (),
    groups: Mapping[str, tuple[str, ...]] | None = None,
) -> NameTable:
    """Return the table of some names, with other words for them and words for several of them.

    >>> name_table(["Ohio", "Utah"], [("OH", "Ohio"), ("39", "Ohio")]).meant_by(" oh")
    ('Ohio',)
    """
    known = dict.fromkeys(names)
    meanings: dict[str, dict[str, None]] = {}
    for word, name in [*((name, name) for name in known), *words]:
        if plain := plain_spelling(word):
            meanings.setdefault(plain, {})[name] = None
    found = {plain: tuple(meant) for plain, meant in meanings.items()}
    return NameTable(known.keys(), found, groups or {})


@kept_per_cube
def question_names(cube: SurveyCube) -> NameTable:
    """Return the questions' texts, with their ids."""
    ids = [(each.question_id, each.text) for each in cube.questions]
    return name_table([each.text for each in cube.questions], ids)


@kept_per_cube
def location_names(cube: SurveyCube) -> NameTable:
    """Return the locations' names, with abbreviations, FIPS codes, and words for all of a kind."""
    words = [(place.abbreviation, place.name) for place in cube.locations]
    words += [(code, place.name) for place in cube.locations for code in {place.fips, place.fips.lstrip("0")}]
    kinds = {
        word: tuple(place.name for place in cube.locations if place.kind is kind)
        for word, kind in INCLUDED_KINDS.items()
    }
    return name_table([place.name for place in cube.locations], words, kinds)


@kept_per_cube
def category_names(cube: SurveyCube) -> NameTable:
    """Return the names of all categories, ascending."""
    return name_table(sorted({segment.category for segment in cube.segments} - {""}))


@kept_per_cube
def stratum_names(cube: SurveyCube) -> NameTable:
    """Return the names of all strata, ascending."""
    return name_table(sorted({segment.stratum for segment in cube.segments} - {""}))
