"""The body of a request: its content type, its length and its JSON."""

import json
import re
import sys
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.api.http.negotiation import JSON
from app.api.http.variable_limits import check_body
from app.errors import BadRequest
from app.text import has_long_integer
from app.turns import turn

# A parameter of a media type (RFC 9110, 5.6.6). Each character is read once: the quantifiers are
# possessive, and a quotation mark that is not closed ends the value at the next semicolon.
_PARAMETER = re.compile(r';\s*+([^\s;="]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^;]*+)')

# Of a longer body, it takes milliseconds to parse it and to know the cost of its operation.
_SMALL_BODY = 32 * 1024


async def receive_start(
    receive: Receive, headers: Headers, size: int, limit: int
) -> tuple[bytearray, bool]:
    """The beginning of a body, and whether it is the whole, as it is with less than `size` bytes.
    Raises BadRequest for a body that is not sent as JSON or has more bytes than the limit."""
    _check_content_type(headers)
    length = headers.get("content-length", "").lstrip("0")  # Python parses 4,300 digits at most
    if int(length or 0) > limit:
        raise _too_long(limit)  # before it is read
    body = bytearray()
    is_whole = await _receive(receive, body, min(size, limit))
    if len(body) > limit:
        raise _too_long(limit)
    return body, is_whole


async def receive_rest(receive: Receive, body: bytearray, limit: int) -> None:
    """Appends it to the body. Raises BadRequest if that then has more bytes than the limit."""
    await _receive(receive, body, limit)
    if len(body) > limit:
        raise _too_long(limit)


async def _receive(receive: Receive, body: bytearray, size: int) -> bool:
    """Appends to the body until it has more bytes than `size`. Returns whether it is whole."""
    while len(body) <= size:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return True
    return False


async def parsed_body(body: bytearray, values_limit: int) -> Any:
    """Raises BadRequest for a body that is not UTF-8 JSON, and LimitExceeded for one with far more
    values than their limit."""
    if len(body) > _SMALL_BODY:
        await turn()
    check_body(body, values_limit)
    return loads(body, "The body")


def loads(text: bytes | bytearray, what: str) -> Any:
    """Parses JSON with orjson. Text that it refuses or rounds is parsed by the standard library,
    which accepts NaN, lone surrogates and any integer, so that an error can name their field."""
    if not has_long_integer(text):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(text.decode())  # bytes might be taken for UTF-16
    except RecursionError as error:
        raise BadRequest(f"{what} is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{what} must be UTF-8.") from error
    except json.JSONDecodeError as error:
        raise BadRequest(f"{what} must be JSON: {error}.") from error
    except ValueError as error:
        digits = sys.get_int_max_str_digits()
        message = f"{what} must have numbers of at most {digits:,} digits."
        raise BadRequest(message) from error


def _check_content_type(headers: Headers) -> None:
    content_type = headers.get("content-type", "")
    if content_type != JSON:
        if content_type.partition(";")[0].strip().lower() != JSON:
            raise BadRequest(f"The body must be sent as {JSON}.", 415)
        if charset(content_type).lower() != "utf-8":
            raise BadRequest("The body must be UTF-8.", 415)
    if headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise BadRequest("The body must not be compressed.", 415)


def charset(content_type: str) -> str:
    """The parameter `charset` of a media type; UTF-8 if it has none."""
    for name, value in _PARAMETER.findall(content_type):
        if name.lower() == "charset":
            text: str = value.strip()
            is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
            return re.sub(r"\\(.)", r"\1", text[1:-1]) if is_quoted else text
    return "utf-8"


def _too_long(limit: int) -> BadRequest:
    return BadRequest(f"The body must have at most {limit:,} bytes.", 413)
