"""Where a setting's value comes from, and how a wrong one is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from meantime.errors import SettingsError
from meantime.settings import NamedPath, Settings, core_count, describe_settings, load_settings

# Some of these plain int() accepts, others a shell produces by accident.
NOT_A_THREAD_COUNT = [
    "", " ", "abc", "0", "-1", "+1", "1.5", "1e2", "1_0", "1_000", "03", " 3", "3 ", "3\n", "\t3", "257", "99999999",
    "9" * 400, "0x10", "\u0661", "\uff13", "\xb2", "None", "true", "4,5", "auto",
]  # fmt: skip


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_bind_to_loopback_and_use_every_core() -> None:
    settings = load_settings(environ={})
    assert (settings.host, settings.port, settings.insecure) == ("127.0.0.1", 5000, False)
    assert settings.threads == core_count() == len(os.sched_getaffinity(0))
    assert settings == Settings()


@pytest.mark.parametrize("given", NOT_A_THREAD_COUNT)
def test_a_senseless_number_of_threads_is_refused_with_its_range(given: str) -> None:
    with pytest.raises(SettingsError, match="TP_NUM_OF_THREADS.*whole number from 1 to 256") as refused:
        load_settings(environ={"TP_NUM_OF_THREADS": given})
    assert repr(given)[:50] in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("given", "threads"), [("1", 1), ("8", 8), ("256", 256)])
def test_the_contracts_variable_sets_the_number_of_threads(given: str, threads: int) -> None:
    assert load_settings(environ={"TP_NUM_OF_THREADS": given, "MEANTIME_THREADS": "7"}).threads == threads


def test_a_wrong_value_is_refused_even_where_another_source_overrides_it() -> None:
    with pytest.raises(SettingsError, match="TP_NUM_OF_THREADS"):
        load_settings({"threads": "2"}, environ={"TP_NUM_OF_THREADS": "abc"})


def test_the_command_line_goes_before_variables_before_the_file_before_defaults(empty_directory: Path) -> None:
    (empty_directory / "meantime.toml").write_text("port = 1001\nthreads = 11\nqueue_capacity = 12\n")
    settings = load_settings(
        {"port": "3003", "threads": None}, environ={"MEANTIME_PORT": "2002", "MEANTIME_THREADS": "22"}
    )
    assert (settings.port, settings.threads, settings.queue_capacity, settings.host) == (3003, 22, 12, "127.0.0.1")


def test_a_file_named_by_option_or_variable_replaces_the_default_file(empty_directory: Path) -> None:
    (empty_directory / "meantime.toml").write_text("port = 1001\n")
    (empty_directory / "other.toml").write_text("port = 1002\n")
    (empty_directory / "third.toml").write_text("port = 1003\n")
    environ = {"MEANTIME_CONFIG": "other.toml"}
    assert load_settings(environ={}).port == 1001
    assert load_settings(environ=environ).port == 1002
    assert load_settings(config=Path("third.toml"), environ=environ).port == 1003


@pytest.mark.parametrize("given", [("brfss=a.csv", "b=c=d.csv", "./x=y.csv"), "brfss=a.csv:b=c=d.csv:./x=y.csv"])
def test_several_tables_are_told_apart_by_name(given: object) -> None:
    expected = (NamedPath("brfss", Path("a.csv")), NamedPath("b", Path("c=d.csv")), NamedPath("", Path("x=y.csv")))
    assert load_settings({"data": given}, environ={}).data == expected


def test_a_list_in_a_file_is_relative_to_it_too(empty_directory: Path) -> None:
    (empty_directory / "etc").mkdir()
    (empty_directory / "etc" / "m.toml").write_text('data = ["brfss=a.csv", "wic=/srv/b.csv"]\n')
    settings = load_settings(config=Path("etc/m.toml"), environ={})
    assert settings.data == (NamedPath("brfss", Path("etc/a.csv")), NamedPath("wic", Path("/srv/b.csv")))


def test_paths_in_a_file_are_relative_to_it(empty_directory: Path) -> None:
    (empty_directory / "etc").mkdir()
    (empty_directory / "etc" / "m.toml").write_text('state_dir = "state"\ndata = "/srv/table.csv"\n')
    settings = load_settings(config=Path("etc/m.toml"), environ={})
    assert settings.state_dir == Path("etc/state")
    assert settings.data == (NamedPath("", Path("/srv/table.csv")),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("prot = 5000", r"'prot' is no setting; did you mean 'port'"),
        ("zzz = 1", r"'zzz' is no setting; accepted: data, mapping"),
        ("port = 'x'", r"meantime.toml: port: 'x' is not accepted; give a whole number from 0 to 65535"),
        ("port = true", r"port: True is not accepted"),
        ("port = 1.0", r"port: 1.0 is not accepted"),
        ("drain_timeout_s = nan", r"drain_timeout_s: nan is not accepted"),
        ("insecure = 1", r"insecure: 1 is not accepted"),
        ("port = ", r"meantime.toml: is not TOML"),
        ("port = 1\nport = 2", r"meantime.toml: is not TOML"),
        pytest.param("port = " + "9" * 5000, r"meantime.toml: is not TOML", id="more digits than Python reads"),
        pytest.param("port = 0x" + "f" * 5000, r"port: .* is not accepted", id="more digits than Python writes"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(empty_directory: Path, content: str, message: str) -> None:
    (empty_directory / "meantime.toml").write_text(content)
    with pytest.raises(SettingsError, match=message):
        load_settings(environ={})


def test_a_file_that_is_not_there_or_not_text_is_refused(empty_directory: Path) -> None:
    (empty_directory / "binary.toml").write_bytes(b"\xff\xfe")
    for name in ("missing.toml", "binary.toml", "."):
        with pytest.raises(SettingsError, match=name):
            load_settings(config=Path(name), environ={})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("host", "example.org"),
        ("host", "127.0.0.1:5000"),
        ("port", "65536"),
        ("port", "10.0.0.1:5000"),
        ("drain_timeout_s", "-1"),
        ("drain_timeout_s", "1e5"),
        ("drain_timeout_s", "inf"),
        ("insecure", "maybe"),
        ("data", ""),
        ("data", "a\0b"),
        ("state_dir", "~no-such-user/state"),
        ("log_level", "loud"),
        ("body_limit_bytes", "1_000_000"),
        ("url_prefix", "stats"),
        ("url_prefix", "/stats/"),
        ("url_prefix", "/"),
        ("url_prefix", "//evil.example"),
        ("url_prefix", "/a/../b"),
        ("url_prefix", "/a b"),
        ("url_prefix", "/st\u00e4ts"),
        ("url_prefix", "/a\n"),
    ],
)
def test_a_wrong_value_is_refused_by_name_from_every_source(name: str, given: str) -> None:
    for source, arguments in {
        f"MEANTIME_{name.upper()}": {"environ": {f"MEANTIME_{name.upper()}": given}},
        "DATA" if name == "data" else f"--{name.replace('_', '-')}": {"command_line": {name: given}, "environ": {}},
    }.items():
        with pytest.raises(SettingsError) as refused:
            load_settings(**arguments)  # type: ignore[arg-type]  # two of the keyword arguments, by name
        assert str(refused.value).startswith(f"{source}: {given!r} is not accepted; give ")


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(environ={"MEANTIME_PORT": "9" * 10_000})
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(("given", "url"), [("", ""), ("/stats", "/stats"), ("/~ada/v1.0", "/~ada/v1.0")])
def test_the_address_has_the_prefix_from_every_source(given: str, url: str, tmp_path: Path) -> None:
    config = tmp_path / "meantime.toml"
    config.write_text(f"url_prefix = {given!r}")
    for settings in (
        load_settings({"url_prefix": given}, environ={}),
        load_settings(environ={"MEANTIME_URL_PREFIX": given}),
        load_settings(config=config, environ={}),
    ):
        assert (settings.url_prefix, settings.base_url) == (given, f"http://127.0.0.1:5000{url}")


@pytest.mark.parametrize(
    ("given", "host", "url", "is_loopback"),
    [
        ("localhost", "127.0.0.1", "http://127.0.0.1:5000", True),
        ("127.0.0.2", "127.0.0.2", "http://127.0.0.2:5000", True),
        ("::1", "::1", "http://[::1]:5000", True),
        ("[::1]", "::1", "http://[::1]:5000", True),
        ("0.0.0.0", "0.0.0.0", "http://0.0.0.0:5000", False),
        ("192.168.1.5", "192.168.1.5", "http://192.168.1.5:5000", False),
    ],
)
def test_an_address_is_told_from_loopback(given: str, host: str, url: str, is_loopback: bool) -> None:
    settings = load_settings({"host": given}, environ={})
    assert (settings.host, settings.base_url, settings.is_loopback) == (host, url, is_loopback)


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("MEANTIME_RETENTION_CUONT", "did you mean MEANTIME_RETENTION_COUNT or "),
        ("MEANTIME_PORTS", "did you mean MEANTIME_PORT?"),
        ("MEANTIME_STATEDIR", "did you mean MEANTIME_STATE_DIR?"),
        ("MEANTIME_CONFG", "did you mean MEANTIME_CONFIG?"),
        ("MEANTIME_port", "did you mean MEANTIME_PORT?"),
        ("MEANTIME_ZZZ", "accepted: MEANTIME_DATA, "),
        ("MEANTIME_", "accepted: MEANTIME_DATA, "),
    ],
)
def test_an_unknown_variable_is_refused_as_in_a_file_with_the_nearest(variable: str, message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable!r} is no setting; {re.escape(message)}"):
        load_settings(environ={variable: "1"})


# The variables that Kubernetes makes up for services called meantime and meantime-web, and Docker for a link.
OF_A_PLATFORM = {
    "MEANTIME_SERVICE_HOST": "10.0.0.11",
    "MEANTIME_SERVICE_PORT": "5000",
    "MEANTIME_SERVICE_PORT_HTTP": "5000",
    "MEANTIME_PORT": "tcp://10.0.0.11:5000",
    "MEANTIME_PORT_5000_TCP": "tcp://10.0.0.11:5000",
    "MEANTIME_PORT_5000_TCP_PROTO": "tcp",
    "MEANTIME_PORT_5000_TCP_PORT": "5000",
    "MEANTIME_PORT_5000_TCP_ADDR": "10.0.0.11",
    "MEANTIME_PORT_53_UDP": "udp://10.0.0.11:53",
    "MEANTIME_WEB_SERVICE_HOST": "10.0.0.12",
    "MEANTIME_WEB_PORT": "tcp://10.0.0.12:80",
    "MEANTIME_WEB_PORT_80_TCP_ADDR": "10.0.0.12",
    "MEANTIME_NAME": "/proxy/meantime",
    "MEANTIME_ENV_PYTHON_VERSION": "3.13",
}


@pytest.mark.parametrize("variable", OF_A_PLATFORM)
def test_variables_that_a_container_platform_makes_up_are_left_alone(variable: str) -> None:
    assert load_settings(environ={variable: OF_A_PLATFORM[variable]}) == load_settings(environ={})


def test_variables_of_others_are_left_alone() -> None:
    assert load_settings(environ={"PORT": "1", "MEANTIMES_PORT": "1", "meantime_port": "1"}).port == 5000


def test_every_setting_is_described() -> None:
    described = {each.name: each for each in describe_settings()}
    assert set(described) == set(Settings.__dataclass_fields__)
    for each in described.values():
        assert each.summary.endswith(".")
        assert each.expected
        assert each.default
    assert described["port"].default == "5000"
    assert described["threads"].default == "the number of cores"
    assert described["insecure"].is_flag
    assert (described["state_dir"].option, described["state_dir"].variable) == ("--state-dir", "MEANTIME_STATE_DIR")


def test_folders_are_below_the_state_directory() -> None:
    settings = Settings(state_dir=Path("/var/lib/meantime"))
    assert settings.results_dir == Path("/var/lib/meantime/results")
    assert settings.log_file == Path("/var/lib/meantime/webserver.log")
    assert settings.store_dir == Path("/var/lib/meantime/.meantime")
