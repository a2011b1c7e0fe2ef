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
    """

    def __init__(self, commit: Callable[[list[Item], list[Note]], list[Answer]]) -> None:
        self._commit = commit
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

    def commit_soon(self, key: int, note: Note, *, may_wait: bool) -> None:
        """Commit a note without a sync of its own; a later note of the same key takes its place.

        With ``may_wait`` it waits for the next commit of anything else; otherwise this thread commits it
        unless another thread is just committing, which then commits it in its next round.
        """
        with self._lock:
            self._notes[key] = note
            if may_wait or self._has_leader:
                return
            self._has_leader = True
        self._lead(None)

    def take_notes(self) -> list[Note]:
        """Return the notes that nobody has committed yet and forget them: the last commit before closing."""
        with self._lock:
            notes, self._notes = self._notes, {}
        return list(notes.values())

    def _lead(self, own: _Ticket[Item, Answer] | None) -> None:
        """Commit all that wait, then hand the lead to a thread that came meanwhile."""
        while True:
            with self._lock:
                batch, self._waiting = self._waiting, []
                notes, self._notes = self._notes, {}
            failed = self._commit_batch(batch, notes)
            with self._lock:
                if failed:
                    # Newer notes of the same key win over the ones that failed.
                    self._notes = notes | self._notes
                successor = self._waiting[0] if self._waiting else None
                if successor is not None:
                    successor.leads = True
                goes_on = successor is None and bool(self._notes) and not failed
                if successor is None and not goes_on:
                    self._has_leader = False
            if successor is not None:
                successor.woken.release()
            for ticket in batch:
                if ticket is not own and ticket is not successor:
                    ticket.woken.release()
            if not goes_on:
                return

    def _commit_batch(self, batch: list[_Ticket[Item, Answer]], notes: dict[int, Note]) -> bool:
        """Commit one batch; return whether it failed."""
        try:
            answers = self._commit([ticket.item for ticket in batch], list(notes.values()))
        except Exception as error:  # noqa: BLE001  # whatever went wrong, those who wait must hear of it
            for ticket in batch:
                ticket.error = error
            return True
        for ticket, answer in zip(batch, answers, strict=True):
            ticket.answer = answer
        return False
