"""Moving in: contacts out of a file."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.alias_generators import to_camel

from app.cli.import_plan import Plan, run_plan
from app.cli.transfer_options import KeyOption, Place, SourceOption, UrlOption, WorkspaceOption
from app.contacts.decision import policy as policies
from app.contacts.keys import ContactIdentifier
from app.errors import CommandFailed
from app.fields.sources import DEFAULT_SOURCE
from app.transfer.csv_file import Cells
from app.transfer.policy import json_file
from app.transfer.row_file import Reading

_POLICY_PANEL = "Policy: how contacts are found and changed, as in the API"


class Empty(Enum):
    KEEP = "keep"
    CLEAR = "clear"


def _policy_option(text: str = "") -> Any:
    return typer.Option(case_sensitive=False, rich_help_panel=_POLICY_PANEL, help=text)


def import_contacts(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV or NDJSON, also in gzip or zstd; - is standard input."
        ),
    ],
    workspace: WorkspaceOption = "",
    source: SourceOption = DEFAULT_SOURCE,
    url: UrlOption = "",
    key: KeyOption = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only shows what the import would do.")
    ] = False,
    mapping: Annotated[
        list[str],
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="Gives a column to a field; COLUMN= leaves it out. May be repeated.",
        ),
    ] = [],  # noqa: B006  # nothing changes it
    map_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The same as JSON: an object of columns and fields."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of the file; without it, it is found out.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Between cells; without it, it is found out.")
    ] = None,
    tag_separator: Annotated[str, typer.Option(help="Between the tags in a cell.")] = ",",
    empty: Annotated[
        Empty, typer.Option(help="Whether an empty cell keeps the value or clears it.")
    ] = Empty.KEEP,
    raw: Annotated[
        bool, typer.Option("--raw", help="Keeps an apostrophe before a formula in a cell.")
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_POLICY_PANEL,
            help="An UpsertPolicy as JSON. The options below take precedence.",
        ),
    ] = None,
    match_by: Annotated[
        list[ContactIdentifier], _policy_option("May be repeated, in the order of the attempts.")
    ] = [],  # noqa: B006  # nothing changes it
    fallback: Annotated[policies.MatchFallback | None, _policy_option()] = None,
    on_match: Annotated[policies.OnMatch | None, _policy_option()] = None,
    on_miss: Annotated[policies.OnMiss | None, _policy_option()] = None,
    email_on_match: Annotated[policies.EmailOnMatch | None, _policy_option()] = None,
    external_id_on_match: Annotated[policies.ExternalIdOnMatch | None, _policy_option()] = None,
    tags: Annotated[policies.TagsMode | None, _policy_option()] = None,
    custom_fields: Annotated[policies.ObjectMode | None, _policy_option()] = None,
    metadata: Annotated[policies.ObjectMode | None, _policy_option()] = None,
    require_on_create: Annotated[
        list[policies.RequirableField], _policy_option("May be repeated.")
    ] = [],  # noqa: B006  # nothing changes it
    generate_external_id: Annotated[
        bool, typer.Option("--generate-external-id", rich_help_panel=_POLICY_PANEL)
    ] = False,
) -> None:
    """Imports contacts from a file. Interrupted, the same command goes on where it stood."""
    chosen = {
        "match_by": match_by,
        "fallback": fallback,
        "on_match": on_match,
        "on_miss": on_miss,
        "email_on_match": email_on_match,
        "external_id_on_match": external_id_on_match,
        "tags": tags,
        "custom_fields": custom_fields,
        "metadata": metadata,
        "require_on_create": require_on_create,
        "generate_external_id": generate_external_id,
    }
    _check_separators(delimiter, tag_separator)
    cells = Cells(tag_separator, empty_clears=empty is Empty.CLEAR, raw=raw)
    plan = Plan(
        Place(workspace, source, url, key),
        Reading(file, encoding, delimiter, _mapping(mapping, map_file), cells),
        (json_file(policy) if policy else {}) | _given(chosen),
    )
    run_plan(plan, dry_run=dry_run)


def _check_separators(delimiter: str | None, tag_separator: str) -> None:
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise CommandFailed(
            "--delimiter must be one character other than a quotation mark or a line break."
        )
    if not tag_separator:
        raise CommandFailed("--tag-separator must have at least one character.")


def _given(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """As the API names and spells the members of a policy."""

    def spelled(value: Any) -> Any:
        if isinstance(value, list):
            return [one.name for one in value]
        return value.name if isinstance(value, Enum) else value

    return {to_camel(name): spelled(value) for name, value in chosen.items() if value}


def _mapping(given: list[str], file: Path | None) -> dict[str, str]:
    mapping = {name: str(field or "") for name, field in (json_file(file) if file else {}).items()}
    for one in given:
        column, sign, field = one.rpartition("=")
        if not sign:
            raise CommandFailed(f"--map must be COLUMN=FIELD, not {one}.")
        mapping[column.strip()] = field.strip()
    return mapping
