"""What draws charts as pictures for many threads: one process, a short line before it, a cache behind it.

Whoever asks waits for at most two time limits, whatever becomes of the process: one in the line, one for the picture.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping

import orjson

from meantime.charts.rendering.drawing_process import DrawingProcess, LostProcessError
from meantime.errors import InvalidParameterError, PictureUnavailableError

FORMS = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
"""The forms of pictures, with their media types."""

SCALES = (0.25, 4.0)
"""The least and the greatest scale."""

MEGABYTE = 1024 * 1024

_log = logging.getLogger(__name__)

_Key = tuple[bytes, str, float]


class PictureRenderer:
    """Draws specs; may be used from any thread, and is closed by whoever made it.

    Parameters
    ----------
    time_limit_s
        How long one picture may take, seconds; the process is ended then.
    line_length
        How many pictures may be asked for at once, the one that is drawn among them; each holds a thread.
    cache_bytes
        The memory for pictures that were drawn.
    process_bytes
        A process that has held more than this is ended after its picture, and another is started.
    """

    def __init__(
        self,
        *,
        time_limit_s: float = 20.0,
        line_length: int = 12,
        cache_bytes: int = 32 * MEGABYTE,
        process_bytes: int = 600 * MEGABYTE,
    ) -> None:
        self._time_limit_s = time_limit_s
        self._process_bytes = process_bytes
        self._line = threading.Semaphore(line_length)
        self._turn = threading.Lock()  # its holder alone uses the process
        self._process: DrawingProcess | None = None  # guarded by self._turn
        self._is_closed = False  # guarded by self._turn
        self._cache = _PictureCache(cache_bytes)

    def start(self) -> None:
        """Start the process before the first picture is asked for; never waits, and without an engine does nothing."""
        if not self._turn.acquire(blocking=False):  # who has the turn starts it
            return
        try:
            self._started()
        except PictureUnavailableError as error:
            _log.info("%s", error)
        finally:
            self._turn.release()

    def render(self, spec: Mapping[str, object], form: str, scale: float = 1.0) -> bytes:
        """Return a chart as a picture.

        Parameters
        ----------
        spec
            A spec of ``chart_of``, with its data.
        form
            ``svg``, ``png`` or ``pdf``.
        scale
            The size of the picture against that of the spec; an SVG has none.

        Raises
        ------
        InvalidParameterError
            There is no such form (field ``format``), or the scale is out of bounds or makes the picture too large
            (field ``scale``).
        PictureUnavailableError
            Too many wait, the process died or took too long, or the engine isn't installed; ``retry_after_s`` says when
            to ask again.
        PictureError
            The spec can't be drawn.
        """
        _check(form, scale)
        content = orjson.dumps(spec)
        key = (hashlib.sha256(content).digest(), form, 1.0 if form == "svg" else scale)
        picture = self._cache.get(key)
        if picture is not None:
            return picture
        if not self._line.acquire(blocking=False):
            raise PictureUnavailableError("many pictures are being drawn; try again soon", retry_after_s=2)
        try:
            return self._in_turn(key, content)
        finally:
            self._line.release()

    @property
    def process_id(self) -> int | None:
        """The number of the process that draws, if there is one."""
        process = self._process
        return None if process is None else process.process_id

    @property
    def cached_bytes(self) -> int:
        """The memory that cached pictures take."""
        return self._cache.size_bytes

    def close(self) -> None:
        """End the process; nothing is drawn any more."""
        with self._turn:
            self._is_closed = True
            self._end()

    def _in_turn(self, key: _Key, content: bytes) -> bytes:
        if not self._turn.acquire(timeout=self._time_limit_s):
            raise PictureUnavailableError("other pictures take long to draw; try again soon", retry_after_s=5)
        try:
            picture = self._cache.get(key)  # somebody before us in the line may have asked for the same
            if picture is None:
                picture = self._drawn(content, key[1], key[2])
                self._cache.put(key, picture)
            return picture
        finally:
            self._turn.release()

    def _drawn(self, content: bytes, form: str, scale: float) -> bytes:
        """Draw; a process that has died since its last picture is replaced once."""
        is_fresh = self._process is None
        process = self._started()
        try:
            picture = process.draw(content, form, scale, time_limit_s=self._time_limit_s)
        except TimeoutError:
            self._end()
            _log.error("a picture took longer than %g s; its process was ended", self._time_limit_s)
            raise PictureUnavailableError(
                f"the picture took longer than {self._time_limit_s:g} s; ask for a smaller chart, or try again",
                retry_after_s=10,
            ) from None
        except LostProcessError as error:
            self._end()
            _log.error("the process that draws pictures was lost: %s", error)
            if not is_fresh:
                return self._drawn(content, form, scale)
            raise PictureUnavailableError("what draws pictures has died; try again soon", retry_after_s=5) from None
        if process.memory_bytes > self._process_bytes:
            _log.info("the process that draws pictures held %d MB; ended", process.memory_bytes // MEGABYTE)
            self._end()
        return picture

    def _started(self) -> DrawingProcess:
        if self._is_closed:
            raise PictureUnavailableError("the server is shutting down; try again later", retry_after_s=10)
        if self._process is None:
            self._process = DrawingProcess.start()
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _PictureCache:
    """Pictures in bounded memory; the one that was asked for longest ago goes first."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._pictures: OrderedDict[_Key, bytes] = OrderedDict()  # guarded by self._lock
        self._size_bytes = 0  # guarded by self._lock

    @property
    def size_bytes(self) -> int:
        with self._lock:
            return self._size_bytes

    def get(self, key: _Key) -> bytes | None:
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
            return self._pictures.get(key)

    def put(self, key: _Key, picture: bytes) -> None:
        if len(picture) > self._limit_bytes:
            return
        with self._lock:
            self._size_bytes += len(picture) - len(self._pictures.pop(key, b""))
            self._pictures[key] = picture
            while self._size_bytes > self._limit_bytes:
                self._size_bytes -= len(self._pictures.popitem(last=False)[1])


def _check(form: str, scale: float) -> None:
    if form not in FORMS:
        raise InvalidParameterError(
            f"format: there is no picture in the form {form!r}; choose one of {', '.join(FORMS)}",
            field="format",
            accepted=tuple(FORMS),
        )
    low, high = SCALES
    if not low <= scale <= high:
        raise InvalidParameterError(f"scale: {scale:g} is not from {low:g} to {high:g}", field="scale")
