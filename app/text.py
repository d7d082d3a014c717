"""Normalisation and comparison of text."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from unicodedata import combining, is_normalized, normalize

# Unicode's White_Space. str.strip() alone would take U+001C to U+001F as well.
_WHITE_SPACE = "\t\n\v\f\r \x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_LONG_INTEGER = b"0" * 19
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_MARKS_END = 0x20000  # all combining marks lie in Unicode's planes 0 and 1


def normalised(text: str) -> str:
    """Trimmed of Unicode white space, in NFC."""
    text = text.strip(_WHITE_SPACE)
    if text.isascii() or is_normalized("NFC", text):
        return text
    return normalize("NFC", _long_run().sub(_in_canonical_order, text))


def has_long_integer(json: bytes | bytearray) -> bool:
    """Whether JSON may have an integer beyond 64 bits, which orjson makes a float. A search for
    digits by a regular expression takes ten times as long."""
    return _LONG_INTEGER in json.translate(_DIGITS_AS_ZEROS)


def fold(text: str) -> str:
    """The text without case and accents: `eva` for `Éva` and for `EVA`."""
    if text.isascii():
        return text.lower()
    decomposed = normalize("NFKD", text)
    return "".join(char for char in decomposed if not combining(char)).casefold()


def fold_each(texts: Iterable[str]) -> list[str]:
    """As `fold` of each text. None of them has a NUL: texts in ASCII are folded as one."""
    texts = list(texts)
    whole = "\x00".join(texts)
    if texts and whole.isascii():
        return whole.lower().split("\x00")
    return [fold(text) for text in texts]


def is_plain(text: str) -> bool:
    """Whether both databases can store the text: it has no NUL and no lone surrogate."""
    if text.isascii():
        return "\x00" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


@cache
def _long_run() -> re.Pattern[str]:
    """More combining marks in a row than any language writes (UAX #15, Stream-Safe Text)."""
    marks = "".join(char for char in map(chr, range(_MARKS_END)) if combining(char))
    return re.compile(f"[{marks}]{{31,}}")


def _in_canonical_order(run: re.Match[str]) -> str:
    """unicodedata.normalize takes quadratic time for an unsorted run, linear for a sorted one."""
    return "".join(sorted(run[0], key=combining))


def _case_pairs() -> Iterator[tuple[str, str]]:
    """Upper and lower case of Latin, Greek and Cyrillic, if each is one character."""
    for first, last in ((0x41, 0x24F), (0x370, 0x52F), (0x1E00, 0x1EFF)):
        for upper in map(chr, range(first, last + 1)):
            lower = upper.lower()
            if lower != upper and len(lower) == 1:
                yield upper, lower
    yield "\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER SIGMA}"


CASE_PAIRS = dict(_case_pairs())
_LOWER = str.maketrans(CASE_PAIRS)


def lower_case(text: str) -> str:
    """The text with the letters of `CASE_PAIRS` in lower case, and nothing else changed."""
    return text.translate(_LOWER)
