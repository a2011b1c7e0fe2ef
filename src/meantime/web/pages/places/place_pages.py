"""``GET /places`` lists all places, ``GET /places/<place>`` shows one with its profile.

Any spelling of a place is answered, and says in its head which address is the canonical one: nothing is redirected.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from flask import Flask, Response, request

from meantime.charts.us_places import are_us_places
from meantime.errors import FieldError
from meantime.service import MeantimeService
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.questions import Location, LocationKind
from meantime.web.own_address import own_address, own_prefix
from meantime.web.pages.places.figures import figure, interval, signed
from meantime.web.pages.places.profile_view import FIRST_GAPS, ProfileView
from meantime.web.pages.places.sentences import lead, other_name
from meantime.web.pages.places.slugs import find_place, slug_of_each
from meantime.web.pages.shown_answers import ShownAnswer, ShownAnswers
from meantime.web.pages.site import page
from meantime.web.shown_commands import curl

PATH = "/places"

KIND_WORDS = {
    LocationKind.NATION: ("The nation", "the nation"),
    LocationKind.STATE: ("States", "a state"),
    LocationKind.TERRITORY: ("Territories", "a territory"),
}
"""What all places of a kind are called, and one of them; the first kind is listed first."""


class PlacePages:
    """The pages of places; parameters as of FirstView."""

    def __init__(self, service: MeantimeService, shown: ShownAnswers, *, pictures: bool) -> None:
        self._service = service
        self._shown = shown
        self._pictures = pictures

    def add_to(self, app: Flask) -> None:
        """Register the pages."""
        app.add_url_rule(PATH, "places", self.list_places)
        app.add_url_rule(f"{PATH}/<place>", "place", self.show_place)

    def list_places(self) -> Response:
        """List all places by their kind."""
        cube = self._service.dataset().cube
        return page("places.html", current="Places", groups=grouped(cube), slugs=slug_of_each(cube), path=PATH)

    def show_place(self, place: str) -> Response:
        """Show the profile of a place, or which place may have been meant."""
        dataset = self._service.dataset()
        cube = dataset.cube
        other = request.args.get("against") or None
        try:
            name = find_place(place, cube)
            against = find_place(other, cube) if other else None
        except FieldError as error:
            return _nowhere(place, error, cube)
        answer = self._answer(name, against if against != name else None, dataset)
        chosen = against if against not in (None, name, the_nation_of(cube)) else None
        address = canonical(name, chosen, cube)
        response = self._profile(cube.locations[cube.location_index[name]], answer, cube, address)
        response.headers["Link"] = f'<{address}>; rel="canonical"'
        return response

    def _answer(self, name: str, against: str | None, dataset: Dataset) -> ShownAnswer | None:
        parameters = {"place": name} | ({"against": against} if against else {})
        return self._shown.of("profile", parameters, dataset)

    def _profile(self, place: Location, answer: ShownAnswer | None, cube: SurveyCube, address: str) -> Response:
        slugs = slug_of_each(cube)
        against = _against(answer)
        view = ProfileView(place.name, against, answer.records, cube) if answer and answer.records else None
        return page(
            "place.html",
            current="Places",
            place=place,
            kind=KIND_WORDS[place.kind][1] if _is_us(cube) or place.kind is not LocationKind.STATE else "",
            answer=answer,
            view=view,
            lead=lead(view) if view else [],
            other=other_name(view) if view else "",
            against=against,
            canonical=address,
            address=f"{own_address().removesuffix(own_prefix())}{address}",
            choices={each.name: slugs[each.name] for each in cube.locations if each.name != place.name},
            slugs=slugs,
            path=PATH,
            pictures=self._pictures,
            first_gaps=FIRST_GAPS,
            curl=curl,
            figure=figure,
            signed=signed,
            interval=interval,
        )


def grouped(cube: SurveyCube) -> dict[str, list[Location]]:
    """Return the places under what their kind is called, each kind by name."""
    found = {}
    for kind, (words, _) in KIND_WORDS.items():
        own = sorted((each for each in cube.locations if each.kind is kind), key=lambda place: place.name)
        if own:
            found[words if _is_us(cube) or kind is not LocationKind.STATE else "Places"] = own
    return found


def the_nation_of(cube: SurveyCube) -> str | None:
    """Return the nation's name, against which places are unless another one is chosen; None where there is none."""
    return next((each.name for each in cube.locations if each.kind is LocationKind.NATION), None)


def canonical(name: str, against: str | None, cube: SurveyCube) -> str:
    """Return the one address of a place's page."""
    slugs = slug_of_each(cube)
    query = f"?against={quote(slugs[against])}" if against else ""
    return f"{own_prefix()}{PATH}/{quote(slugs[name])}{query}"


def _is_us(cube: SurveyCube) -> bool:
    return are_us_places([place.name for place in cube.locations])


def _against(answer: ShownAnswer | None) -> str | None:
    """Return what a profile is compared with, as its answer says."""
    if answer is None:
        return None
    found = next((each["against"] for each in answer.records if each.get("against") is not None), None)
    return None if found is None else str(found)


def _nowhere(place: str, error: FieldError, cube: SurveyCube) -> Response:
    slugs: Mapping[str, str] = slug_of_each(cube)
    near = {name: slugs[name] for name in error.nearest if name in slugs}
    response = page("no_place.html", current="Places", asked=place, reason=str(error), near=near, path=PATH)
    response.status_code = 404
    return response
