"""Group commit by leader and followers: requests that arrive together share one sync.

There is no writer thread. The first thread that has something to commit becomes the leader and commits for all that
wait; a thread that comes while the leader is busy waits, and one of those waiting leads the next round. Two
hand-offs between threads are saved for every commit. What a commit does is the store's business, not this module's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
"""What must be durable before its thread goes on."""
Note = TypeVar("Note")
"""What is written with the next commit, whoever makes it."""
Answer = TypeVar("Answer")
"""What the commit says of one item."""


class _Ticket(Generic[Item, Answer]):
    """One durable item and the thread that waits for it."""

    __slots__ = ("answer", "error", "item", "leads", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.answer: Answer | None = None  # written by the leader before woken is released
        self.error: Exception | None = None  # written by the leader before woken is released
        self.leads = False  # written under GroupCommit._lock before woken is released
        self.woken = threading.Lock()  # a one-shot event: held until the leader releases it
        self.woken.acquire()


class GroupCommit(Generic[Item, Note, Answer]):
    """Collects items and commits them together.

    Parameters
    ----------
    commit
        Called with (items, notes) by one thread at a time; returns one answer for each item. With items it must sync
        before it returns. When it raises, nothing counts as committed: those who wait get the error, and the notes
        stay for the next commit.
    is_final
        Whether a note is the last word on its key: later ones are dropped while it waits.
    """

    def __init__(
        self,
        commit: Callable[[list[Item], list[Note]], list[Answer]],
        *,
        is_final: Callable[[Note], bool] = lambda _: False,
    ) -> None:
        self._commit = commit
        self._is_final = is_final
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[Item, Answer]] = []  # guarded by self._lock
        self._notes: dict[int, Note] = {}  # guarded by self._lock
        self._has_leader = False  # guarded by self._lock

    def commit_durably(self, item: Item) -> Answer:
        """Commit an item with a sync and return its answer. Raises what the commit raised."""
        ticket: _Ticket[Item, Answer] = _Ticket(item)
        with self._lock:
            self._waiting.append(ticket)
            leads = not self._has_leader
            self._has_leader = True
        if not leads:
            ticket.woken.acquire()
        if leads or ticket.leads:
            self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.answer  # type: ignore[return-value]  # the leader wrote it: there was no error

    def note(self, key: int, note: Note) -> None:
        """Leave a note for the next commit, whoever makes it; it takes the place of an earlier one that isn't final."""
        with self._lock:
            earlier = self._notes.get(key)
            if earlier is None or not self._is_final(earlier):
                self._notes[key] = note

    def has_note(self, key: int) -> bool:
        """Whether a note of this key waits for a commit."""
        with self._lock:
            return key in self._notes

    def flush(self) -> None:
        """Commit the notes that wait, if there are any. Raises what the commit raised; the notes then go on waiting."""
        notes = self._take()
        if notes and (error := self._commit_batch([], notes)):
            raise error

    def _take(self) -> dict[int, Note]:
        with self._lock:
            notes, self._notes = self._notes, {}
        return notes

    def take_notes(self) -> list[Note]:
        """Return the notes that nobody has committed yet and forget them: the last commit before closing."""
        return list(self._take().values())

    def _lead(self, own: _Ticket[Item, Answer]) -> None:
        """Commit all that wait, then hand the lead to a thread that came meanwhile."""
        with self._lock:
            batch, self._waiting = self._waiting, []
            notes, self._notes = self._notes, {}
        self._commit_batch(batch, notes)
        with self._lock:
            successor = self._waiting[0] if self._waiting else None
            if successor is None:
                self._has_leader = False
            else:
                successor.leads = True
        if successor is not None:
            successor.woken.release()
        for ticket in batch:
            if ticket is not own:
                ticket.woken.release()

    def _commit_batch(self, batch: list[_Ticket[Item, Answer]], notes: dict[int, Note]) -> Exception | None:
        """Commit one batch; return what went wrong."""
        try:
            answers = self._commit([ticket.item for ticket in batch], list(notes.values()))
        except Exception as error:  # noqa: BLE001  # whatever went wrong, those who wait must hear of it
            for ticket in batch:
                ticket.error = error
            with self._lock:
                self._notes = notes | self._notes  # newer notes of the same key win over the ones that failed
            return error
        for ticket, answer in zip(batch, answers, strict=True):
            ticket.answer = answer
        return None
