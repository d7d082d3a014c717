"""Normalises given fields, keys and filters by the rules of the fields."""

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from sqlmodel.main import FieldInfoMetadata
from typing_extensions import TypedDict

from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import API_NAMES, RULES
from app.fields.emails import ascii_domain
from app.fields.rules import FAULTS_LIMIT, NOT_PLAIN
from app.text import is_plain, normalised


def plain_text(text: str, path: str) -> str:
    """The text, trimmed and in NFC. Raises InvalidInput for NUL and lone surrogates."""
    if not is_plain(text):
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, path, NOT_PLAIN)])
    return normalised(text)


def email_key(email: str) -> str:
    """The same key for all spellings of one address. Text that is no address has a key too.

    The local part is lower-cased, not case-folded, because case folding equates `ß` and `ss`.
    """
    if email.isascii() and email.isprintable() and "xn--" not in (lower := email.lower()):
        return lower.strip(" ")  # no other white space is printable ASCII
    email = normalised(email)
    local, at, domain = email.rpartition("@")
    if not at:
        return normalised(domain.lower())
    return normalised(f"{local.lower()}@{ascii_domain(domain)}")


def _given_rules() -> TypeAdapter[dict[str, Any]]:
    """The rules of all fields, each applied only if the field was given."""
    rules: dict[str, Any] = {}
    for name, field in RULES.items():
        checks = [check for check in field.metadata if not isinstance(check, FieldInfoMetadata)]
        rule: Any = Annotated[field.annotation, *checks] if checks else field.annotation
        rules[name] = NotRequired[rule | None if field.default_factory else rule]
    return TypeAdapter(TypedDict("Given", rules))  # type: ignore[operator]  # built at run time


_GIVEN = _given_rules()

_CODES = {
    "greater_than_equal": FieldErrorCode.OUT_OF_RANGE,
    "less_than": FieldErrorCode.OUT_OF_RANGE,
    "finite_number": FieldErrorCode.OUT_OF_RANGE,
}
_MESSAGES = {
    "dict_type": "must be a JSON object",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt:,}",
    "uuid_parsing": "must be a UUID",
}


def normalise(
    given: Mapping[str, Any], errors_limit: int = FAULTS_LIMIT
) -> tuple[dict[str, Any], list[FieldError]]:
    """Returns the valid fields, normalised, and the first broken rules of the others.

    An absent field stays absent. Null and an empty text become None if the field can be cleared.
    """
    try:
        return _GIVEN.validate_python(dict(given)), []
    except ValidationError as error:
        broken_rules = error.errors(include_url=False)
        names = {details["loc"][0] for details in broken_rules}
        rest = {name: value for name, value in given.items() if name not in names}
        errors = [_field_error(details) for details in broken_rules[:errors_limit]]
        return _GIVEN.validate_python(rest), errors


def _field_error(details: ErrorDetails) -> FieldError:
    name, *rest = details["loc"]
    kind = details["type"]
    path = ".".join([API_NAMES[str(name)], *(str(part) for part in rest if isinstance(part, int))])
    if details["input"] is None:
        return FieldError(FieldErrorCode.INVALID_FORMAT, path, "must not be null")
    if kind in FieldErrorCode.__members__:
        context = details["ctx"]
        return FieldError(FieldErrorCode[kind], path + context["path"], context["message"])
    code = _CODES.get(kind, FieldErrorCode.INVALID_FORMAT)
    message = _MESSAGES.get(kind, "must have the type of the field")
    return FieldError(code, path, message.format(**details.get("ctx", {})))
