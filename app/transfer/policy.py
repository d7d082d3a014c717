"""The policy of an import, and what the workspace knows of custom fields."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import CommandFailed
from app.transfer.execution import Api, patiently

_POLICY = """
mutation CheckPolicy($policy: UpsertPolicy) {
  upsertContacts(inputs: [], policy: $policy, dryRun: true) { created }
}
"""
_DEFINITIONS = "query Definitions { customFieldDefinitions { key type } }"


def json_file(path: Path) -> dict[str, Any]:
    """The JSON object in a file of options. Raises CommandFailed."""
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise CommandFailed(f"{path} must be JSON: {error}.") from error
    if not isinstance(found, dict):
        raise CommandFailed(f"{path} must have a JSON object.")
    return found


async def check_policy(execution: Api, policy: Mapping[str, Any]) -> None:
    """Raises CommandFailed for a policy that the API does not know."""
    await patiently(lambda: execution.execute(_POLICY, {"policy": dict(policy) or None}))


async def custom_field_types(execution: Api) -> dict[str, str]:
    """The type of each custom field that the workspace has defined, by key."""
    data = await patiently(lambda: execution.execute(_DEFINITIONS, {}))
    return {one["key"]: one["type"] for one in data["customFieldDefinitions"]}
