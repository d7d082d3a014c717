"""Upserting, creating and updating, each by the same decision."""

from typing import Annotated

import strawberry

from app.api.graphql.arguments import (
    DryRunArgument,
    IfVersionArgument,
    InputArgument,
    KeyArgument,
    PolicyArgument,
)
from app.api.graphql.bulk import UpsertContactsPayload
from app.api.graphql.contact import ContactInput
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import (
    CreateContactResult,
    UpdateContactResult,
    UpsertContactResult,
    result,
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
from app.contacts.upsert import upsert
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import normalise
from app.workspaces.keys import Scope

ROWS_LIMIT = 1000


@strawberry.type
class UpsertMutation:
    @root_field(
        Scope.CONTACTS_WRITE,
        "Creates the contact or updates it, as the policy says. The same call again changes "
        "nothing, so that it is safe to repeat.",
    )
    async def upsert_contact(
        self,
        info: Info,
        input: InputArgument,  # noqa: A002
        policy: PolicyArgument = strawberry.UNSET,
        if_version: IfVersionArgument = strawberry.UNSET,
        dry_run: DryRunArgument = False,
    ) -> UpsertContactResult:
        chosen = policy.policy() if policy else DEFAULT_POLICY
        answer: UpsertContactResult = result(
            await _one(info, input, chosen, if_version=if_version, dry_run=dry_run)
        )
        return answer

    @root_field(
        Scope.CONTACTS_WRITE,
        f"Up to {ROWS_LIMIT} upserts at once: the same contacts and the same answers as from as "
        "many single calls in this order, in one transaction. A row that fails spoils no other.",
    )
    async def upsert_contacts(
        self,
        info: Info,
        inputs: Annotated[
            list[ContactInput], strawberry.argument(description="What is known of each contact.")
        ],
        policy: PolicyArgument = strawberry.UNSET,
        atomic: Annotated[
            bool,
            strawberry.argument(description="All or nothing: write no row where one row fails."),
        ] = False,
        dry_run: DryRunArgument = False,
    ) -> UpsertContactsPayload:
        if len(inputs) > ROWS_LIMIT:
            message = f"must have at most {ROWS_LIMIT} rows, has {len(inputs)}"
            raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "inputs", message)])
        chosen = policy.policy() if policy else DEFAULT_POLICY
        outcomes = await upsert(
            info.context.database,
            info.context.caller,
            [asked(input, chosen) for input in inputs],  # noqa: A001
            dry_run=dry_run,
            atomic=atomic,
        )
        return UpsertContactsPayload.of(outcomes, atomic=atomic)

    @root_field(Scope.CONTACTS_WRITE, "Creates a contact; a Conflict where it exists already.")
    async def create_contact(
        self,
        info: Info,
        input: InputArgument,  # noqa: A002
        require_on_create: Annotated[
            list[RequirableField],
            strawberry.argument(description="What is needed beside the email."),
        ] = [],  # noqa: B006  # the schema shows it, and nothing changes it
        generate_external_id: Annotated[
            bool, strawberry.argument(description="A UUID as external id where none is given.")
        ] = False,
    ) -> CreateContactResult:
        policy = UpsertPolicy(
            on_match=OnMatch.CONFLICT,
            require_on_create=tuple(require_on_create),
            generate_external_id=generate_external_id,
        )
        answer: CreateContactResult = result(await _one(info, input, policy))
        return answer

    @root_field(Scope.CONTACTS_WRITE, "Updates a contact; a Conflict where there is none.")
    async def update_contact(
        self,
        info: Info,
        by: KeyArgument,
        input: InputArgument,  # noqa: A002
        if_version: IfVersionArgument = strawberry.UNSET,
    ) -> UpdateContactResult:
        policy = UpsertPolicy(external_id_on_match=ExternalIdOnMatch.REPLACE)
        try:
            key = by.key("by")
        except InvalidInput as broken:
            _, errors = normalise(input.given())
            raise InvalidInput([*broken.errors, *errors]) from broken
        answer: UpdateContactResult = result(
            await _one(info, input, policy, by=key, if_version=if_version)
        )
        return answer


def asked(
    input: ContactInput,  # noqa: A002
    policy: UpsertPolicy,
    *,
    by: ContactKey | None = None,
    if_version: int | None = None,
) -> Request:
    given, errors = normalise(input.given())
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
    [outcome] = await upsert(info.context.database, info.context.caller, [request], dry_run=dry_run)
    return outcome
