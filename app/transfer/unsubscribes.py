"""Unsubscribes imported contacts, which no upsert does."""

from collections.abc import Sequence

from app.transfer.execution import Api

_AT_ONCE = 20


async def unsubscribe(execution: Api, contact_ids: Sequence[str]) -> None:
    """Safe to repeat."""
    for start in range(0, len(contact_ids), _AT_ONCE):
        keys = {
            f"c{number}": {"id": contact_id}
            for number, contact_id in enumerate(contact_ids[start : start + _AT_ONCE])
        }
        await execution.execute(_document(list(keys)), keys)


def _document(names: Sequence[str]) -> str:
    given = ", ".join(f"${name}: ContactKey!" for name in names)
    fields = " ".join(f"{name}: unsubscribeContact(by: ${name}) {{ __typename }}" for name in names)
    return f"mutation Unsubscribe({given}) {{ {fields} }}"
