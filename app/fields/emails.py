"""The rule of an email: RFC 5321 and IDNA, as email-validator and idna have them.

Both libraries take up to milliseconds for an email that is not plain ASCII, most of them for its
domain. So what they say of valid domains is kept for a while.
"""

import re
from functools import lru_cache
from typing import Annotated

import idna
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator

from app.errors import FieldErrorCode
from app.fields.rules import plain, rule_error

EMAIL_LIMIT = 254  # bytes of the UTF-8 form, and of the form with an ASCII domain
LOCAL_PART_LIMIT = 64  # bytes

# The domains that are kept: they take less than 1 MB.
_DOMAINS = 1_000

# Emails that email-validator accepts, but not all of them: ASCII, without quotes and IDNA.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SPECIAL_USE = "|".join(map(re.escape, SPECIAL_USE_DOMAIN_NAMES))
_PLAIN_EMAIL = re.compile(
    rf"(?=.{{1,{EMAIL_LIMIT}}}\Z)(?=[^@]{{1,{LOCAL_PART_LIMIT}}}@){_ATOM}(?:\.{_ATOM})*@"
    rf"(?!.*--)(?!(?:.*\.)?(?i:{_SPECIAL_USE})\Z){_LABEL}(?:\.{_LABEL})+(?<=[A-Za-z])"
)
# Likewise local parts, with the letters and digits of all languages.
_INTERNATIONAL_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LOCAL = re.compile(rf"{_INTERNATIONAL_ATOM}(?:\.{_INTERNATIONAL_ATOM})*")


def load_tables() -> None:
    """idna loads its tables with the first domain that needs them, which takes 0.1 s."""
    ascii_domain("é.com")


def ascii_domain(domain: str) -> str:
    """The domain of an email in its IDNA form, or in lower case if IDNA refuses it."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    return _idna(domain)


@lru_cache(_DOMAINS)
def _idna(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return domain.lower()


def _email(text: str) -> str:
    if _PLAIN_EMAIL.fullmatch(text):
        return text
    text = plain(text)
    if not text:
        raise rule_error(FieldErrorCode.INVALID_FORMAT, "must not be null")
    if len(text) > EMAIL_LIMIT:  # bounds the work below
        raise rule_error(FieldErrorCode.TOO_LONG, f"must have at most {EMAIL_LIMIT} bytes")
    local, _, domain = text.rpartition("@")
    local_bytes = len(local.encode())
    if local_bytes > LOCAL_PART_LIMIT:
        message = f"must have at most {LOCAL_PART_LIMIT} bytes before the @-sign"
        raise rule_error(FieldErrorCode.TOO_LONG, message)
    spellings = (text, f"{local}@{ascii_domain(domain)}")
    if max(len(spelling.encode()) for spelling in spellings) > EMAIL_LIMIT:
        raise rule_error(FieldErrorCode.TOO_LONG, f"must have at most {EMAIL_LIMIT} bytes")
    longest = _longest.get(domain)
    if longest is None or local_bytes + 1 + longest > EMAIL_LIMIT or not _LOCAL.fullmatch(local):
        _validate(text, domain)
    return text


# The bytes of the longest spelling of each valid domain.
_longest: dict[str, int] = {}


def _validate(email: str, domain: str) -> None:
    try:
        valid = validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        message = f"must be an email address ({reason[:1].lower()}{reason[1:]})"
        raise rule_error(FieldErrorCode.INVALID_FORMAT, message) from error
    if len(_longest) >= _DOMAINS:
        _longest.clear()
    _longest[domain] = max(len(valid.domain.encode()), len(valid.ascii_domain or ""))


Email = Annotated[str, AfterValidator(_email)]
