"""Phone numbers in E.164, by Google's metadata."""

import phonenumbers


def e164(phone: str | None, country: str | None) -> str | None:
    """The number in E.164, or None if it is not valid.

    `country` is used if it is an ISO 3166 code, for numbers without a country prefix.
    """
    if phone is None:
        return None
    try:
        number = phonenumbers.parse(phone, (country or "").upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
