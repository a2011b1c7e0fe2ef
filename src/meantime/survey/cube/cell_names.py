"""The names of a cube's places, made of the texts in its rows: one spelling for each, one segment of several strata.

Names that are equal as names are compared (`normal`) are one, displayed as the first spelling in code point order. What
they mean is in ``reading/profile.py``; rows aren't looked at here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from meantime.survey.cube.survey_cube import IntArray
from meantime.survey.reading.engines import Arrays
from meantime.survey.reading.estimate_rows import STRATA_SEPARATOR
from meantime.survey.reading.profile import OVERALL, Profile, normal

Pair = tuple[str, str]


class UnreadableTextError(Exception):
    """A text holds the character that stands between strata, which the rows must explain."""


@dataclass(frozen=True, slots=True)
class CellNames:
    """Text in the rows to name in the cube, for questions, locations and segments (pairs of category and stratum).

    ``spellings`` are names that were written in several ways, each with all of them.
    """

    questions: Mapping[str, str]
    locations: Mapping[str, str]
    segments: Mapping[Pair, Pair]
    spellings: tuple[tuple[str, ...], ...]

    @property
    def are_merged(self) -> bool:
        """Whether several texts have one name."""
        return any(len(set(names.values())) < len(names) for names in (self.questions, self.locations, self.segments))

    def renamed(self, arrays: Arrays) -> Arrays:
        """Return the cells under their names; several may now have one place."""
        names = (self.questions, self.locations, self.segments)
        if all(text == name for each in names for text, name in each.items()):
            return arrays
        question, questions = _recoded(arrays.codes["question"], arrays.dictionaries["question"], self.questions)
        location, locations = _recoded(arrays.codes["location"], arrays.dictionaries["location"], self.locations)
        segment, pairs = _segment_codes(arrays)
        named = [self.segments[pair] for pair in pairs]
        category, categories = _coded([category for category, _ in named])
        stratum, strata = _coded([stratum for _, stratum in named])
        return replace(
            arrays,
            codes={
                "question": question, "location": location, "category": category[segment], "stratum": stratum[segment],
            },
            dictionaries={
                "question": questions, "location": locations, "category": categories, "stratum": strata,
            },
        )  # fmt: skip


def cell_names(arrays: Arrays, profile: Profile) -> CellNames:
    """Return the names of the places in some arrays.

    Raises
    ------
    UnreadableTextError
        A stratum's text holds the character that stands between strata.
    """
    _, pairs = _segment_codes(arrays)
    segments = {pair: _segment(pair, profile) for pair in pairs}
    questions, locations = (
        _one_spelling(arrays.dictionaries["question"]),
        _one_spelling(arrays.dictionaries["location"]),
    )
    categories = _one_spelling({category for category, _ in segments.values()})
    strata = _one_spelling({stratum for _, stratum in segments.values()})
    return CellNames(
        questions,
        locations,
        {pair: (categories[category], strata[stratum]) for pair, (category, stratum) in segments.items()},
        tuple(found for names in (questions, locations, categories, strata) for found in _several_spellings(names)),
    )


def _segment(pair: Pair, profile: Profile) -> Pair:
    """Return category and stratum of a row; where there are several strata columns, of those that don't say "all"."""
    headers, texts = (text.split(STRATA_SEPARATOR) for text in pair)
    if {len(headers), len(texts)} != {max(1, len(profile.strata))}:
        raise UnreadableTextError(f"{pair!r} holds a control character")
    if not profile.strata:
        return pair
    told = [(header, text) for header, text in zip(headers, texts, strict=True) if _tells(text, profile)]
    if not told:
        return OVERALL
    return ", ".join(header for header, _ in told), ", ".join(text for _, text in told)


def _tells(text: str, profile: Profile) -> bool:
    return normal(text) not in {"", *profile.overall}


def _one_spelling(texts: Iterable[str]) -> dict[str, str]:
    """Return the spelling that is displayed, for each: the first, by code points, of those that are one name."""
    first: dict[str, str] = {}
    ordered = sorted(texts, key=str.strip)
    for text in ordered:
        first.setdefault(normal(text), text.strip() if normal(text) else "")
    return {text: first[normal(text)] for text in ordered}


def _several_spellings(names: Mapping[str, str]) -> list[tuple[str, ...]]:
    spelt: dict[str, set[str]] = {}
    for text, name in names.items():
        spelt.setdefault(name, set()).add(text.strip())
    return [tuple(sorted(texts)) for name, texts in sorted(spelt.items()) if len(texts) > 1 and name]


def _recoded(codes: IntArray, texts: Sequence[str], names: Mapping[str, str]) -> tuple[IntArray, tuple[str, ...]]:
    places, found = _coded([names[text] for text in texts])
    return places[codes], found


def _coded(texts: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    """Return texts as codes into their sorted dictionary, and the dictionary."""
    dictionary = tuple(sorted(set(texts)))
    places = {text: place for place, text in enumerate(dictionary)}
    return np.array([places[text] for text in texts], dtype=np.int32), dictionary


def _segment_codes(arrays: Arrays) -> tuple[IntArray, list[Pair]]:
    """Return the pair of category and stratum of each cell, as codes into the list of pairs that there are."""
    categories, strata = arrays.dictionaries["category"], arrays.dictionaries["stratum"]
    pairs = arrays.codes["category"].astype(np.int64) * len(strata) + arrays.codes["stratum"]
    used, codes = np.unique(pairs, return_inverse=True)
    places = (divmod(int(pair), len(strata)) for pair in used)
    return codes.astype(np.int32), [(categories[category], strata[stratum]) for category, stratum in places]
