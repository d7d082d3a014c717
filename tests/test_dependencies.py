"""What is imported is declared, and the locks are those of every supported Python."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
OURS = ("app", "bench", "tests")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
RUNTIME: list[str] = PROJECT["dependencies"] + EXTRAS["tracing"]
DEVELOPMENT: list[str] = EXTRAS["dev"]
OF_OTHER_PYTHONS = "compression" if sys.version_info < (3, 14) else "backports"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: Iterable[str]) -> set[str]:
    return {canonical(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}


def imported(source: str) -> Iterator[str]:
    """The top-level packages that a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def undeclared(sources: Iterable[str], requirements: Iterable[str]) -> set[str]:
    """Packages of which none of the distributions that bring them is declared."""
    names = declared(requirements)
    brought_by = packages_distributions()
    packages = {package for source in sources for package in imported(source)}
    return {
        package
        for package in packages - sys.stdlib_module_names - {OF_OTHER_PYTHONS, *OURS}
        if names.isdisjoint(map(canonical, brought_by.get(package, [])))
    }


def sources(*folders: str) -> list[str]:
    return [path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize(
    ("folders", "requirements"),
    [(("app",), RUNTIME), (OURS, RUNTIME + DEVELOPMENT)],
    ids=["at run time", "in development"],
)
def test_what_is_imported_is_declared(folders: tuple[str, ...], requirements: list[str]) -> None:
    assert undeclared(sources(*folders), requirements) == set()


def test_transitive_dependency_does_not_count_as_declared() -> None:
    source = "import json\nimport graphql.language\nfrom pydantic_core import core_schema\n"
    assert undeclared([source], ["strawberry-graphql", "Pydantic.Core>=2"]) == {"graphql"}


def needed(requirements: Iterable[str], python: str) -> dict[str, Requirement]:
    """The requirements that a version of Python has, by name."""
    version = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    parsed = map(Requirement, requirements)
    return {
        canonical(one.name): one
        for one in parsed
        if one.marker is None or one.marker.evaluate(version)
    }


def locked(lock: str, python: str) -> dict[str, Requirement]:
    lines = (ROOT / lock).read_text().splitlines()
    pinned = [line.removesuffix("\\") for line in lines if re.match(r"[\w.-]+==", line)]
    return needed(pinned, python)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_can_be_installed_by_every_supported_python(lock: str, python: str) -> None:
    names = locked(lock, python)
    here = ".".join(map(str, sys.version_info[:2]))
    for name in names.keys() & locked(lock, here).keys():  # those that are installed
        package = distribution(name)
        pythons = str(package.metadata.json.get("requires_python", ""))
        assert f"{python}.0" in SpecifierSet(pythons), name
        missing = needed(package.requires or [], python).keys() - names.keys()
        assert not missing, (name, missing)
    assert needed(PROJECT["dependencies"], python).keys() <= names.keys()
