"""Phone numbers in E.164: what phonenumbers says of every text and country."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat, PhoneNumberType

from app.phones import e164

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
FORMATS = [
    PhoneNumberFormat.E164,
    PhoneNumberFormat.INTERNATIONAL,
    PhoneNumberFormat.NATIONAL,
    PhoneNumberFormat.RFC3966,
]
SHARED = [names for names in COUNTRY_CODE_TO_REGION_CODE.values() if len(names) > 1]
COUNTRIES = [*REGIONS, *map(str.lower, REGIONS), "Germany", "001", "ZZ", "", None]


def by_phonenumbers(phone: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(phone, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def example_number(region: str, kind: int, form: int) -> str:
    number = phonenumbers.example_number_for_type(region, kind)
    number = number or phonenumbers.example_number(region)
    assert number is not None
    return phonenumbers.format_number(number, form)


def mutated(phone: str, place: int, cut: int, added: str) -> str:
    """With the characters from a place on replaced by others."""
    place %= len(phone) + 1
    return phone[:place] + added + phone[place + cut :]


regions = st.sampled_from(REGIONS)
numbers = st.builds(
    example_number, regions, st.sampled_from(PhoneNumberType.values()), st.sampled_from(FORMATS)
)
pieces = st.text("0123456789", max_size=3) | st.sampled_from(
    [
        "+",
        "00",
        "011",
        "(0)",
        " ",
        "-",
        "/",
        "x12",
        "ext. 7",
        ";ext=7",
        "*",
        "#",
        "A",
        "\u0661",
        "\uff11",
    ]
)
near_numbers = st.builds(mutated, numbers, st.integers(0, 20), st.integers(0, 3), pieces)


@settings(max_examples=500)
@given(numbers | near_numbers | st.text("0123456789+ ()-", max_size=18), st.sampled_from(COUNTRIES))
@example("(416) 736-2100", "CA")
@example("1-212-736-5000", "US")
@example("+44 (0)20 7946 0123", None)
@example("0011 44 20 7946 0123", "AU")
@example("+54 9 11 2345 6789", None)
@example("+39 06 698 1234", "VA")
@example("0800000000", "IM")
@example("+", "GB")
@example("", None)
def test_number_is_valid_where_phonenumbers_says_so(phone: str, country: str | None) -> None:
    assert e164(phone, country) == by_phonenumbers(phone, country)


@settings(max_examples=300)
@given(st.data(), st.sampled_from(SHARED), st.sampled_from(PhoneNumberType.values()))
def test_number_is_read_by_the_rules_of_its_country_among_those_of_one_calling_code(
    data: st.DataObject, neighbours: tuple[str, ...], kind: int
) -> None:
    region, country = (data.draw(st.sampled_from(neighbours)) for _ in range(2))
    form = data.draw(st.sampled_from([PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL]))
    phone = example_number(region, kind, form)
    end = data.draw(st.text("0123456789", max_size=7))
    for spelling in (phone, phone[: len(phone) - len(end)] + end, phone[:-1]):
        assert e164(spelling, country) == by_phonenumbers(spelling, country)


@pytest.mark.parametrize("form", FORMATS)
def test_example_of_every_country_and_kind_is_valid(form: int) -> None:
    for region in REGIONS:
        for kind in PhoneNumberType.values():
            phone = example_number(region, kind, form)
            assert e164(phone, region) == by_phonenumbers(phone, region)
            assert e164(phone, region) is not None
