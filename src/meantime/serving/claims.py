"""What a server takes before it reads anything: its address, port, logs, state directory. Nothing is served here."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import TYPE_CHECKING

from meantime.access_keys import AccessKeyFile
from meantime.errors import SettingsError
from meantime.settings import Settings

if TYPE_CHECKING:
    from meantime.jobs.state_directory import StateLock

_TO_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
_MAY_PASS = (errno.ENOSPC, errno.EDQUOT, errno.ENXIO)  # the last is a pipe that nobody reads yet


def check_exposure(settings: Settings) -> None:
    """Raise unless the server is out of others' reach, or access keys are in use, or somebody asked for neither.

    Raises
    ------
    SettingsError
        The address is open to others.
    AccessKeyError
        There are access keys, and they can't be read.
    """
    keys = AccessKeyFile(settings.keys_file).access_keys()
    if not (settings.is_loopback or settings.insecure or keys):
        raise SettingsError(
            f"--host: {settings.host} can be reached by others, who could then submit jobs; "
            f"make an access key (meantime keys add NAME --role ROLE --state-dir {settings.state_dir.absolute()}), "
            "use 127.0.0.1, or give --insecure if the network is trusted"
        )


def check_event_log(settings: Settings) -> None:
    """Raise unless the log of events that was asked for can be written; a full disk may have room later.

    Raises
    ------
    SettingsError
        It can't: all its lines would be lost.
    """
    if settings.event_log is None:
        return
    try:
        os.close(os.open(settings.event_log, _TO_APPEND, 0o600))
    except OSError as error:
        if error.errno not in _MAY_PASS:
            message = f"can't write {settings.event_log}: {error.strerror}; name a file in a folder that is there"
            raise SettingsError(f"--event-log: {message}") from error


def claim_state(settings: Settings) -> StateLock | None:
    """Take the lock of the state directory, before anything is read; the worker inherits it where it is forked (Linux).

    Raises
    ------
    StoreError
        Another server holds it, or it can't be written.
    """
    if sys.platform != "linux":
        return None
    from meantime.jobs.state_directory import StateLock

    state_lock = StateLock(settings.store_dir)
    state_lock.acquire()
    return state_lock


def claim_port(host: str, port: int) -> tuple[socket.socket | None, int]:
    """Make sure that nobody else serves on a port.

    Granian binds with SO_REUSEPORT, so the kernel would let two servers of the same user share a port.

    Returns
    -------
    tuple
        A socket that marks the port as taken for other servers of this kind for as long as it is open (Linux only),
        and the port, which is a free one if 0 was asked for.

    Raises
    ------
    SettingsError
        The address can't be bound to; the message says why.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise _no_port(host, port, error) from None
        port = trial.getsockname()[1]
    if sys.platform != "linux":
        return None, port
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mark.bind(f"\0meantime/{host}/{port}")  # closes the moment between this trial and granian's bind
    except OSError as error:
        mark.close()
        raise _no_port(host, port, error) from None
    return mark, port


def _no_port(host: str, port: int, error: OSError) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(f"--port: {port} on {host} is in use; stop the other server or choose another port")
    return SettingsError(f"--host, --port: can't bind to {host}, port {port}: {error.strerror}; choose another")
