"""Results in other forms: made once, kept in bounded room, and few at a time."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from meantime.errors import NoPlaceError
from meantime.formats import Answer
from meantime.formats.result_formats import Format
from meantime.web.admission.request_places import PLACES_KEY, RequestPlaces
from meantime.web.places import AllPlaces
from meantime.web.v1.encoded_forms import SMALL_BYTES, EncodedForms

LIMIT_S = 30.0
BIG = 32 * 1024 * 1024


class CountingForm:
    """A form whose making can be held up, and is counted."""

    def __init__(self, *, takes_child: bool = False) -> None:
        self.made_count = 0
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Semaphore(0)
        self.form = Format("counting", "text/plain", self.encode, takes_child=takes_child)

    def encode(self, answer: Answer) -> bytes:
        self.made_count += 1
        self.begun.release()
        assert self.go.wait(LIMIT_S)
        return b"x" * 10


class Clients:
    """Asks for forms, as a client at an address does."""

    def __init__(self, forms: EncodedForms, places: AllPlaces) -> None:
        self._forms = forms
        self._places = places
        self._app = Flask("forms")

    def ask(self, tag: str, form: CountingForm, *, size_bytes: int = BIG, address: str = "192.0.2.7") -> bytes:
        with self._app.test_request_context(environ_overrides={"REMOTE_ADDR": address}) as context:
            environ = context.request.environ
            environ[PLACES_KEY] = RequestPlaces(environ, self._places)
            return self._forms.of(tag, form.form, size_bytes, lambda: b"{}")


@pytest.fixture
def places() -> AllPlaces:
    return AllPlaces.for_threads(512)


@pytest.fixture
def clients(places: AllPlaces) -> Clients:
    return Clients(EncodedForms(places, limit_bytes=25), places)


def test_the_bytes_that_are_kept_are_counted(places: AllPlaces) -> None:
    forms = EncodedForms(places, limit_bytes=25)
    clients = Clients(forms, places)
    sizes = []
    for tag in ("a", "a", "b", "c", "d"):
        clients.ask(tag, CountingForm())
        sizes.append(forms.size_bytes)
    assert sizes == [10, 10, 20, 20, 20]


def test_a_form_is_made_once(clients: Clients) -> None:
    form = CountingForm()
    assert [clients.ask("a", form) for _ in range(3)] == [b"x" * 10] * 3
    assert form.made_count == 1


def test_forms_that_were_not_used_for_longest_go(clients: Clients) -> None:
    form = CountingForm()
    for tag in ("a", "b", "a", "c", "a"):  # there is room for two
        clients.ask(tag, form)
    assert form.made_count == 3
    clients.ask("b", form)
    assert form.made_count == 4


@pytest.mark.parametrize(("takes_child", "count"), [(False, 1), (True, 4)])
def test_one_client_makes_few_at_a_time_and_leaves_room_for_others(
    clients: Clients, places: AllPlaces, takes_child: bool, count: int
) -> None:
    form = CountingForm(takes_child=takes_child)
    form.go.clear()
    threads = [threading.Thread(target=clients.ask, args=(f"greedy-{i}", form)) for i in range(count)]
    for thread in threads:
        thread.start()
        assert form.begun.acquire(timeout=LIMIT_S)
    with pytest.raises(NoPlaceError):
        clients.ask("greedy-more", form)
    honest = threading.Thread(target=clients.ask, args=("honest", form), kwargs={"address": "198.51.100.9"})
    honest.start()
    assert form.begun.acquire(timeout=LIMIT_S)
    form.go.set()
    for thread in [*threads, honest]:
        thread.join(LIMIT_S)
    assert (places.children.used, places.encoder_bytes.used) == (0, 0)
    assert clients.ask("greedy-more", form) == b"x" * 10


def test_a_small_result_takes_no_place(clients: Clients, places: AllPlaces) -> None:
    held = [places.encoder_bytes.take(name, BIG) for name in ("a", "b")]
    assert clients.ask("small", CountingForm(), size_bytes=SMALL_BYTES) == b"x" * 10
    assert sum(each.amount for each in held) == places.encoder_bytes.bound
