"""The commands that get a result again: pasted as they are, from the address that the reader used."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html import unescape
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
import pytest
import requests
from flask.testing import FlaskClient

from meantime.access_keys import AccessKeyFile, Role
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY
from tests.contract.v1_requests import MEAN, WAIT, decoded, problem, submit

JOBS = "/api/v1/jobs"
COMMANDS = "/api/v1/jobs/1/reproduce"
RESULT = "/api/v1/jobs/1/result"


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Write nothing."""


@pytest.fixture(params=[False, True], ids=["open", "keyed"])
def key(request: pytest.FixtureRequest, settings: Settings) -> str | None:
    """An access key that the server takes, or None where it takes none."""
    return AccessKeyFile(settings.keys_file).add("alice", Role.SUBMIT) if request.param else None


@pytest.fixture
def address(service: MeantimeService, settings: Settings, key: str | None) -> Iterator[str]:
    """Where a server listens whose job 1 is done; its port is nobody's default."""
    app = create_app(service, settings)
    with make_server("127.0.0.1", 0, app, WSGIServer, _Silent) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        address = f"http://localhost:{server.server_port}"
        answer = requests.post(f"{address}{JOBS}", json=MEAN, headers=headers_with(key) | WAIT, timeout=LIMIT_S)
        assert answer.json()["state"] == "done"
        yield address
        server.shutdown()
        serving.join(LIMIT_S)


def headers_with(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def read(address: str, path: str, key: str | None) -> dict[str, object]:
    found = requests.get(f"{address}{path}", headers=headers_with(key), timeout=LIMIT_S).json()
    assert isinstance(found, dict)
    return found


def environment_with(key: str | None) -> dict[str, str]:
    return {"PATH": os.environ["PATH"]} | ({"ACCESS_KEY": key} if key else {})


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl; install it")
def test_the_curl_command_works_as_pasted(address: str, key: str | None) -> None:
    command = str(read(address, COMMANDS, key)["curl"])
    assert address in command
    done = subprocess.run(["sh", "-c", command], env=environment_with(key), capture_output=True, check=True)
    assert orjson.loads(done.stdout)["result"] == read(address, RESULT, key)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl; install it")
def test_the_curl_command_says_what_to_do_where_it_needs_a_key_and_has_none(address: str, key: str | None) -> None:
    command = str(read(address, COMMANDS, key)["curl"])
    done = subprocess.run(["sh", "-c", command], env=environment_with(None), capture_output=True, check=False)
    assert (b"put your access key into it" in done.stderr) == (key is not None)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl; install it")
def test_the_commands_of_the_page_of_endpoints_and_of_a_refusal_work_as_pasted(address: str, key: str | None) -> None:
    asked = headers_with(key)
    page = requests.get(f"{address}/endpoints", headers=asked | {"Accept": "text/html"}, timeout=LIMIT_S).text
    commands = [unescape(text) for text in re.findall(r"<code>(curl [^<]*)</code>", page) if "JOB_ID" not in text]
    commands.append(str(read(address, "/api/states_mean", key)["detail"]).partition("such as: ")[2])
    assert len(commands) > 10
    for command in commands:
        assert address in command
        done = subprocess.run(["sh", "-c", command], env=environment_with(key), capture_output=True, check=True)
        assert "title" not in orjson.loads(done.stdout), "it is a refusal"


def test_the_python_commands_work_as_pasted(address: str, key: str | None) -> None:
    commands = str(read(address, COMMANDS, key)["python"])
    shown = subprocess.run(
        [sys.executable, "-c", f"{commands}\nimport json; print(json.dumps(result))"],
        env=environment_with(key),
        capture_output=True,
        check=True,
    )
    assert orjson.loads(shown.stdout) == read(address, RESULT, key)


def test_the_r_commands_carry_address_key_and_request(address: str, key: str | None) -> None:
    commands = str(read(address, COMMANDS, key)["r"])
    assert f'request("{address}/api/v1/datasets/small/jobs")' in commands
    assert ('Sys.getenv("ACCESS_KEY")' in commands) == (key is not None)
    body = commands.partition('r"---(')[2].partition(')---"')[0]
    provenance = read(address, RESULT, key)["provenance"]
    assert isinstance(provenance, dict)
    assert orjson.loads(body) == provenance["request"]


def test_a_key_is_never_sent_back(address: str, key: str | None) -> None:
    assert str(key) not in str(read(address, COMMANDS, key))


@pytest.mark.parametrize("host", ["localhost:8123", "127.0.0.1", "[::1]:5000"])
def test_the_address_is_the_one_that_the_reader_used(client: FlaskClient, host: str) -> None:
    submit(client, Prefer="wait=30")
    for command in decoded(client.get(COMMANDS, headers={"Host": host})).values():
        assert f"http://{host}/api/v1/datasets/small/jobs" in shlex.split(str(command).replace('"', " "))


def test_behind_a_proxy_with_encryption_the_commands_are_encrypted_too(client: FlaskClient) -> None:
    submit(client, Prefer="wait=30")
    for said, scheme in (("https", "https"), ("http", "http"), ("gopher", "http"), ("https, http", "http")):
        found = decoded(client.get(COMMANDS, headers={"X-Forwarded-Proto": said}))
        assert f"{scheme}://localhost/api" in str(found["curl"])
    page = client.get("/", headers={"Accept": "text/html", "X-Forwarded-Proto": "https"})
    refusal = client.get("/api/states_mean", headers={"X-Forwarded-Proto": "https"})
    for answer in (page, refusal):
        assert b"https://localhost/api" in answer.data
        assert b"http://localhost" not in answer.data


def test_no_bytes_of_a_result_depend_on_the_address(client: FlaskClient) -> None:
    submit(client, Prefer="wait=30")
    for name in ("json", "csv", "jsonstat"):
        here, there = (client.get(f"{RESULT}.{name}", headers={"Host": host}) for host in ("localhost", "127.0.0.1"))
        assert here.data == there.data
        assert b"127.0.0.1" not in here.data


def test_a_job_that_has_not_ended_has_its_commands_already(idle_client: FlaskClient) -> None:
    submit(idle_client)
    assert "Percent of adults" in str(decoded(idle_client.get(COMMANDS))["curl"])


def test_a_contract_job_has_none(client: FlaskClient) -> None:
    client.post("/api/global_mean", json={"question": OBESITY})
    problem(client.get(COMMANDS), 404, "not-found")
    links = decoded(client.get("/api/v1/jobs/1"))["links"]
    assert isinstance(links, dict)
    assert "reproduce" not in links
