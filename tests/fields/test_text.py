"""The rules of text: limits, normalisation, and what no text may hold."""

from typing import Any
from unicodedata import combining, normalize

import pytest
from graphql import GraphQLInputObjectType
from hypothesis import given
from hypothesis import strategies as st

from app.api.graphql.schema import schema
from app.errors import FieldErrorCode, InvalidInput
from app.fields.contact import API_NAMES, FIELDS
from app.fields.normalise import normalise, plain_text
from app.text import _long_run, fold, fold_each
from app.text import normalised as normalise_text
from tests.fields.rules import broken, normalised, path
from tests.support.mirrors import difference

# Unicode's White_Space. U+180E, 200B, 2060 and FEFF are none, nor are the controls U+001C to 1F.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
NO_WHITE_SPACE = "\x1c\x1d\x1e\x1f\u180e\u200b\u2060\ufeff"

LIMITS = {
    "external_id": 255,
    "name": 255,
    "prefix": 255,
    "first_name": 255,
    "last_name": 255,
    "suffix": 255,
    "phone": 50,
    "company": 255,
    "job_title": 255,
    "notes": 10_000,
    "address_line1": 255,
    "address_line2": 255,
    "city": 100,
    "state": 100,
    "postcode": 20,
    "country": 100,
}
TEXTS = [*LIMITS, "email", "timezone", "language"]


def test_every_text_of_the_rulebook_is_tested_here() -> None:
    found = schema._schema.type_map["ContactInput"]
    assert isinstance(found, GraphQLInputObjectType)
    texts = [name for name in FIELDS if str(found.fields[API_NAMES[name]].type) == "String"]
    assert difference("LIMITS", TEXTS, texts) == []


@pytest.mark.parametrize(("name", "limit"), LIMITS.items())
def test_text_is_limited_in_characters_and_once_it_is_trimmed(name: str, limit: int) -> None:
    longest = "\U0001f600" * limit
    assert normalised(**{name: f" {longest} "}) == {name: longest}
    assert broken(**{name: longest + "x"}) == [("TOO_LONG", path(name))]


@pytest.mark.parametrize("name", [*LIMITS, "tags"])
def test_text_is_trimmed_of_unicode_white_space_and_of_nothing_else(name: str) -> None:
    def value(text: str) -> Any:
        return [text] if name == "tags" else text

    assert normalised(**{name: value(f"{WHITE_SPACE}x y{WHITE_SPACE}")}) == {name: value("x y")}
    kept = f"{NO_WHITE_SPACE}x"
    assert normalised(**{name: value(kept)}) == {name: value(kept)}


@pytest.mark.parametrize("text", [f"{WHITE_SPACE}x{WHITE_SPACE}", f"{NO_WHITE_SPACE}x"])
def test_key_is_trimmed_as_the_field_is_so_that_it_finds_what_was_stored(text: str) -> None:
    assert plain_text(text, "by.externalId") == normalised(name=text)["name"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "a\udfffb"])
def test_key_with_nul_or_lone_surrogate_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        plain_text(text, "by.email")
    [error] = raised.value.errors
    assert (error.code.name, error.field) == ("INVALID_FORMAT", "by.email")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\udc00"])
def test_text_with_nul_or_lone_surrogate_is_refused(name: str, text: str) -> None:
    assert broken(**{name: text}) == [("INVALID_FORMAT", path(name))]


@pytest.mark.parametrize("text", ["Zoë \u200d\U0001f469\u200d\U0001f52c", "a\x01b", "\u202eabc"])
def test_valid_text_is_stored_unchanged(text: str) -> None:
    assert normalised(name=text, custom_fields={text: text}) == {
        "name": text,
        "custom_fields": {text: text},
    }


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "email"])
@pytest.mark.parametrize("blank", ["", " ", "\u00a0"])
def test_empty_text_is_null(name: str, blank: str) -> None:
    assert normalised(**{name: blank}) == {name: None}


@pytest.mark.parametrize("name", [*LIMITS, "tags"])
def test_text_is_put_into_nfc_before_its_length_is_counted(name: str) -> None:
    limit = LIMITS.get(name, 100)
    text = "e\u0301" * limit
    kept = "\u00e9" * limit
    wrapped = name == "tags"
    assert normalised(**{name: [text] if wrapped else text}) == {name: [kept] if wrapped else kept}


@given(st.text() | st.text("ae \u00e9\u0301\u0316\u0327\u0344\u1100\u1161\u11a8", max_size=90))
def test_text_is_in_nfc_and_trimmed_and_stays_so(text: str) -> None:
    kept = normalise_text(text)
    assert kept == normalize("NFC", text.strip(WHITE_SPACE))
    assert normalise_text(kept) == kept


def test_long_runs_of_marks_are_put_into_the_order_of_nfc() -> None:
    for run in ("\u0301\u0316" * 500, "\u0301" * 500 + "\u0316" * 500, "\u0344\u0327" * 40):
        assert normalise_text(f"ae{run}x") == normalize("NFC", f"ae{run}x")


def test_all_combining_marks_are_within_the_searched_planes() -> None:
    marks = [char for char in map(chr, range(0x110000)) if combining(char)]
    assert _long_run().fullmatch("".join(marks))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_key_in_any_unicode_form_finds_what_was_stored(text: str) -> None:
    stored = normalised(notes=text)["notes"] or ""
    for form in ("NFC", "NFD"):
        assert plain_text(normalize(form, text), "by.externalId") == stored


@pytest.mark.parametrize("name", ["Europe/Paris", "UTC", "America/Argentina/Buenos_Aires"])
def test_timezone_is_an_iana_name(name: str) -> None:
    assert normalised(timezone=f" {name} ") == {"timezone": name}


@pytest.mark.parametrize("name", ["Paris", "europe/paris", "+02:00", "../UTC", "Europe/Paris\n/x"])
def test_timezone_of_another_shape_is_refused(name: str) -> None:
    assert broken(timezone=name) == [("INVALID_FORMAT", "timezone")]


@pytest.mark.parametrize(
    "tag", ["en", "en-US", "zh-Hant-TW", "de-CH-1996", "sl-rozaj", "x-whatever"]
)
def test_language_is_a_bcp_47_tag(tag: str) -> None:
    assert normalised(language=f" {tag} ") == {"language": tag}


@pytest.mark.parametrize("tag", ["e", "en_US", "en-", "-en", "english!", "en-toolongsub", "en US"])
def test_language_of_another_shape_is_refused(tag: str) -> None:
    assert broken(language=tag) == [("INVALID_FORMAT", "language")]


def test_language_has_at_most_35_characters() -> None:
    longest = "en" + "-abcdefgh" * 3 + "-abcde"
    assert len(longest) == 35
    assert normalised(language=longest) == {"language": longest}
    assert broken(language=longest + "f") == [("TOO_LONG", "language")]


@given(
    st.text(st.sampled_from("aZ é\u0301\u00a0\u2126\x1c\x00\ud800漢\t\n"), max_size=6) | st.text()
)
def test_text_is_stored_trimmed_and_in_nfc_or_refused(text: str) -> None:
    values, errors = normalise({"name": text})
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        assert [error.code for error in errors] == [FieldErrorCode.INVALID_FORMAT]
    else:
        assert values == {"name": normalize("NFC", text.strip(WHITE_SPACE)) or None}


@given(st.lists(st.text(st.characters(exclude_characters="\x00", codec="utf-8")) | st.text("aÉ\n")))
def test_texts_folded_together_are_those_folded_one_by_one(texts: list[str]) -> None:
    assert fold_each(texts) == [fold(text) for text in texts]
