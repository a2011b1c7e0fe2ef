"""Places: a bound for all, a share for each, and nothing that stays when everybody has gone."""

from __future__ import annotations

import threading

import pytest

from meantime.errors import NoPlaceError
from meantime.web.places import AllPlaces, Places

LIMIT_S = 30.0


def test_who_comes_when_all_are_taken_is_refused_until_one_is_free() -> None:
    places = Places("lists", 2, 2, retry_after_s=5)
    first, _ = places.take("a"), places.take("b")
    with pytest.raises(NoPlaceError, match="no place for more lists: all 2 are taken; try again in 5 s") as refused:
        places.take("c")
    assert refused.value.retry_after_s == 5
    first.release()
    places.take("c")
    assert (places.used, places.refused_count) == (2, 1)


def test_one_client_takes_its_share_and_leaves_the_rest() -> None:
    places = Places("lists", 4, 2)
    held = [places.take("greedy") for _ in range(2)]
    with pytest.raises(NoPlaceError, match="you hold 2 of 4, your share"):
        places.take("greedy")
    places.take("honest")
    held.pop().release()
    places.take("greedy")


def test_who_finds_none_gets_the_next_that_is_free() -> None:
    places, got = Places("lists", 1, 1, patience_s=LIMIT_S), threading.Event()
    first = places.take("a")

    def wait() -> None:
        with places.take("b"):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    first.release()
    waiting.join(LIMIT_S)
    assert got.is_set()
    assert places.refused_count == 0


def test_where_one_has_waited_in_vain_nobody_waits_until_a_place_is_free() -> None:
    places = Places("lists", 1, 1, patience_s=0.5)
    first = places.take("a")

    def come_again_and_again() -> None:
        for _ in range(1000):  # each waiting, they would be here for eight minutes
            with pytest.raises(NoPlaceError):
                places.take("b")

    impatient = threading.Thread(target=come_again_and_again, daemon=True)
    impatient.start()
    impatient.join(LIMIT_S)
    assert places.refused_count == 1000
    first.release()
    places.take("b")


def test_a_place_that_is_released_twice_is_free_once() -> None:
    places = Places("lists", 2, 2)
    with places.take("a") as place:
        places.take("a")
        place.release()
    assert places.used == 1


def test_a_place_of_nobody_counts_once_somebody_has_it() -> None:
    places = Places("requests", 4, 1)
    first, second = places.take(), places.take()
    first.give_to("a")
    with pytest.raises(NoPlaceError):
        second.give_to("a")
    second.give_to("b")
    first.release()
    places.take("a")


def test_who_wants_more_than_a_share_gets_the_whole_share() -> None:
    places = Places("bytes", 100, 40)
    assert places.take("a", 1000).amount == 40
    with pytest.raises(NoPlaceError):
        places.take("a", 1)


def test_little_takes_the_least_there_is() -> None:
    assert Places("bytes", 100, 40, least=10).take("a", 1).amount == 10


def test_many_threads_never_hold_more_than_there_is() -> None:
    places, together, seen = Places("lists", 3, 3), threading.Barrier(8), list[int]()

    def take_some() -> None:
        together.wait(LIMIT_S)
        for _ in range(200):
            try:
                with places.take("a"):
                    seen.append(places.used)
            except NoPlaceError:
                pass

    threads = [threading.Thread(target=take_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert max(seen) <= 3
    assert places.used == 0
    places.take("a", 3)


@pytest.mark.parametrize("thread_count", [2, 4, 16, 512, 65_536])
def test_what_holds_threads_for_long_leaves_some_for_short_requests(thread_count: int) -> None:
    places = AllPlaces.for_threads(thread_count)
    assert all(1 <= each.share <= each.bound for each in places.named().values())
    assert places.requests.bound < thread_count or thread_count < 4
    if thread_count >= 64:
        large = places.large_answer_bytes
        answers = large.bound // large.take("a", 1).amount
        long = places.streams.bound + places.waits.bound + places.lists.bound + answers
        assert long < places.requests.bound
        assert all(each.share <= each.bound / 2 for each in places.named().values())
