"""The last part of a place's address: made of its name, and found again from any spelling of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from meantime.errors import FieldError
from meantime.fields.refusals import nearest
from meantime.statistics.kinds import PLACE_NAME
from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube


@kept_per_cube
def slugs(cube: SurveyCube) -> Mapping[str, str]:
    """Return each place's name by its slug; of places with one slug the later ones get a number."""
    found: dict[str, str] = {}
    for place in cube.locations:
        plain = slug = slugged(place.name) or "place"
        count = 1
        while slug in found:
            count += 1
            slug = f"{plain}-{count}"
        found[slug] = place.name
    return found


@kept_per_cube
def slug_of_each(cube: SurveyCube) -> Mapping[str, str]:
    """Return each place's slug by its name."""
    return {name: slug for slug, name in slugs(cube).items()}


def slugged(name: str) -> str:
    """Return the letters and digits of a name in lower case, with one hyphen for whatever is between them.

    >>> slugged("New Mexico"), slugged("St. John's")
    ('new-mexico', 'st-john-s')
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[^\w]+|_+", "-", folded).strip("-")


def find_place(text: str, cube: SurveyCube) -> str:
    """Return the name of the place that a slug, a name or another word for it means.

    Raises
    ------
    FieldError
        There is none, or there are several; ``nearest`` has those that may have been meant.
    """
    found = slugs(cube).get(slugged(text))
    if found is not None:
        return found
    try:
        return PLACE_NAME.find(text, cube)
    except FieldError as error:
        near = error.nearest or nearest(text.replace("-", " "), [place.name for place in cube.locations])
        raise FieldError(str(error), nearest=near) from None
