"""Results in other forms than the stored one, made once and kept while there is room; how many are made is bounded.

A form is a pure function of a result, so it is kept under the tag that its answers have. The forms are in ``formats``.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import orjson
from flask import request

from meantime.formats.result_formats import Format
from meantime.web.admission.callers import client_of
from meantime.web.admission.request_places import request_places
from meantime.web.places import AllPlaces

CACHE_LIMIT_BYTES = 32 * 1024 * 1024

SMALL_BYTES = 64 * 1024
"""A result up to this size is encoded at once, in no place but its request's."""


class EncodedForms:
    """The latest forms, bounded by their size in bytes. May be used from any thread."""

    def __init__(self, places: AllPlaces, limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
        self._places = places
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()  # guarded by self._lock, oldest use first
        self._size_bytes = 0  # guarded by self._lock

    @property
    def size_bytes(self) -> int:
        """How many bytes are kept."""
        return self._size_bytes

    def find(self, tag: str) -> bytes | None:
        """Return a form that is kept, or None."""
        with self._lock:
            found = self._kept.get(tag)
            if found is not None:
                self._kept.move_to_end(tag)
            return found

    def of(self, tag: str, wanted: Format, size_bytes: int, read: Callable[[], bytes]) -> bytes:
        """Return a form of a result for the current request.

        Parameters
        ----------
        tag
            What it is kept under.
        wanted
            The form; one that has to be made.
        size_bytes
            How large the stored result is.
        read
            Returns the stored result.

        Raises
        ------
        NoPlaceError
            It would have to be made, and as many are being made as may be; or its bytes find no place.
        """
        found = self.find(tag)
        if found is None:
            found = self._make(tag, wanted, size_bytes, read)
        request_places().hold_answer(len(found))
        return found

    def _make(self, tag: str, wanted: Format, size_bytes: int, read: Callable[[], bytes]) -> bytes:
        if wanted.encode is None:
            raise ValueError(f"{wanted.name} is the stored form")
        client = client_of(request.environ)
        if wanted.takes_child:
            with self._places.children.take(client):
                return self.keep(tag, wanted.encode(orjson.loads(read())))
        if size_bytes <= SMALL_BYTES:
            return self.keep(tag, wanted.encode(orjson.loads(read())))
        with self._places.encoder_bytes.take(client, size_bytes):
            return self.keep(tag, wanted.encode(orjson.loads(read())))

    def keep(self, tag: str, content: bytes) -> bytes:
        """Keep a form under a tag, and return it; those that were not used for longest go."""
        with self._lock:
            self._size_bytes += len(content) - len(self._kept.pop(tag, b""))
            self._kept[tag] = content
            while self._size_bytes > self._limit_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._size_bytes -= len(oldest)
        return content
