"""The one exception tree. It knows nothing of HTTP: ``web/problems.py`` maps it to statuses.

::

    MeantimeError
    ├── FieldError                   a value doesn't fit its field; whoever asked for it says so in its own error
    ├── SettingsError                a setting can't be used
    ├── AccessKeyError               the access keys can't be used or changed
    ├── DataError                    a source can't be read as a table of estimates
    │   ├── DataChangedError         the source is no longer the file that was loaded
    │   └── ReloadError              a source can't be read again; the old version is still served
    ├── RequestError                 what a client sent can't be accepted; no job is created
    │   ├── MalformedRequestError    it can't be read at all
    │   ├── InvalidParameterError    it can be read, but a field is wrong
    │   │   └── UnknownDatasetError  no dataset has this name
    │   └── RequestTooLargeError     it is larger than the server accepts
    ├── PictureError                 a chart can't be drawn as a picture
    │   └── PictureUnavailableError  nothing draws pictures at the moment; try later
    ├── NoPlaceError                 other requests, perhaps the client's own, hold all that one takes; try later
    ├── StatisticError               a job ran and found that its question has no answer
    │   └── TimeLimitError           a job ran longer than its time limit
    ├── JobError                     a job can't do what was asked of it
    │   ├── UnknownJobError          no such job
    │   ├── IllegalTransitionError   the job is not in a state that allows it
    │   ├── QueueFullError           the queue has no place
    │   ├── ShuttingDownError        the drain has begun
    │   ├── IdempotencyConflictError the idempotency key has been used for another job
    │   ├── JobCancelledError        somebody cancelled the job while it ran
    │   ├── NoResultError            the job has ended without a result, or has not ended
    │   └── ResultLostError          the result is gone and can't be computed again
    └── StoreError                   the job store can't do its work
        ├── StoreLockedError         another server owns the state directory
        ├── StoreCorruptError        the store's content can't be trusted
        ├── StoreVersionError        the store was written by a newer version
        ├── StoreUnavailableError    a write or a sync failed
        ├── BackupError              a copy of the store can't be made
        └── StorageFullError         no space left

Every message names the bad value and the next step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self


class MeantimeError(Exception):
    """The root of every error that Meantime raises on purpose."""


class FieldError(MeantimeError):
    """A value doesn't fit its field. It doesn't know where the value came from, so it is never shown as it is.

    Parameters
    ----------
    message
        What is wrong with the value, for a person, without the field's name.
    field
        The name of the field; empty as long as only the value is known.
    accepted
        The accepted values, when they are few.
    nearest
        The accepted values most like the one that was given, best first.
    """

    def __init__(
        self, message: str, *, field: str = "", accepted: Sequence[str] = (), nearest: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.field = field
        self.accepted = tuple(accepted)
        self.nearest = tuple(nearest)

    def at(self, field: str) -> Self:
        """Return the error with the name of the field."""
        self.field = field
        return self


class SettingsError(MeantimeError):
    """A setting can't be used; the message names the setting, its value and what is accepted."""


class AccessKeyError(MeantimeError):
    """The file of access keys can't be used, or a key can't be added or revoked."""


class DataError(MeantimeError):
    """A source can't be read as a table of estimates; the message names file, line and column.

    Parameters
    ----------
    message
        One line for a person.
    settings
        Lines of a mapping file that would settle it, each with its section; the first is enough.
    """

    def __init__(self, message: str, *, settings: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.settings = tuple(settings)


class DataChangedError(DataError):
    """The source file is no longer the one that the dataset version was loaded from."""


class ReloadError(DataError):
    """A source can't be read again; the version that was loaded before is still served."""


class RequestError(MeantimeError):
    """What a client sent can't be accepted; no job is created."""


class MalformedRequestError(RequestError):
    """The body can't be read: not JSON, wrong encoding, too deep, duplicate keys."""


class RequestTooLargeError(RequestError):
    """The body is larger than the server accepts."""


class NoPlaceError(MeantimeError):
    """All places for such a request are taken, or the client's share; ``retry_after_s`` says when to try again."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PictureError(MeantimeError):
    """A chart can't be drawn as a picture."""


class PictureUnavailableError(PictureError):
    """What draws pictures is busy, has died, took too long or isn't there; ``retry_after_s`` says when to try again."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class InvalidParameterError(RequestError):
    """One field of a request is wrong.

    Parameters
    ----------
    message
        What is wrong and what to do, for a person.
    field
        The name of the field, as the client spelled it.
    accepted
        The accepted values, when they are few.
    nearest
        The accepted values most like the one that was sent, best first.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str,
        accepted: Sequence[str] = (),
        nearest: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.field = field
        self.accepted = tuple(accepted)
        self.nearest = tuple(nearest)

    def below(self, path: str) -> Self:
        """Return the error with the path to where its field stands."""
        self.field = f"{path}.{self.field}" if self.field else path
        self.args = (f"{path}: {self.args[0]}", *self.args[1:])
        return self

    @classmethod
    def of(cls, error: FieldError) -> Self:
        """Return what a client is told of a value that doesn't fit its field."""
        message = f"{error.field}: {error}"
        return cls(message, field=error.field, accepted=error.accepted, nearest=error.nearest)


class UnknownDatasetError(InvalidParameterError):
    """No dataset has this name."""


class UnknownVersionError(InvalidParameterError):
    """The dataset never had this version, as far as is known here."""


class VersionGoneError(RequestError):
    """The dataset had this version and it is no longer kept; the message cites it."""


class StatisticError(MeantimeError):
    """A job ran and found that its question has no answer; the job fails with this reason."""


class TimeLimitError(StatisticError):
    """A job ran longer than its time limit."""


class JobError(MeantimeError):
    """A job can't do what was asked of it."""


class UnknownJobError(JobError):
    """No job has this id, or it belongs to somebody else."""


class IllegalTransitionError(JobError):
    """The job is not in a state that allows the step; nothing was changed."""


class QueueFullError(JobError):
    """The queue has no place; ``retry_after_s`` says in how many seconds to try again."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ShuttingDownError(JobError):
    """The drain has begun: accepted jobs finish, new ones are refused."""


class JobCancelledError(JobError):
    """Somebody cancelled the job; raised inside the task, at its next checkpoint."""


class IdempotencyConflictError(JobError):
    """The owner has used this idempotency key before, for the job with ``job_number``."""

    def __init__(self, message: str, *, job_number: int) -> None:
        super().__init__(message)
        self.job_number = job_number


class NoResultError(JobError):
    """The job has ended without a result, or (with ``retry_after_s``, seconds) has not ended; ``state`` says which."""

    def __init__(self, message: str, *, state: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.state = state
        self.retry_after_s = retry_after_s


class ResultLostError(JobError):
    """The result is gone and its dataset version is no longer here to compute it again."""


class StoreError(MeantimeError):
    """The job store can't do its work."""


class StoreLockedError(StoreError):
    """Another server owns the state directory."""


class StoreCorruptError(StoreError):
    """The store's content can't be trusted; it is left as it was found."""


class StoreVersionError(StoreError):
    """The store was written by a newer version of Meantime."""


class StoreUnavailableError(StoreError):
    """A write or a sync failed, or no job number is left; nothing is acknowledged any more."""


class StorageFullError(StoreError):
    """No space is left where the state directory is."""


class BackupError(StoreError):
    """A copy of the store can't be made; the store itself is as it was."""
