"""Text as people compare it: without regard to case and accents."""

from unicodedata import combining, normalize


def fold(text: str) -> str:
    """`Éva` and `EVA` fold alike."""
    decomposed = normalize("NFKD", text)
    return "".join(char for char in decomposed if not combining(char)).casefold()
