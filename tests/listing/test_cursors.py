"""Cursors: what goes in comes out, and nothing else does."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.duplicates import position_at
from app.contacts.listing.order import Direction, Order, OrderField, Position, cursor, window
from app.contacts.store.duplicate_keys import DuplicateReason
from app.cursors import BrokenCursor, decode, encoder
from app.errors import InvalidInput
from app.tables import Contact
from app.text import fold
from app.workspaces.keys import Caller

OURS = uuid4()
ORDER = Order()

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
positions = st.lists(json_values, max_size=4)


def as_cursor(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


@given(st.uuids(), st.text(), positions)
def test_decoding_undoes_encoding(workspace: UUID, order: str, position: list[Any]) -> None:
    assert decode(workspace, order, encoder(workspace, order)(*position)) == position


@given(st.uuids(), st.uuids(), st.text(), st.text(), positions)
def test_cursor_of_another_workspace_or_order_is_broken(
    workspace: UUID, other: UUID, order: str, other_order: str, position: list[Any]
) -> None:
    cursor = encoder(workspace, order)(*position)
    for asked in ((other, order), (workspace, other_order), (other, other_order)):
        if asked != (workspace, order):
            with pytest.raises(BrokenCursor):
                decode(*asked, cursor)


texts = st.text(st.characters()) | st.text(st.characters(max_codepoint=127))
forgeries = (
    texts
    | st.binary().map(as_cursor)
    | json_values.map(as_json).map(as_cursor)
    | st.integers(1, 5_000).map(lambda depth: as_cursor(b"[" * depth + b"]" * depth))
)


@given(forgeries)
def test_any_other_text_is_a_broken_cursor_and_no_other_error(text: str) -> None:
    with pytest.raises(BrokenCursor):
        decode(OURS, ORDER.name, text)


def caller() -> Caller:
    return Caller(
        workspace_id=OURS,
        workspace_name="ours",
        key_id=uuid4(),
        key_name="test",
        key_prefix="rollcall_",
        key_created_at=datetime.now(UTC),
        key_expires_at=None,
        scopes=frozenset(),
        source="test",
    )


def names_the_argument(error: InvalidInput) -> None:
    assert [broken.field for broken in error.errors] == ["after"]


def opened(cursor: str, order: Order = ORDER) -> Position | None:
    """The position that a page starts behind; None where the cursor is refused."""
    try:
        return window(caller(), order, after=cursor).after
    except InvalidInput as error:
        refused = error
    assert [broken.field for broken in refused.errors] == ["after"]
    return None


@given(forgeries)
def test_page_after_any_text_is_refused_as_invalid_input(text: str) -> None:
    assert opened(text) is None


moments = (
    st.datetimes().map(datetime.isoformat)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
)
values = moments | json_values
identities = st.uuids().map(str) | json_values
places = positions | st.tuples(values, identities).map(list)
orders = st.builds(Order, st.sampled_from(OrderField), st.sampled_from(Direction))


@given(orders, places)
def test_forged_place_is_refused_or_one_that_a_contact_may_have(
    order: Order, place: list[Any]
) -> None:
    found = opened(encoder(OURS, order.name)(*place), order)
    match order.field, found:
        case _, None:
            pass
        case OrderField.NAME | OrderField.LIFETIME_VALUE | OrderField.LAST_ORDER_AT, Position(None):
            pass
        case OrderField.NAME | OrderField.EMAIL, Position(str(text)):
            assert "\x00" not in text
        case OrderField.LIFETIME_VALUE, Position(float(number)):
            assert isfinite(number)
        case _, Position(datetime() as moment):
            assert moment.utcoffset() == timedelta(0)
        case _:
            pytest.fail(f"{order}: {found}")


@given(orders, st.uuids(), st.datetimes(timezones=st.just(UTC)), st.text(), st.floats(-1e9, 1e9))
def test_cursor_decodes_to_the_position_of_its_contact(
    order: Order, identity: UUID, moment: datetime, text: str, number: float
) -> None:
    text = text.replace("\x00", "")
    value: Any = {
        OrderField.EMAIL: text,
        OrderField.NAME: text,
        OrderField.LIFETIME_VALUE: number,
    }.get(order.field, moment)
    known = Contact.model_construct(
        id=identity,
        email_key=text,
        name=text,
        lifetime_value=number,
        created_at=moment,
        updated_at=moment,
        last_order_at=moment,
    )
    found = opened(cursor(caller(), order, Position.of(known, order)), order)
    if order.field is OrderField.NAME:
        value = fold(text) if text else None
    assert found == Position(value, identity)


@given(
    st.tuples(
        st.sampled_from(DuplicateReason).map(lambda one: one.name) | json_values, values, identities
    )
)
def test_forged_place_among_duplicates_is_refused_or_one_that_a_contact_may_have(
    place: tuple[Any, ...],
) -> None:
    try:
        found = position_at(caller(), encoder(OURS, "DUPLICATES")(*place))
    except InvalidInput as error:
        refused = error
    else:
        assert isinstance(found.value, str)
        assert "\x00" not in found.value
        return
    assert [broken.field for broken in refused.errors] == ["after"]
