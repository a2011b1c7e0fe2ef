"""Every setting: its name, what it accepts, its default and what it is for. The only reader of the environment.

A value comes from the command line, else from ``MEANTIME_<NAME>``, else from a TOML file, else from the default. Every
value that is given is checked, even one that is overridden. Nothing else in Meantime looks at ``os.environ``.

What values may look like is in ``meantime.fields``.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from meantime.errors import FieldError, SettingsError
from meantime.fields.fields import Default, check_names, fields_of, parse_toml
from meantime.fields.kinds import Boolean, Choice, ListOf, Text, WholeNumber, seconds
from meantime.fields.places import NAMED_PATHS, FilePath, IpAddress, NamedPath
from meantime.fields.refusals import nearest, shown

__all__ = ["NamedPath", "SettingDescription", "Settings", "core_count", "describe_settings", "load_settings"]

VARIABLE_PREFIX = "MEANTIME_"
THREADS_VARIABLE = "TP_NUM_OF_THREADS"
CONFIG_VARIABLE = "MEANTIME_CONFIG"
DEFAULT_CONFIG = "meantime.toml"
MAXIMUM_THREADS = 256

_MADE_UP = re.compile(
    VARIABLE_PREFIX
    + r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR|PORT_START|PORT_END))?"
    r"|NAME|ENV_\w+)",
    re.ASCII,
)
_HOST = r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
_HOST_NAME = Text("a host name", _HOST, lower=True)
_URL_PREFIX = Text(
    "a path such as /stats, without a slash at its end", r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", minimum=0, maximum=200
)
_ORIGIN_OR_ANY = Text("an origin, or *", rf"\*|https?://{_HOST}(:[0-9]{{1,5}})?", lower=True)
_ORIGIN = Text("an origin", rf"https?://{_HOST}(:[0-9]{{1,5}})?", lower=True)


def core_count() -> int:
    """Return how many cores this process may use, at most MAXIMUM_THREADS."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, MAXIMUM_THREADS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a server is to run; each field carries what it accepts, what it is for, and a default that needs words."""

    data: Annotated[
        tuple[NamedPath, ...],
        NAMED_PATHS,
        "The tables to serve: CSV, CSV in gzip, zstd or zip, or Parquet. The first is the default.",
        Default("CDC's bundled table"),
    ] = ()
    mapping: Annotated[
        tuple[NamedPath, ...],
        NAMED_PATHS,
        "A TOML file that says what an unknown table's columns are; without a name, the first table's.",
        Default("none"),
    ] = ()
    host: Annotated[str, IpAddress(), "The address to bind to. Any but loopback needs access keys or --insecure."] = (
        "127.0.0.1"
    )
    port: Annotated[int, WholeNumber(0, 65_535), "The port to bind to; 0 takes a free one."] = 5000
    insecure: Annotated[
        bool, Boolean(), "Serve without access keys on an address that others can reach: anybody may submit jobs."
    ] = False
    state_dir: Annotated[
        Path,
        FilePath(),
        "Where results/, webserver.log and .meantime/ (the job store) are.",
        Default("the working directory"),
    ] = Path()
    kept_versions: Annotated[
        int,
        WholeNumber(1, 1000),
        "How many versions of each table stay at hand for answers that name theirs.",
    ] = 8
    threads: Annotated[
        int,
        WholeNumber(1, MAXIMUM_THREADS),
        f"How many jobs run at once; or set {THREADS_VARIABLE}.",
        Default("the number of cores"),
    ] = field(default_factory=core_count)
    queue_capacity: Annotated[int, WholeNumber(1, 1_000_000), "How many jobs may wait; beyond, a request gets 503."] = (
        1000
    )
    queue_owner_percent: Annotated[
        int,
        WholeNumber(1, 100),
        "How much of the queue that other owners of keys leave one owner's jobs may take; beyond, a request gets 503.",
    ] = 50
    drain_timeout_s: Annotated[
        float, seconds(86_400), "How long the drain waits for accepted jobs; the others run at the next start."
    ] = 30.0
    retention_age_s: Annotated[
        float,
        seconds(1e10),
        "Finished jobs older than this go, unless their result was fetched within a day; 0: never.",
        Default("90 days"),
    ] = 7_776_000.0
    retention_bytes: Annotated[
        int,
        WholeNumber(0, 10**15),
        "Finished jobs whose results take more go, the oldest first, those fetched within a day last; 0: never.",
        Default("4 GiB"),
    ] = 4 * 1024**3
    retention_count: Annotated[
        int | None, WholeNumber(1, 10**12), "Finished jobs beyond this count go, the oldest first.", Default("never")
    ] = None
    result_wait_s: Annotated[float, seconds(60), "How long get_results waits before it says that a job runs."] = 0.05
    body_limit_bytes: Annotated[int, WholeNumber(1024, 1 << 30), "The largest request body."] = 65_536
    http_threads: Annotated[int, WholeNumber(2, 65_536), "How many requests are answered at once."] = 512
    header_timeout_s: Annotated[
        float, seconds(3600), "A client whose headers, or then its body, take longer is cut off."
    ] = 10.0
    answer_timeout_s: Annotated[
        float,
        seconds(3600),
        "A client that takes less than 32 KB of what is left of its answer in this time, or 20 times as long for all, "
        "is cut off.",
    ] = 30.0
    job_time_limit_s: Annotated[float, seconds(86_400), "A job that runs longer fails."] = 60.0
    log_level: Annotated[
        str,
        Choice(("debug", "info", "warning", "error"), any_case=True),
        "The least important lines that webserver.log holds.",
    ] = "info"
    allowed_hosts: Annotated[
        tuple[str, ...],
        ListOf(_HOST_NAME, minimum=0, expected="host names, separated by commas"),
        "Further names that clients call this server by.",
        Default("none"),
    ] = ()
    url_prefix: Annotated[str, _URL_PREFIX, "The path below which a proxy mounts this server.", Default("none")] = ""
    allowed_origins: Annotated[
        tuple[str, ...],
        ListOf(_ORIGIN, minimum=0, expected="origins, separated by commas"),
        "Other sites whose pages may use this server (CORS).",
        Default("none"),
    ] = ()
    embedding_sites: Annotated[
        tuple[str, ...],
        ListOf(_ORIGIN_OR_ANY, minimum=0, expected="origins, separated by commas, or * for any"),
        "Other sites whose pages may show answers: in frames, and as pictures.",
        Default("none"),
    ] = ()
    public_read: Annotated[
        bool, Boolean(), "Where access keys are in use: let everybody read data and answers; jobs still take a key."
    ] = False
    posts_per_minute: Annotated[
        int,
        WholeNumber(0, 1_000_000),
        "How often a key, or an address that isn't this machine, may POST; 0: no limit.",
    ] = 3000

    event_log: Annotated[
        Path | None,
        FilePath(),
        "A file for every request, job and message as JSON lines, with their ids.",
        Default("none"),
    ] = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def base_url(self) -> str:
        """The address as a URL without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.url_prefix}"

    @property
    def results_dir(self) -> Path:
        """Where results appear as ``job_id_7.json``."""
        return self.state_dir / "results"

    @property
    def log_file(self) -> Path:
        """The contract's ``webserver.log``."""
        return self.state_dir / "webserver.log"

    @property
    def store_dir(self) -> Path:
        """Where the store, its lock, the stored results and the cube cache are kept."""
        return self.state_dir / ".meantime"

    @property
    def keys_file(self) -> Path:
        """The access keys; if it is there, every client needs one."""
        return self.store_dir / "keys.json"


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """One setting for people: ``expected`` is what it accepts, ``default`` a text."""

    name: str
    option: str
    variable: str
    expected: str
    default: str
    summary: str
    is_flag: bool


def describe_settings() -> tuple[SettingDescription, ...]:
    """Return every setting in the order of ``Settings``; the command line and the documentation are made from it."""
    return tuple(
        SettingDescription(
            name=each.name,
            option=_option(each.name),
            variable=_variable(each.name),
            expected=each.kind.expected,
            summary=each.summary,
            default=each.default_in_words or str(each.default).lower(),
            is_flag=each.default is False,
        )
        for each in fields_of(Settings)
    )


def load_settings(
    command_line: Mapping[str, object] | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of this process.

    Parameters
    ----------
    command_line
        Values by setting's name, as given (text); None where an option was not given.
    config
        The TOML file; without it ``MEANTIME_CONFIG``, else ``meantime.toml`` in the working directory if it is there.
        Relative paths in it are relative to its own folder.
    environ
        The environment; ``os.environ`` without it.

    Raises
    ------
    SettingsError
        A value is not accepted, or a variable or the file names an unknown setting; the message
        names the source, the value and what is accepted.

    Examples
    --------
    >>> load_settings({"port": "8080"}, environ={"TP_NUM_OF_THREADS": "4"}).threads
    4
    """
    environment = os.environ if environ is None else environ
    values = _from_file(_config_file(config, environment))
    values |= _from_environment(environment)
    for name, given in (command_line or {}).items():
        if given is not None:
            values[name] = _read(name, given, source=_option(name))
    return Settings(**values)  # type: ignore[arg-type]  # each value came out of its own field's reader


_KINDS = {each.name: each.kind for each in fields_of(Settings)}


def _option(name: str) -> str:
    return "DATA" if name == "data" else f"--{name.replace('_', '-')}"


def _variable(name: str) -> str:
    return VARIABLE_PREFIX + name.upper()


def _read(name: str, given: object, *, source: str) -> object:
    """Read one value, or say what is wrong with it."""
    kind = _KINDS[name]
    try:
        value = kind.read(given)
        if isinstance(given, float) and isinstance(value, int):  # TOML, unlike JSON, tells 1.0 from 1
            raise kind.refusal(given)
    except FieldError:
        raise SettingsError(f"{source}: {shown(given)} is not accepted; give {kind.expected}") from None
    return value


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Read the variables; one that begins like ours and is none is refused, as in a file."""
    ours = {name: given for name, given in environment.items() if name.startswith(VARIABLE_PREFIX)}
    ours = {name: given for name, given in ours.items() if not _is_made_up(name, given)}
    known = {*map(_variable, _KINDS), CONFIG_VARIABLE}
    for variable in ours:
        if variable not in known:
            raise _unknown_variable(variable)
    values: dict[str, object] = {}
    for name in _KINDS:
        if _variable(name) in ours:
            values[name] = _read(name, ours[_variable(name)], source=_variable(name))
    if THREADS_VARIABLE in environment:
        values["threads"] = _read("threads", environment[THREADS_VARIABLE], source=THREADS_VARIABLE)
    return values


def _unknown_variable(variable: str) -> SettingsError:
    names = [each.upper() for each in (*_KINDS, "config")]
    near = nearest(variable.removeprefix(VARIABLE_PREFIX), names)  # without what would make all names alike
    likely = " or ".join(map(_variable, near))
    hint = f"did you mean {likely}?" if near else f"accepted: {', '.join(map(_variable, names))}"
    return SettingsError(f"{shown(variable)} is no setting; {hint}")


def _is_made_up(variable: str, given: str) -> bool:
    """Whether a container platform made a variable up: Kubernetes for a service called meantime, Docker for a link.

    One of them, ``MEANTIME_PORT=tcp://10.0.0.11:5000``, has the name of a setting.
    """
    if variable.endswith("_PORT") and "://" in given:
        return True
    return _MADE_UP.fullmatch(variable) is not None


def _config_file(config: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file to read, if there is one."""
    if config is not None:
        return config
    if environment.get(CONFIG_VARIABLE):
        return Path(environment[CONFIG_VARIABLE])
    default = Path(DEFAULT_CONFIG)
    try:
        return default if default.is_file() else None
    except PermissionError:  # somebody else's folder, such as root's from which a command is run as the server's user
        return None


def _from_file(path: Path | None) -> dict[str, object]:
    """Read the TOML file."""
    if path is None:
        return {}
    try:
        table = parse_toml(path.read_text(encoding="utf-8"))
        check_names(table, _KINDS, what="setting")
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror}); name another file with --config") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error
    except FieldError as error:
        raise SettingsError(f"{path}: {error}") from None
    values = {name: _read(name, given, source=f"{path}: {name}") for name, given in table.items()}
    return {name: _beside(path, value) for name, value in values.items()}


def _beside(config: Path, value: object) -> object:
    """Return a value of a file with its relative paths made relative to the file's folder."""
    if isinstance(value, Path):
        return config.parent / value
    if isinstance(value, tuple):
        return tuple(_beside(config, item) for item in value)
    if isinstance(value, NamedPath):
        return NamedPath(value.name, config.parent / value.path)
    return value
