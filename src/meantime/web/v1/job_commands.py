"""A job's request as commands that can be pasted: for curl, Python and R, from the address that the reader used.

They are put together when they are sent. A result's own bytes never change, so no address can be part of them.
"""

from __future__ import annotations

import json
import shlex
from typing import TypedDict

import orjson
from flask import Response, request
from werkzeug.exceptions import NotFound

from meantime.jobs.job import Job
from meantime.web.admission.callers import caller
from meantime.web.operations import Reply, operation
from meantime.web.own_address import own_address
from meantime.web.responses import json_response
from meantime.web.shown_commands import KEY_FOR_CURL, KEY_VARIABLE
from meantime.web.v1.job_documents import has_records
from meantime.web.v1.request_fields import NoQuery, read_query
from meantime.web.v1.visible_jobs import VisibleJobs

WAIT_S = 60
CLIENT_TIMEOUT_S = 90


class Commands(TypedDict):
    """How to get a result again; each ends with the result itself."""

    curl: str
    python: str
    r: str


class JobCommands:
    """The view of a job's commands."""

    def __init__(self, jobs: VisibleJobs) -> None:
        self._jobs = jobs

    @operation(
        "GET",
        "/api/v1/jobs/{job_id}/reproduce",
        tag="results",
        replies={200: Reply("The commands.", Commands)},
        problems=(404, 422),
    )
    def show_commands(self, job_id: str) -> Response:
        """Show commands for curl, Python and R that ask the same again and can be pasted as they are."""
        read_query(request.args, NoQuery)
        job = self._jobs.find(job_id)
        if not has_records(job):
            raise NotFound("a batch or a job of the contract has no commands; its endpoint and body are all")
        return json_response(commands_for(job, own_address(), with_key=bool(caller().name)))


def commands_for(job: Job, address: str, *, with_key: bool) -> Commands:
    """Return a job's request as commands.

    Parameters
    ----------
    job
        A job of a v1 statistic.
    address
        Scheme and host of the server, as the reader reaches it.
    with_key
        Whether it takes an access key; the commands then read it from the environment variable KEY_VARIABLE.
    """
    url = f"{address}/api/v1/datasets/{job.task.version.partition('@')[0]}/jobs"
    arguments: dict[str, object] = orjson.loads(job.task.arguments)
    parameters = {name: value for name, value in arguments.items() if value is not None}
    asked = {"statistic": job.task.name, "parameters": parameters}
    body = json.dumps(asked, ensure_ascii=False)
    return {
        "curl": _curl(url, body, with_key=with_key),
        "python": _python(url, asked, with_key=with_key),
        "r": _r(url, body, with_key=with_key),
    }


def _curl(url: str, body: str, *, with_key: bool) -> str:
    key = f" {KEY_FOR_CURL}" if with_key else ""
    headers = f"-H 'Prefer: wait={WAIT_S}' -H 'Content-Type: application/json'{key}"
    return f"curl -s {shlex.quote(url)} {headers} -d {shlex.quote(body)}"


def _python(url: str, asked: object, *, with_key: bool) -> str:
    key = f', "Authorization": f"Bearer {{os.environ[{KEY_VARIABLE!r}]}}"' if with_key else ""
    return (
        f"{'import os' + chr(10) if with_key else ''}import requests\n"
        f'headers = {{"Prefer": "wait={WAIT_S}"{key}}}\n'
        f'answer = requests.post("{url}", headers=headers, json={asked!r}, timeout={CLIENT_TIMEOUT_S})\n'
        'result = answer.json()["result"]'
    )


def _r(url: str, body: str, *, with_key: bool) -> str:
    key = f' |>\n  req_auth_bearer_token(Sys.getenv("{KEY_VARIABLE}"))' if with_key else ""
    return (
        "library(httr2)\n"
        f'answer <- request("{url}") |> req_headers(Prefer = "wait={WAIT_S}"){key} |>\n'
        f'  req_body_raw(r"---({body})---", type = "application/json") |> req_perform()\n'
        "result <- resp_body_json(answer)$result"
    )
