"""The email: its limits, its display form, and the key that all spellings of one address share."""

from string import ascii_letters
from unicodedata import normalize

import idna
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.fields.normalise import email_key, normalise
from app.text import normalised as trimmed_nfc
from tests.fields.rules import broken, normalised

LETTERS = ascii_letters + "0123456789äöüéñçåß\u0142\u00f8ǰβδζжщ漢"
# Letters with one form in each case, as a program that changes the case of an address would do.
CASED = ascii_letters + "äöüéñçåжщβδζ"
DOMAINS = ["bücher.example", "straße.example", "ελληνικά.example", "漢字.example", "a-b.co.uk"]

locals_ = st.text(LETTERS + "._+-", min_size=1, max_size=20)
domains = st.sampled_from(DOMAINS) | st.text("abcdéü", min_size=1, max_size=9).map("{}.com".format)

# Near misses of an address: what an email may not have, or may have only in some places.
ATOMS = [
    *("a", "Ada", "7", "!#$%&'*+/=?^_`{|}~-", "é", "漢", "x" * 63, "x" * 64),
    *("", ".", "..", " ", '"', '"a b"', "a@b", "<", "(c)", ",", "\\", "\n"),
    *("\u0301", "\u200b", "\uff20", "²", "٣", "é_é", "a\u0301", "क्"),
]
LABELS = [
    *("example", "EXAMPLE", "a", "1", "a1", "1a", "a-b", "a--b", "-a", "a-", "ab--c", "a_b"),
    *("com", "c", "c0m", "co1", "0", "test", "Local", "localhost", "invalid", "onion", "ARPA"),
    *("xn--a", "xn--bcher-kva", "XN--BCHER-KVA", "bücher", "漢字", "te\u017ft", "\u3002"),
    *("", " ", "\n", "com\n", "[127.0.0.1]", "l" * 63, "l" * 64),
]
near_locals = st.lists(st.sampled_from(ATOMS), min_size=1, max_size=3).map(".".join)
near_domains = st.lists(st.sampled_from(LABELS), min_size=1, max_size=3).map(".".join)
near_addresses = (
    st.builds("{}@example.com".format, near_locals)
    | st.builds("ada@{}".format, near_domains)
    | st.builds("ada@{}.com".format, near_domains | st.text("aZ0-._é", max_size=6))
    | st.builds("{}@{}".format, near_locals | st.text(max_size=4), near_domains | domains)
)


@settings(max_examples=300)
@given(near_addresses | st.text(LETTERS + "@.-_+", max_size=20) | st.text())
@example("ada@" + ".".join(["l" * 63] * 3) + ".com")
@example("ada@" + "l" * 64 + ".com")
@example("ada@example.com\n")
@example("x" * 65 + "@example.com")
@example("ada@\ud800.com")
@example("é" * 32 + "@" + ".".join(["\u3300" * 5] * 5) + ".com")  # longer when normalised
def test_email_is_valid_exactly_if_email_validator_accepts_it(text: str) -> None:
    values, errors = normalise({"email": text})
    try:
        address = validate_email(trimmed_nfc(text), check_deliverability=False)
    except EmailNotValidError:
        assert errors
        return
    local = address.original.rpartition("@")[0]
    assert (errors == []) == (len(local.encode()) <= 64)
    assert values == ({} if errors else {"email": address.original})


@given(st.text() | st.builds("{}@{}".format, st.text(), st.text()))
@example("a@ΣΑΣ.gr")
@example("ΑΣ@x.com")
@example("İ@İ.com")
@example("J\u030c@x.com")
@example("a@\u3002.\u3002")
@example("a@b\uff20c.com")
@example(" \u0301@\u0301")
@example("a@ b")
@example("a @b")
@example("\ud800@\ud800")
@example("a@xn--a.com")
@example("a@XN--BCHER-KVA.example")
@example("a@" + "b" * 300 + ".COM")
def test_key_of_a_key_is_the_key_itself_whatever_the_text(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)


@given(st.text(st.characters(max_codepoint=127)) | st.from_regex(r"[ -~]*@[ -~]*xn--[ -~]*"))
def test_ascii_text_has_the_same_key_inside_of_other_white_space(text: str) -> None:
    assert email_key(text) == email_key(f"\u3000{text}\u00a0")


@given(locals_, domains)
def test_composed_and_decomposed_unicode_and_ascii_domain_have_one_key(
    local: str, domain: str
) -> None:
    key = email_key(f"{local}@{domain}")
    ascii_domain = idna.encode(domain, uts46=True).decode()
    for form in ("NFC", "NFD"):
        for spelling in (domain, normalize(form, domain), ascii_domain, ascii_domain.upper()):
            assert email_key(f"\u00a0{normalize(form, local)}@{spelling} ") == key
    assert key.endswith(f"@{ascii_domain}")


@given(st.text(CASED, min_size=1), st.sampled_from(["bücher.example", "example.com"]))
def test_emails_that_differ_in_case_have_one_key(local: str, domain: str) -> None:
    email = f"{local}@{domain}"
    assert email_key(email.upper()) == email_key(email.lower()) == email_key(email)


@given(locals_, domains)
def test_key_has_the_domain_that_a_valid_address_has_in_ascii(local: str, domain: str) -> None:
    try:
        address = validate_email(f"{local}@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return
    assert email_key(f"{local}@{domain}").rpartition("@")[2] == address.ascii_domain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("strasse@x.com", "straße@x.com"),
        ("a@fass.de", "a@faß.de"),
        ("i@x.com", "\u0131@x.com"),
        ("jorg@x.com", "jörg@x.com"),
        ("ﬁ@x.com", "fi@x.com"),
        ("a.b@x.com", "ab@x.com"),
    ],
)
def test_different_addresses_have_different_keys(one: str, other: str) -> None:
    assert email_key(one) != email_key(other)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", ""),
        (" Nobody ", "nobody"),
        ("E\u0301", "é"),
        ("@", "@"),
        ("Ada@", "ada@"),
        ("Ada@exa_mple.COM", "ada@exa_mple.com"),
        ("A@b@Bücher.example", "a@b@xn--bcher-kva.example"),
        ("ada@xn--a.COM", "ada@xn--a.com"),
    ],
)
def test_text_that_is_no_address_has_a_key_too(text: str, key: str) -> None:
    assert email_key(text) == key


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("\u00a0Ada@Example.com ", "Ada@Example.com"),
        ("JO\u0308RG@B\u00dcCHER.example", "JÖRG@BÜCHER.example"),
        ("k@xn--bcher-kva.example", "k@xn--bcher-kva.example"),
        ("Postmaster@example.com", "Postmaster@example.com"),
    ],
)
def test_email_is_stored_as_given_except_for_white_space_and_nfc(email: str, kept: str) -> None:
    assert normalised(email=email) == {"email": kept}


def test_local_part_has_at_most_64_bytes() -> None:
    for longest in ("a" * 64, "é" * 32, "e\u0301" * 32):
        assert normalised(email=f"{longest}@x.com")
        assert broken(email=f"{longest}a@x.com") == [("TOO_LONG", "email")]


def test_email_has_at_most_254_bytes() -> None:
    domain = ".".join(["d" * 61] * 3)
    longest = f"{'a' * 64}@{domain}.com"
    assert len(longest) == 254
    assert normalised(email=longest) == {"email": longest}
    assert broken(email=longest + "m") == [("TOO_LONG", "email")]


@pytest.mark.parametrize(
    ("domain", "fits"),
    [
        (".".join(["é" * 28] * 4) + ".com", 22),  # 231 bytes, fewer in ASCII
        (".".join(["é"] * 30) + ".com", 10),  # 243 bytes in ASCII, fewer in UTF-8
    ],
)
def test_email_has_at_most_254_bytes_with_its_domain_in_either_spelling(
    domain: str, fits: int
) -> None:
    assert normalised(email="a" * fits + f"@{domain}")
    assert broken(email="a" * (fits + 1) + f"@{domain}") == [("TOO_LONG", "email")]


@pytest.mark.parametrize("email", ["", " ", "\u00a0", None])
def test_email_that_is_empty_cannot_be_null(email: str | None) -> None:
    assert broken(email=email) == [("INVALID_FORMAT", "email")]


@pytest.mark.parametrize(
    "email",
    ["ada", "ada@", "@example.com", "a b@example.com", "ada@example", "ada@-a.com", "a@b@c.de"],
)
def test_email_of_another_shape_is_refused(email: str) -> None:
    assert broken(email=email) == [("INVALID_FORMAT", "email")]
