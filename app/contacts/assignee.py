"""The target of an assignment: a kind and an id in the client's own system."""

from dataclasses import dataclass

from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.normalise import plain_text

KIND_LIMIT = 100
TARGET_ID_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Assignee:
    kind: str
    target_id: str


def assignee(kind: str, target_id: str, path: str) -> Assignee:
    """Trims both texts. Raises InvalidInput with every broken rule; `path` is that of the input."""
    values: list[str] = []
    errors: list[FieldError] = []
    for name, text, limit in (("kind", kind, KIND_LIMIT), ("targetId", target_id, TARGET_ID_LIMIT)):
        try:
            values.append(_text(text, f"{path}.{name}", limit))
        except InvalidInput as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidInput(errors)
    return Assignee(*values)


def _text(text: str, path: str, limit: int) -> str:
    text = plain_text(text, path)
    if not text:
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, path, "must not be empty")])
    if len(text) > limit:
        message = f"must have at most {limit} characters"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_LONG, path, message)])
    return text
