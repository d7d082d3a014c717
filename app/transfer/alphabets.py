"""Tells the encodings of Latin script apart by the letters of the languages that use them."""

import re

# The letters of a language beside a to z.
_WESTERN = [
    "äöüßé",  # German
    "àâæçéèêëîïôœùûüÿ",  # French
    "áéíñóúü",  # Spanish
    "àçéèíïóòúü",  # Catalan
    "áâãàçéêíóôõú",  # Portuguese
    "àéèìíóòùú",  # Italian
    "åäéöü",  # Swedish, Finnish
    "åæéøö",  # Danish, Norwegian
    "áæðéíóöúýþ",  # Icelandic
    "éèëïóöü",  # Dutch
]
_CENTRAL = [
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "čćđšž",  # Croatian, Slovenian
    "ăâîşţ",  # Romanian
]
_TURKISH = ["âçğıîöşûü\u0307"]  # the small İ is an i and a dot
_BALTIC = [
    "ąčęėįšųūž",  # Lithuanian
    "āčēģīķļņšūž",  # Latvian
    "äõöšüž",  # Estonian
]

# Of encodings that fit equally well, the first is taken.
_ALPHABETS = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1254": _TURKISH,
    "cp1257": _BALTIC,
    "mac_roman": _WESTERN,
}

_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WORDS = 2_000  # enough to tell

# The least share of words that have only such letters: a file has some names of other languages.
_ONE_LANGUAGE = 0.9
_ANY_LANGUAGE = 0.95


def latin_encoding(text: bytes) -> str | None:
    """The encoding in which the words of the text are spelled in one language; failing that, in any
    languages of one encoding. None for a text in another script.

    The text has a byte that is not ASCII.
    """
    words = _WORD.findall(text)[:_WORDS]
    in_one: dict[str, float] = {}
    in_any: dict[str, float] = {}
    for encoding, alphabets in _ALPHABETS.items():
        letters = [_letters(word, encoding) for word in words]
        spelled = [[own <= alphabet for own in letters] for alphabet in map(set, alphabets)]
        in_one[encoding] = max(map(sum, spelled)) / len(words)
        in_any[encoding] = sum(map(any, zip(*spelled, strict=True))) / len(words)
    for shares, least in ((in_one, _ONE_LANGUAGE), (in_any, _ANY_LANGUAGE)):
        best = max(shares, key=shares.__getitem__)
        if shares[best] >= least:
            return best
    return None


def _letters(word: bytes, encoding: str) -> set[str]:
    return {letter for letter in word.decode(encoding, "replace").lower() if not letter.isascii()}
