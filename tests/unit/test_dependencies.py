"""What pyproject.toml declares as run-time dependencies is what the source names: nothing is missing, nothing idle."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BY_FILE = {"flask-openapi-swagger"}
"""Not imported: the documentation page serves its files."""


def declared(project: Path) -> set[str]:
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for texts in metadata.get("optional-dependencies", {}).values() for text in texts]
    requirements = (Requirement(text) for text in [*metadata["dependencies"], *extras])
    return {canonicalize_name(each.name) for each in requirements if not each.marker or each.marker.evaluate()}


def imported_modules(file: Path) -> set[str]:
    """Return the absolute modules that a file imports, inside functions too, down to the second name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def needed(project: Path) -> set[str]:
    modules = set().union(*(imported_modules(file) for file in (project / "src").rglob("*.py")))
    tops = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"meantime"}
    owners = packages_distributions()
    # A namespace such as `backports` belongs to several distributions; the second name says which one is meant.
    return {
        canonicalize_name(owner)
        for top in tops
        for owner in owners.get(top, ())  # absent: the standard library of a newer Python
        if len(set(owners[top])) == 1 or any(re.sub(r"[-_]", ".", owner) == module for module in modules)
    }


def test_the_declared_dependencies_are_the_imported_ones(project: Path) -> None:
    assert declared(project) - BY_FILE == needed(project)


def test_a_dependency_used_by_its_files_is_named_in_the_source(project: Path) -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (project / "src").rglob("*.py"))
    assert {name for name in BY_FILE if name.replace("-", "_") not in text} == set()
    assert declared(project) >= BY_FILE
