"""Phone numbers in E.164, by Google's metadata.

phonenumbers takes long for each number. So the patterns of a country's numbers are compiled from
its metadata once, and a number that is plainly valid by them is not parsed. All other numbers are.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata

_PLAIN = re.compile(r"\+?[0-9 ().-]+")
_SEPARATORS = "+ ().-"
_CALLING_CODES = {str(code): names for code, names in COUNTRY_CODE_TO_REGION_CODE.items()}
_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip"),
    *("personal_number", "pager", "uan", "voicemail"),
)


def e164(phone: str | None, country: str | None) -> str | None:
    """The number in E.164, or None if it is not valid.

    `country` is used if it is an ISO 3166 code, for numbers without a country prefix.
    """
    if phone is None:
        return None
    region = (country or "").upper()
    return _plainly_valid(phone, region) or _parsed(phone, region or None)


def _parsed(phone: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@dataclass(frozen=True, slots=True)
class _Region:
    """`leading` tells the numbers of the region from those of others with its calling code."""

    calling_code: str
    abroad: re.Pattern[str]
    prefix: re.Pattern[str]
    transforms_prefix: bool
    leading: re.Pattern[str] | None
    general: re.Pattern[str]
    numbers: re.Pattern[str]


def _plainly_valid(phone: str, country: str) -> str | None:
    """The number in E.164, or None if it has to be parsed."""
    if not _PLAIN.fullmatch(phone):
        return None
    digits = phone
    for separator in _SEPARATORS:
        digits = digits.replace(separator, "")
    if phone[0] == "+":
        code = next((digits[:size] for size in (1, 2, 3) if digits[:size] in _CALLING_CODES), "")
        region = _region(_CALLING_CODES[code][0]) if code else None
        digits = digits[len(code) :]
    else:
        region = _region(country)
        if region and (region.abroad.match(digits) or digits.startswith(region.calling_code)):
            return None
    if region is None:
        return None
    if prefix := region.prefix.match(digits):
        if region.transforms_prefix and prefix[prefix.re.groups] is not None:
            return None
        digits = digits[prefix.end() :]
        if not region.general.match(digits):
            return None
    return f"+{region.calling_code}{digits}" if _is_valid(digits, region.calling_code) else None


def _is_valid(digits: str, calling_code: str) -> bool:
    for name in _CALLING_CODES[calling_code]:
        region = _region(name)
        if region is None:
            continue
        if region.leading is None and region.numbers.match(digits):
            return True
        if region.leading is not None and region.leading.match(digits):
            return region.numbers.match(digits) is not None
    return False


@cache
def _regions() -> frozenset[str]:
    return frozenset(SUPPORTED_REGIONS)


def _region(name: str) -> _Region | None:
    return _compiled(name) if name in _regions() else None


@cache
def _compiled(name: str) -> _Region:
    metadata = PhoneMetadata.metadata_for_region(name)
    assert metadata is not None  # noqa: S101  # every supported region has metadata
    kinds = "|".join(_patterns(metadata, _KINDS)) or "(?!)"
    [general] = _patterns(metadata, ["general_desc"])
    return _Region(
        calling_code=str(metadata.country_code),
        abroad=re.compile(metadata.international_prefix or "(?!)"),
        prefix=re.compile(metadata.national_prefix_for_parsing or "(?!)"),
        transforms_prefix=bool(metadata.national_prefix_transform_rule),
        leading=re.compile(metadata.leading_digits) if metadata.leading_digits else None,
        general=re.compile(general),
        numbers=re.compile(f"(?={general})(?:{kinds})"),
    )


def _patterns(metadata: PhoneMetadata, kinds: Iterable[str]) -> Iterator[str]:
    for kind in kinds:
        desc = getattr(metadata, kind)
        if desc is not None and desc.national_number_pattern:
            lengths = "|".join(f"[0-9]{{{length}}}" for length in desc.possible_length)
            yield rf"(?=(?:{lengths or '.*'})\Z)(?:{desc.national_number_pattern})\Z"
