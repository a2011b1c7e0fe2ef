"""The recipes in deploy/ and the runbook against the code, and against the programs that read them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from meantime.bootstrap import build_service
from meantime.cli import COMMANDS
from meantime.cli.errors import EXIT_CODES
from meantime.errors import DataError, SettingsError
from meantime.serving.server_process import HANG_GRACE_S
from meantime.serving.worker_pipe import END_LIMIT_S
from meantime.settings import Settings, describe_settings
from meantime.web.app import create_app
from meantime.web.v1.request_fields import WAIT_LIMIT_S
from tests.conftest import PROJECT
from tests.datasets import dataset_of

DEPLOY = PROJECT / "deploy"
UNITS = sorted(path for path in DEPLOY.iterdir() if path.suffix in (".service", ".timer"))
RUNBOOK = (PROJECT / "docs" / "operations.md").read_text("utf-8")
SERVICE = (DEPLOY / "meantime.service").read_text("utf-8")
NGINX = (DEPLOY / "nginx.conf").read_text("utf-8")


def value_of(text: str, name: str) -> str:
    (found,) = re.findall(rf"^\s*{name}[= ](.*?);?$", text, re.MULTILINE)
    return str(found)


@pytest.fixture
def metric_names(tmp_path: Path) -> Iterator[set[str]]:
    """Every metric of a server that has seen a job."""
    settings = Settings(state_dir=tmp_path)
    service = build_service(settings, [dataset_of([], "empty")])
    text = create_app(service, settings).test_client().get("/metrics").text
    families = [family for family in text_string_to_metric_families(text) if family.name.startswith("meantime_")]
    yield {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    service.close()


def test_every_metric_is_in_the_runbook_and_every_one_there_exists(metric_names: set[str]) -> None:
    table = re.findall(r"^\| (`meantime_.*?) \|", RUNBOOK, re.MULTILINE)
    documented = {name for cell in table for name in re.findall(r"`(meantime_\w+)", cell)}
    assert documented == metric_names


def test_every_alarm_names_a_metric_that_exists(metric_names: set[str]) -> None:
    alarms = RUNBOOK.partition("Worth an alarm")[2].partition("##")[0]
    assert set(re.findall(r"meantime_\w+", alarms)) <= metric_names


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_recipe_is_in_the_runbook(path: Path) -> None:
    assert path.name in RUNBOOK


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_name_settings_and_commands_that_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    variables = set(re.findall(r"^Environment=(MEANTIME_\w+)=", text, re.MULTILINE))
    assert variables <= {each.variable for each in describe_settings()}
    assert set(re.findall(r"/bin/meantime (\w+)", text)) <= set(COMMANDS)


def test_the_service_manager_waits_longer_than_the_drain_takes() -> None:
    assert int(value_of(SERVICE, "TimeoutStopSec")) > Settings().drain_timeout_s + END_LIMIT_S + HANG_GRACE_S


def test_a_server_that_cannot_start_is_not_started_again_and_again() -> None:
    code = int(value_of(SERVICE, "RestartPreventExitStatus"))
    assert {EXIT_CODES[SettingsError], EXIT_CODES[DataError]} == {code}


def test_nginx_has_the_servers_own_limits() -> None:
    assert value_of(NGINX, "client_max_body_size") == f"{Settings().body_limit_bytes // 1024}k"
    first, *_ = re.findall(r"proxy_read_timeout (\d+)s;", NGINX)
    assert int(first) > WAIT_LIMIT_S
    assert re.findall(r"server 127\.0\.0\.1:(\d+);", NGINX) == [str(Settings().port)]


def test_every_command_of_the_runbook_for_the_service_names_its_state_directory() -> None:
    state_dir = value_of(SERVICE, "Environment=MEANTIME_STATE_DIR")
    commands = re.findall(r"^# runuser -u meantime -- /opt/meantime/bin/meantime (.*)$", RUNBOOK, re.MULTILINE)
    assert len(commands) >= 3
    assert [command for command in commands if not command.endswith(f"--state-dir {state_dir}")] == []


def test_the_runbook_takes_no_program_that_a_plain_system_lacks() -> None:
    blocks = re.findall(r"^```console\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
    programs = {line.split()[1] for block in blocks for line in block.splitlines() if line.startswith("# ")}
    needed = {"cp", "echo", "install", "runuser", "systemctl", "umask", "useradd"}
    assert programs <= {*needed, "nginx", "/usr/bin/python3", "/opt/meantime/bin/pip"}


def test_the_runbook_says_what_the_unit_hides_from_the_server() -> None:
    section = RUNBOOK.partition("## Install it as a service")[2].partition("\n## ")[0]
    assert (value_of(SERVICE, "ProtectHome"), value_of(SERVICE, "PrivateTmp")) == ("yes", "yes")
    assert "`/home`, `/root` and `/tmp`" in section
    assert f"`/var/log/{value_of(SERVICE, 'LogsDirectory')}`" in section
    assert (value_of(SERVICE, "IPAddressDeny"), value_of(SERVICE, "IPAddressAllow")) == ("any", "localhost")
    assert "`IPAddressDeny=`" in section


def test_the_runbook_says_where_the_logs_of_the_service_are() -> None:
    section = RUNBOOK.partition("## Read its logs")[2].partition("\n## ")[0]
    assert f"`{value_of(SERVICE, 'Environment=MEANTIME_EVENT_LOG')}`" in section
    assert f"`{value_of(SERVICE, 'Environment=MEANTIME_STATE_DIR')}/webserver.log`" in section


def test_a_command_that_reads_a_log_names_the_file() -> None:
    events = value_of(SERVICE, "Environment=MEANTIME_EVENT_LOG")
    files = re.findall(r"`jq\s+'[^']*'\s*([^`]*)`", RUNBOOK)
    assert files
    assert set(files) == {events}


def test_every_folder_that_the_runbook_writes_to_is_made_first() -> None:
    folder = str(Path(value_of(SERVICE, "EnvironmentFile").removeprefix("-")).parent)
    assert RUNBOOK.index(f"# install -d -m 750 -g meantime {folder}") < RUNBOOK.index(f">> {folder}/environment")


def test_a_unit_says_where_its_backups_are() -> None:
    unit = (DEPLOY / "meantime-backup.service").read_text("utf-8")
    target = unit.partition("meantime backup ")[2].split()[0]
    assert set(re.findall(r"/var/[\w/]*backups?\b[\w/]*", unit)) == {target}
    assert f"`{target}`" in RUNBOOK


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_units(path: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (Debian: apt-get install systemd)")
    for unit in UNITS:  # a timer is read together with its service
        text = unit.read_text("utf-8").replace("/opt/meantime/bin/meantime", "/bin/true")
        (tmp_path / unit.name).write_text(text, "utf-8")
    seen = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / path.name)], check=False, capture_output=True, text=True
    )
    assert (seen.returncode, [line for line in seen.stderr.splitlines() if "meantime" in line]) == (0, [])


def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("needs nginx and openssl (Debian: apt-get install nginx openssl)")
    certificate = tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stats.example.org"]
    subprocess.run([*made, "-keyout", certificate, "-out", tmp_path / "own.pem"], check=True, capture_output=True)
    with certificate.open("a", encoding="ascii") as file:
        file.write((tmp_path / "own.pem").read_text("ascii"))
    site = re.sub(r"(ssl_certificate(?:_key)? )\S+;", rf"\g<1>{certificate};", NGINX)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
    content = f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}{site}}}\n"
    (tmp_path / "nginx.conf").write_text(content, "utf-8")
    seen = subprocess.run(
        ["nginx", "-t", "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert seen.returncode == 0, seen.stderr
