"""How commands begin and are that are shown to be pasted: from the address their reader used, with a key where due."""

from __future__ import annotations

import shlex

from meantime.web.admission.callers import caller
from meantime.web.own_address import own_address, own_prefix

KEY_VARIABLE = "ACCESS_KEY"
"""The environment variable from which commands take an access key. A key itself is never sent back."""

KEY_FOR_CURL = f'-H "Authorization: Bearer ${{{KEY_VARIABLE}:?put your access key into it}}"'


def curl(path: str) -> str:
    """Return how a command begins that asks this server for a path: with a key, where the current request has one."""
    key = f"{KEY_FOR_CURL} " if caller().name else ""
    return f"curl {key}{shlex.quote(f'{own_address()}{path}')}"


def ways_to_get(csv: str, parquet: str) -> dict[str, str]:
    """Return commands that get records from this server, for curl, Python, R and DuckDB; with a key as ``curl`` does.

    Parameters
    ----------
    csv, parquet
        The paths of their forms, with prefix and query.
    """
    origin = own_address().removesuffix(own_prefix())
    csv, parquet = f"{origin}{csv}", f"{origin}{parquet}".replace("'", "%27")
    if not caller().name:
        return {
            "curl": f"curl {shlex.quote(csv)}",
            "Python": f'import pandas\nrecords = pandas.read_csv("{csv}")',
            "R": f'records <- read.csv("{csv}")',
            "DuckDB": f"INSTALL httpfs; LOAD httpfs;\nFROM read_parquet('{parquet}');",
        }
    return {
        "curl": f"curl {KEY_FOR_CURL} {shlex.quote(csv)}",
        "Python": "import io, os, pandas, requests\n"
        f'headers = {{"Authorization": f"Bearer {{os.environ[{KEY_VARIABLE!r}]}}"}}\n'
        f'answer = requests.get("{csv}", headers=headers, timeout=90)\n'
        "records = pandas.read_csv(io.StringIO(answer.text))",
        "R": f'library(httr2)\nanswer <- request("{csv}") |>\n'
        f'  req_auth_bearer_token(Sys.getenv("{KEY_VARIABLE}")) |> req_perform()\n'
        "records <- read.csv(text = resp_body_string(answer))",
        "DuckDB": "INSTALL httpfs; LOAD httpfs;\nCREATE SECRET (TYPE http, BEARER_TOKEN 'your access key');\n"
        f"FROM read_parquet('{parquet}');",
    }
