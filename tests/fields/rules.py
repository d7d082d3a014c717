"""What the rulebook makes of given fields."""

from typing import Any

from app.fields.normalise import normalise

PATHS = {
    "external_id": "externalId",
    "first_name": "firstName",
    "last_name": "lastName",
    "job_title": "jobTitle",
    "address_line1": "addressLine1",
    "address_line2": "addressLine2",
    "is_active": "isActive",
    "lifetime_value": "lifetimeValue",
    "orders_count": "ordersCount",
    "last_order_at": "lastOrderAt",
    "professional_id": "professionalId",
    "custom_fields": "customFields",
    "meta": "metadata",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
}


def path(name: str) -> str:
    return PATHS.get(name, name)


def normalised(**given: Any) -> dict[str, Any]:
    """The values of fields that break no rule."""
    values, errors = normalise(given)
    assert errors == []
    return values


def broken(**given: Any) -> list[tuple[str, str]]:
    """The code and path of every broken rule, where each field given breaks one."""
    values, errors = normalise(given)
    assert values == {}
    return [(error.code.name, error.field) for error in errors]
