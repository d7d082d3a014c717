"""Compares definitions that are repeated in several places."""

from collections.abc import Iterable


def difference(place: str, names: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """The missing and the extra names of a place."""
    has, should = set(names), set(wanted)
    lacks = [f"{place} has forgotten {name}" for name in sorted(should - has)]
    return lacks + [f"{place} has {name}, which is unknown" for name in sorted(has - should)]
