"""What an operation of the HTTP interface is, and the decorator that describes a view as one.

Routes, the OpenAPI document, ``/docs`` and ``GET /`` read the same list of operations. What an operation does is where
its view is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from flask import Flask, Response

from meantime.statistics.catalogue import Surface
from meantime.web.json_schema import JsonSchema

View = Callable[..., Response]
AnyView = TypeVar("AnyView", bound=View)


@dataclass(frozen=True, slots=True)
class RequestHeader:
    """A header that an operation looks at, and what is accepted."""

    name: str
    summary: str
    schema: JsonSchema


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of an operation: the type that is sent as JSON (None for none), and other media types it may have."""

    summary: str
    json: object = None
    media_types: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Parameters
    ----------
    name
        The operation's id, used once.
    method, path
        Such as ``GET`` and ``/api/v1/jobs/{job_id}``.
    tag
        What it is listed under.
    summary
        One sentence.
    view
        What answers; its keyword parameters are the parts of the path.
    replies
        Its answers by status.
    problems
        The statuses of its error answers, beside those that any request can get.
    queries
        The dataclasses whose fields are the query parameters that it looks at.
    headers
        The request headers that it looks at.
    extensions
        What ``{extension}`` in its path may be.
    asks
        What its body asks for: a statistic by its name, any of a surface, or a batch; None where it takes no body.
    per_dataset
        Whether it also exists below each named dataset.
    """

    name: str
    method: str
    path: str
    tag: str
    summary: str
    view: View
    replies: Mapping[int, Reply]
    problems: tuple[int, ...] = ()
    queries: tuple[type, ...] = ()
    headers: tuple[RequestHeader, ...] = ()
    extensions: tuple[str, ...] = ()
    asks: str | Surface | None = None
    per_dataset: bool = False

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return self.path.replace("{", "<").replace("}", ">")

    def below_dataset(self) -> Operation:
        """Return the same operation for a dataset that the path names."""
        rest = self.path.removeprefix("/api/v1").removeprefix("/dataset")
        return replace(
            self,
            name=f"dataset_{self.name}",
            path=f"/api/v1/datasets/{{dataset}}{rest}",
            problems=(*self.problems, 404),
            summary=f"{self.summary.removesuffix('.')}, of a named dataset.",
            per_dataset=False,
        )


_described: dict[object, list[Operation]] = {}  # a function and its operations; written while modules are imported


def operation(  # noqa: PLR0913  # each says something else about the operation
    method: str,
    path: str,
    *,
    tag: str,
    replies: Mapping[int, Reply],
    name: str = "",
    summary: str = "",
    problems: tuple[int, ...] = (),
    query: type | None = None,
    headers: tuple[RequestHeader, ...] = (),
    extensions: tuple[str, ...] = (),
    asks: str | Surface | None = None,
    per_dataset: bool = False,
) -> Callable[[AnyView], AnyView]:
    """Describe a method as an operation; it stays as it is. One method may be several, one decorator each.

    Parameters
    ----------
    name, summary
        Those of the method and of the first line of its docstring, unless given.
    query
        The dataclass whose fields are its query parameters; None for none.
    method, path, tag, replies, problems, headers, extensions, asks, per_dataset
        See Operation.
    """

    def describe(view: AnyView) -> AnyView:
        described = Operation(
            name=name or view.__name__,
            method=method,
            path=path,
            tag=tag,
            summary=summary or (inspect.getdoc(view) or "").partition("\n")[0],
            view=view,
            replies=replies,
            problems=problems,
            queries=() if query is None else (query,),
            headers=headers,
            extensions=extensions,
            asks=asks,
            per_dataset=per_dataset,
        )
        _described.setdefault(view, []).insert(0, described)
        return view

    return describe


def operations_of(*resources: object) -> list[Operation]:
    """Return the operations that the methods of some objects are described as, in the order of the source.

    One that is there per dataset is followed by its twin below a named dataset.
    """
    found = []
    for resource in resources:
        for member in filter(inspect.isfunction, vars(type(resource)).values()):
            for described in _described.get(member, ()):
                bound = replace(described, view=getattr(resource, member.__name__))
                found += [bound, bound.below_dataset()] if bound.per_dataset else [bound]
    return found


def add_routes(app: Flask, operations: Iterable[Operation]) -> None:
    """Register a route for each operation."""
    for each in operations:
        app.add_url_rule(each.rule, each.name, each.view, methods=[each.method])
