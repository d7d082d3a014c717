"""Upserting, creating and updating contacts, by one decision."""

from typing import Annotated

import strawberry

from app.api.graphql.arguments import (
    CustomFieldsArgument,
    DryRunArgument,
    IfVersionArgument,
    InputArgument,
    KeyArgument,
    MetadataArgument,
    PolicyArgument,
    TagsArgument,
)
from app.api.graphql.bulk import BulkOutcome, UpsertContactsPayload
from app.api.graphql.contact import ContactInput
from app.api.graphql.context import Info
from app.api.graphql.execution.cost.prices import Price, Rows
from app.api.graphql.field import root_field
from app.api.graphql.results import (
    CreateContactResult,
    UpdateContactResult,
    UpsertContactResult,
    valid,
)
from app.contacts.decision.decide import Request
from app.contacts.decision.outcome import Outcome
from app.contacts.decision.policy import (
    DEFAULT_POLICY,
    ExternalIdOnMatch,
    OnMatch,
    RequirableField,
    UpsertPolicy,
)
from app.contacts.keys import ContactKey
from app.contacts.limits import ROWS_LIMIT
from app.contacts.upsert import check_size, upsert, upsert_one
from app.errors import InvalidInput
from app.fields.normalise import normalise
from app.fields.rules import FAULTS_LIMIT
from app.turns import in_turns
from app.workspaces.keys import Scope


@strawberry.type
class UpsertMutation:
    @root_field(
        UpsertContactResult,
        Scope.CONTACTS_WRITE,
        "Creates or updates a contact, as the policy says. The call is idempotent, so it is safe "
        "to repeat.",
    )
    async def upsert_contact(
        self,
        info: Info,
        input: InputArgument,  # noqa: A002
        policy: PolicyArgument = strawberry.UNSET,
        if_version: IfVersionArgument = strawberry.UNSET,
        dry_run: DryRunArgument = False,
    ) -> Outcome:
        chosen = policy.policy() if policy else DEFAULT_POLICY
        return valid(await _one(info, input, chosen, if_version=if_version, dry_run=dry_run))

    @root_field(
        UpsertContactsPayload,
        Scope.CONTACTS_WRITE,
        f"Performs up to {ROWS_LIMIT} upserts in one transaction, with the same results as single "
        "calls in this order. A row that fails does not affect the others unless `atomic` is true. "
        "A value that does not fit its GraphQL type refuses the whole call.",
        Price(base=10, each=8, rows=Rows(("inputs",), ROWS_LIMIT, ROWS_LIMIT)),
    )
    async def upsert_contacts(
        self,
        info: Info,
        inputs: Annotated[
            list[ContactInput], strawberry.argument(description="The fields of each contact.")
        ],
        policy: PolicyArgument = strawberry.UNSET,
        atomic: Annotated[
            bool,
            strawberry.argument(description="Write nothing if any row fails."),
        ] = False,
        dry_run: DryRunArgument = False,
    ) -> BulkOutcome:
        chosen = policy.policy() if policy else DEFAULT_POLICY
        check_size(inputs)
        context = info.context
        requests: list[Request] = []
        left = context.errors.left
        async for one in in_turns(inputs):
            requests.append(asked(one, chosen, errors_limit=min(max(left, 1), FAULTS_LIMIT)))
            left -= len(requests[-1].errors)
        outcomes = await upsert(
            context.database,
            context.caller,
            requests,
            dry_run=dry_run,
            atomic=atomic,
            announce=context.announce,
        )
        return BulkOutcome.of(outcomes, context.errors, atomic=atomic)

    @root_field(
        CreateContactResult,
        Scope.CONTACTS_WRITE,
        "Creates a contact. Answers a Conflict if a contact has a given identifier.",
    )
    async def create_contact(
        self,
        info: Info,
        input: InputArgument,  # noqa: A002
        require_on_create: Annotated[
            list[RequirableField],
            strawberry.argument(description="The fields that are required besides the email."),
        ] = [],  # noqa: B006  # the schema shows it, and nothing changes it
        generate_external_id: Annotated[
            bool, strawberry.argument(description="Set a UUID as the external id if none is given.")
        ] = False,
    ) -> Outcome:
        policy = UpsertPolicy(
            on_match=OnMatch.CONFLICT,
            require_on_create=tuple(require_on_create),
            generate_external_id=generate_external_id,
        )
        return valid(await _one(info, input, policy))

    @root_field(
        UpdateContactResult,
        Scope.CONTACTS_WRITE,
        "Updates a contact. Answers a Conflict if there is none.",
    )
    async def update_contact(
        self,
        info: Info,
        by: KeyArgument,
        input: InputArgument,  # noqa: A002
        if_version: IfVersionArgument = strawberry.UNSET,
        tags: TagsArgument = DEFAULT_POLICY.tags,
        custom_fields: CustomFieldsArgument = DEFAULT_POLICY.custom_fields,
        metadata: MetadataArgument = DEFAULT_POLICY.metadata,
        dry_run: DryRunArgument = False,
    ) -> Outcome:
        policy = UpsertPolicy(
            external_id_on_match=ExternalIdOnMatch.REPLACE,
            tags=tags,
            custom_fields=custom_fields,
            metadata=metadata,
        )
        try:
            key = by.key(info.context.caller, "by")
        except InvalidInput as broken:
            _, errors = normalise(input.given())
            raise InvalidInput([*broken.errors, *errors]) from broken
        return valid(
            await _one(info, input, policy, by=key, if_version=if_version, dry_run=dry_run)
        )


def asked(
    input: ContactInput,  # noqa: A002
    policy: UpsertPolicy,
    *,
    by: ContactKey | None = None,
    if_version: int | None = None,
    errors_limit: int = FAULTS_LIMIT,
) -> Request:
    given, errors = normalise(input.given(), errors_limit)
    return Request(given, policy, if_version, by, tuple(errors))


async def _one(
    info: Info,
    input: ContactInput,  # noqa: A002
    policy: UpsertPolicy,
    *,
    by: ContactKey | None = None,
    if_version: int | None = None,
    dry_run: bool = False,
) -> Outcome:
    request = asked(input, policy, if_version=if_version, by=by)
    return await upsert_one(info.context.database, info.context.caller, request, dry_run=dry_run)
