"""Finds out the encoding of a text file."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from charset_normalizer import from_bytes

from app.errors import CommandFailed
from app.transfer.alphabets import latin_encoding

UTF8 = "utf-8"

# In this order: the first two bytes of UTF-32's mark are UTF-16's.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PIECE_BYTES = 64 * 1024
_SAMPLE_BYTES = 256 * 1024
_BETWEEN_WORDS = re.compile(r'[\s,;|"]+')
_WORDS_SHOWN = 8
_WORD_LENGTH = 30

# Those that spreadsheets and address books write, so that a short sample is not taken for a rare
# one.
_USUAL = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "mac_roman"),
    *("iso8859_2", "koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
]


@dataclass(frozen=True, slots=True)
class Encoding:
    """`words` are some of the text as they are read, if the encoding is a guess."""

    name: str
    words: tuple[str, ...] = ()


@dataclass
class _Lines:
    """The lines that are not ASCII: how many are UTF-8 and how many are not, and the first ones."""

    utf8: int = 0
    others: int = 0
    sample: bytes = b""
    divided: bytes = b""  # the start of a character whose end is in the next piece of a long line

    def add(self, piece: bytes) -> None:
        line, self.divided = self.divided + piece, b""
        try:
            line.decode()
            self.utf8 += 1
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data" and len(piece) == _PIECE_BYTES:
                self.divided = line[error.start :]
                return
            self.others += 1
            if len(self.sample) < _SAMPLE_BYTES:
                self.sample += line


def named_encoding(name: str) -> Encoding:
    """Raises CommandFailed for an encoding that Python does not have."""
    try:
        "".encode(name)  # refuses a codec that is not of text
        return Encoding(name)
    except (LookupError, UnicodeError) as error:
        raise CommandFailed(f"--encoding must be the name of an encoding, not {name}.") from error


def encoding_of(stream: IO[bytes], head: bytes) -> Encoding:
    """The encoding of a text of which `head` is the start: by its mark, else UTF-8 if nearly all
    lines are, else what the others most likely are."""
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return Encoding(name)
    if (wide := _wide(head)) is not None:
        return Encoding(wide)
    lines = _Lines()
    for line in _pieces(stream):
        if not line.isascii():
            lines.add(line)
    if lines.others * 10 <= lines.utf8 + lines.others:
        return Encoding(UTF8)
    name = latin_encoding(lines.sample) or _likely(lines.sample)
    return Encoding(name, tuple(_telling_words(lines.sample.decode(name, "replace"))))


def _telling_words(text: str) -> list[str]:
    """The first words with a letter that is not ASCII and in none of the words before."""
    words: list[str] = []
    letters: set[str] = set()
    for word in _BETWEEN_WORDS.split(text):
        own = {letter for letter in word if not letter.isascii()}
        if not own <= letters:
            letters |= own
            words.append(word[:_WORD_LENGTH])
            if len(words) == _WORDS_SHOWN:
                break
    return words


def _likely(sample: bytes) -> str:
    """The first of the usual encodings that no other one fits better."""
    found = from_bytes(sample, cp_isolation=_USUAL)
    best = found.best()
    if best is None:
        return _USUAL[0]
    fitting = {
        name
        for match in found
        if (match.chaos, match.coherence) == (best.chaos, best.coherence)
        for name in match.could_be_from_charset
    }
    return next((name for name in _USUAL if name in fitting), best.encoding)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines, and pieces of long ones."""
    while piece := stream.readline(_PIECE_BYTES):
        yield piece


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of most text in it is NUL."""
    start = head[:4096]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 3 < len(start) // 2:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
