"""The progress of long work, for whoever waits for it."""

from typing import Protocol


class Report(Protocol):
    def __call__(self, label: str, done: int = 0, total: int = 0) -> None:
        """What is being done, and how much of it is done. 0 of 0: nobody knows how much it is."""


def unreported(label: str, done: int = 0, total: int = 0) -> None:
    """Nobody waits."""
