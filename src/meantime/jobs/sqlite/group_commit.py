"""Group commit by leader and followers: requests that arrive together share one sync.

There is no writer thread. The first thread that has something to commit becomes the leader and commits for all that
wait; a thread that comes while the leader is busy waits, and one of those waiting leads the next round. Two
hand-offs between threads are saved for every commit. What a commit does is the store's business, not this module's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
"""What must be durable before its thread goes on."""
Note = TypeVar("Note")
"""What is written with the next commit, whoever makes it."""
Answer = TypeVar("Answer")
"""What the commit says of one item."""


class _Ticket(Generic[Item, Answer]):
    """A thread that waits for a commit: of its item, or (a flush) of the notes alone."""

    __slots__ = ("answers", "error", "items", "leads", "woken")

    def __init__(self, items: list[Item]) -> None:
        self.items = items  # one or none
        self.answers: list[Answer] = []  # written by the leader before woken is released
        self.error: Exception | None = None  # written by the leader before woken is released
        self.leads = False  # written under GroupCommit._lock before woken is released
        self.woken = threading.Lock()  # a one-shot event: held until the leader releases it
        self.woken.acquire()


class GroupCommit(Generic[Item, Note, Answer]):
    """Collects items and commits them together.

    Parameters
    ----------
    commit
        Called with (items, notes), by one thread at a time; returns one answer for each item. With items it must sync
        before it returns. When it raises, nothing counts as committed: those who wait get the error. The notes are
        then tried without the items, and stay for the next commit when that fails, too.
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
        self._notes: dict[int, Note] = {}  # guarded by self._lock; the next commit's
        self._taken: dict[int, Note] = {}  # guarded by self._lock; those of the commit that is under way
        self._has_leader = False  # guarded by self._lock

    def commit_durably(self, item: Item) -> Answer:
        """Commit an item with a sync and return its answer. Raises what the commit raised."""
        [answer] = self._wait_for_commit([item])
        return answer

    def note(self, key: int, note: Note) -> None:
        """Leave a note for the next commit, whoever makes it; it takes the place of an earlier one that isn't final."""
        with self._lock:
            earlier = self._notes.get(key)
            if earlier is None or not self._is_final(earlier):
                self._notes[key] = note

    def has_note(self, key: int) -> bool:
        """Whether a note of this key is not yet committed."""
        with self._lock:
            return key in self._notes or key in self._taken

    def waiting_count(self) -> int:
        """Return how many threads wait for the next commit."""
        with self._lock:
            return len(self._waiting)

    def flush(self) -> None:
        """Commit the notes left so far, if there are any. Raises what the commit raised; they then go on waiting."""
        with self._lock:
            if not self._notes and not self._taken:
                return
        self._wait_for_commit([])

    def _wait_for_commit(self, items: list[Item]) -> list[Answer]:
        """Lead the next commit, or wait until another thread has made it."""
        ticket: _Ticket[Item, Answer] = _Ticket(items)
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
        return ticket.answers

    def _lead(self, own: _Ticket[Item, Answer]) -> None:
        """Commit all that wait, then hand the lead to a thread that came meanwhile."""
        with self._lock:
            batch, self._waiting = self._waiting, []
            self._taken, self._notes = self._notes, {}
            notes = list(self._taken.values())
        is_written = self._commit_for(batch, notes)
        if not is_written and any(ticket.items for ticket in batch):
            is_written = self._commit_for([ticket for ticket in batch if not ticket.items], notes)
        with self._lock:
            if not is_written:
                self._notes = self._taken | self._notes  # newer notes of the same key win over the ones that failed
            self._taken = {}
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

    def _commit_for(self, batch: list[_Ticket[Item, Answer]], notes: list[Note]) -> bool:
        """Commit the items of a batch, and notes; tell each ticket how it went, and return whether it went well."""
        items = [item for ticket in batch for item in ticket.items]
        try:
            answers = iter(self._commit(items, notes) if items or notes else ())
        except Exception as error:  # noqa: BLE001  # whatever went wrong, those who wait must hear of it
            for ticket in batch:
                ticket.error = error
            return False
        for ticket in batch:
            ticket.answers = list(islice(answers, len(ticket.items)))
            ticket.error = None
        return True
