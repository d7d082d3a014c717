"""Updating many contacts in the same way: patches and answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import strawberry

from app.api.graphql.arguments import (
    CustomFieldsArgument,
    DryRunArgument,
    MetadataArgument,
    TagsArgument,
)
from app.api.graphql.assignments import AssigneeInput
from app.api.graphql.bulk import ContactInvalid, Row, limited
from app.api.graphql.contact import ContactPatch
from app.api.graphql.context import Context, Info
from app.api.graphql.field import root_field, stored_field
from app.api.graphql.results import ContactConflict, ContactUpdated
from app.api.graphql.selection import SELECTION_PRICE, ContactSelection
from app.contacts.assignee import Assignee
from app.contacts.decision.decide import Request
from app.contacts.decision.outcome import Conflict, Invalid, Updated
from app.contacts.decision.policy import DEFAULT_POLICY, UpsertPolicy
from app.contacts.edit import Edit
from app.contacts.limits import SELECTION_LIMIT, UPDATE_BYTES_LIMIT
from app.contacts.listing.order import OLDEST_FIRST, cursor
from app.contacts.update import Edited, update_by_filter, update_by_keys
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.normalise import normalise
from app.fields.rules import TAGS_LIMIT
from app.workspaces.keys import Scope


@dataclass(frozen=True, slots=True)
class Updates:
    """The rows, the number of each kind, and where the next call continues."""

    rows: Sequence[Row]
    updated: int
    unchanged: int
    conflicts: int
    invalid: int
    has_more: bool
    end_cursor: str | None

    @classmethod
    def of(cls, edited: Edited, context: Context) -> "Updates":
        outcomes = (limited(one, context.errors) for one in edited.outcomes)
        rows = [Row(index, outcome) for index, outcome in enumerate(outcomes)]
        kinds = Counter(type(row.result) for row in rows)
        updated = sum(1 for row in rows if isinstance(row.result, Updated) and row.result.changes)
        end = edited.end
        return cls(
            rows=rows,
            updated=updated,
            unchanged=kinds[Updated] - updated,
            conflicts=kinds[Conflict],
            invalid=kinds[Invalid],
            has_more=edited.has_more,
            end_cursor=None if end is None else cursor(context.caller, OLDEST_FIRST, end),
        )


UpdateRowResult = Annotated[
    ContactUpdated | ContactConflict | ContactInvalid,
    strawberry.union("UpdateRowResult", description="The result of the update of one contact."),
]


@strawberry.type(description="The result for one contact. A list has one for each `index`.")
class UpdateRow:
    index: int = strawberry.field(
        description="The position of the key in `keys`, from 0; for a filter, the position of the "
        "contact among those that meet it, the oldest first."
    )
    result: UpdateRowResult = strawberry.field(
        description="The result of the update. Invalid if a limit, such as that of tags, would be "
        "exceeded together with what is stored."
    )


@strawberry.type(description="The results of a bulk update, and the number of each kind.")
class UpdateContactsPayload:
    rows: list[UpdateRow] = strawberry.field(
        description="One row for each key, in the same order; for a filter, one for each contact "
        "that meets it, the oldest first."
    )
    updated: int = stored_field("Rows that changed a contact.", "changes")
    unchanged: int = stored_field("Rows that found a contact and changed nothing.", "changes")
    conflicts: int = strawberry.field(description="The number of keys that belong to no contact.")
    invalid: int = strawberry.field(description="Rows that are invalid.")
    has_more: bool = strawberry.field(
        description="Whether more contacts meet the filter than one call updates; if so, call "
        "again with `after`."
    )
    end_cursor: str | None = stored_field(
        "The position of the last contact that met the filter, for `after`; null if there is none, "
        "and with keys.",
        "created_at",
    )


@strawberry.type
class UpdateMutation:
    @root_field(
        UpdateContactsPayload,
        Scope.CONTACTS_WRITE,
        f"Updates up to {SELECTION_LIMIT} contacts in the same way in one transaction, with a "
        "result for each. A contact that cannot be updated does not affect the others. Fields with "
        "a broken rule refuse the whole call. The call is idempotent, so it is safe to repeat.",
        SELECTION_PRICE,
    )
    async def update_contacts(
        self,
        info: Info,
        selection: Annotated[
            ContactSelection, strawberry.argument(description="The contacts to update.")
        ],
        input: Annotated[  # noqa: A002  # the name in the schema
            ContactPatch | None,
            strawberry.argument(
                description=f"The fields to set, add to or clear: up to {UPDATE_BYTES_LIMIT:,} "
                "bytes as JSON."
            ),
        ] = strawberry.UNSET,
        tags: TagsArgument = DEFAULT_POLICY.tags,
        remove_tags: Annotated[
            list[str] | None,
            strawberry.argument(
                description=f"The tags to remove from the contacts: up to {TAGS_LIMIT}. If `input` "
                "has tags to add, give `tags: ADD`; no other mode goes together with this argument."
            ),
        ] = strawberry.UNSET,
        custom_fields: CustomFieldsArgument = DEFAULT_POLICY.custom_fields,
        metadata: MetadataArgument = DEFAULT_POLICY.metadata,
        assign_to: Annotated[
            AssigneeInput | None,
            strawberry.argument(description="What to assign the contacts to."),
        ] = strawberry.UNSET,
        unassign_from: Annotated[
            AssigneeInput | None,
            strawberry.argument(description="The assignment to remove from the contacts."),
        ] = strawberry.UNSET,
        unsubscribe: Annotated[
            bool, strawberry.argument(description="Mark the contacts as unsubscribed.")
        ] = False,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Continue behind the `endCursor` of the previous call with the same "
                "filter."
            ),
        ] = strawberry.UNSET,
        dry_run: DryRunArgument = False,
    ) -> Updates:
        context = info.context
        policy = UpsertPolicy(tags=tags, custom_fields=custom_fields, metadata=metadata)
        edit = _edit(input, policy, remove_tags, assign_to, unassign_from, unsubscribe=unsubscribe)
        selected = await selection.selected(context)
        database, caller = context.database, context.caller
        if isinstance(selected, list):
            if after is not None:
                message = "must not be given together with keys"
                raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, "after", message)])
            edited = await update_by_keys(database, caller, selected, edit, dry_run=dry_run)
        else:
            edited = await update_by_filter(
                database, caller, selected, edit, after=after, dry_run=dry_run
            )
        return Updates.of(edited, context)


def _edit(
    patch: ContactPatch | None,
    policy: UpsertPolicy,
    remove_tags: list[str] | None,
    assign_to: AssigneeInput | None,
    unassign_from: AssigneeInput | None,
    *,
    unsubscribe: bool,
) -> Edit:
    """The broken rules of all parts are in its request."""
    given, errors = normalise(patch.given()) if patch else ({}, [])
    removed, broken_rules = _removed(remove_tags or [])
    errors += broken_rules
    assignees: list[Assignee | None] = []
    for path, assignee in (("assignTo", assign_to), ("unassignFrom", unassign_from)):
        try:
            assignees.append(assignee.assignee(path) if assignee else None)
        except InvalidInput as broken:
            assignees.append(None)
            errors += broken.errors
    to, from_ = assignees
    request = Request(given, policy, errors=tuple(errors), removed_tags=removed)
    return Edit(request, to, from_, unsubscribe)


def _removed(tags: list[str]) -> tuple[frozenset[str], list[FieldError]]:
    """The tags, normalised, and the rules that they break."""
    found, errors = normalise({"tags": tags})
    named = [replace(one, field=one.field.replace("tags", "removeTags", 1)) for one in errors]
    return frozenset(found.get("tags", ())), named
