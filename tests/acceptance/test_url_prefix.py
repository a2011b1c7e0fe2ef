"""A real nginx mounts a real server below a path, and a stranger follows every link from there."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.acceptance.conftest import OpenServer, require
from tests.acceptance.server import ANSWER_LIMIT_S, Server
from tests.acceptance.small_table import Request, same
from tests.links import Page, crawl, is_left_alone, page_of

PASSED_ON = {"as it came": "", "without the prefix": "/"}
"""What stands behind the server's address in nginx's ``proxy_pass``, by what it does to the path."""

SITE = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  {folders}
  server {{
    listen 127.0.0.1:{port};
    proxy_set_header Host $http_host;
    location /stats/ {{ proxy_pass http://127.0.0.1:{server_port}{slash}; }}
  }}
}}
"""


@contextmanager
def nginx(server: Server, slash: str, folder: Path) -> Iterator[int]:
    """Run an nginx in front of a server, and give its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        SITE.format(folder=folder, folders=folders, port=port, server_port=server.port, slash=slash), "ascii"
    )
    process = subprocess.Popen(["nginx", "-e", folder / "error.log", "-c", config])
    try:
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while not is_listening(port):
            assert process.poll() is None, (folder / "error.log").read_text("utf-8")
            assert time.monotonic() < deadline, "nginx doesn't listen"
        yield port
    finally:
        process.terminate()
        process.wait(ANSWER_LIMIT_S)


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), ANSWER_LIMIT_S):
        return True
    return False


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Page:
    """Send one request through the proxy."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)) as connection:
        connection.request(method, path, body, headers | ({"Content-Type": "application/json"} if body else {}))
        answer = connection.getresponse()
        return page_of(answer.status, answer.getheaders(), answer.read())


@pytest.mark.parametrize("passed_on", PASSED_ON)
def test_behind_nginx_no_link_leaves_the_prefix_and_none_is_broken(
    open_server: OpenServer, requests: list[Request], tmp_path: Path, passed_on: str
) -> None:
    require(shutil.which("nginx") is not None, "nginx (Debian: apt-get install nginx)")
    server = open_server(options=["--url-prefix", "/stats"]).start()
    with nginx(server, PASSED_ON[passed_on], tmp_path) as port:
        v1 = ask(port, "POST", "/stats/api/v1/jobs", b'{"statistic": "coverage"}', Prefer="wait=30")
        assert (v1.status, v1.headers["location"]) == (201, "/stats/api/v1/jobs/1")
        accepted = ask(port, "POST", f"/stats/api/{requests[0].endpoint}", requests[0].body)
        assert (accepted.status, accepted.headers["location"]) == (200, "/stats/api/get_results/job_id_2")
        server.wait_idle()
        seen = crawl(
            lambda path, accept: ask(port, "GET", path, Accept=accept),
            "/stats/",
            host=f"127.0.0.1:{port}",
            left_alone=lambda path: is_left_alone(path) or "/answers/" in path or "/explore" in path,
        )
    assert [path for path in seen.named if not path.startswith("/stats/")] == []
    assert {path: status for path, status in seen.statuses.items() if status != 200} == {}
    for expected in ("/docs/swagger-ui-bundle.js", "/api/v1/jobs/1/result.parquet", "/api/v1/jobs/1/events"):
        assert f"/stats{expected}" in seen.statuses
    assert same(requests[0].expected, server.result("job_id_2")["data"])
    assert server.ask("GET", "/healthz").status == server.ask("GET", "/stats/healthz").status == 200


def test_a_prefix_that_begins_like_a_path_of_its_own_is_one_clear_line(open_server: OpenServer) -> None:
    server = open_server(options=["--url-prefix", "/api"])
    server.launch().wait(ANSWER_LIMIT_S)
    assert server.process.returncode == 2
    assert server.errors.splitlines() == [
        "Error: --url-prefix: /api begins like a path of the server's own; choose another, such as /stats"
    ]
