"""The root fields that write."""

from typing import Annotated

import strawberry

from app.api.assignments import AssigneeInput
from app.api.bulk import UpsertContactsPayload
from app.api.contact import ContactInput, ContactKeyInput, keys_of
from app.api.context import Info
from app.api.custom_fields import CustomFieldDefinition, CustomFieldInput
from app.api.delete import DELETE_LIMIT, ContactSelection, DeleteContactsPayload, deleted
from app.api.field import root_field
from app.api.merge import MergeMutation
from app.api.policy import UpsertPolicyInput
from app.api.results import (
    CreateContactResult,
    DeleteContactResult,
    UpdateContactResult,
    UpsertContactResult,
    result,
)
from app.auth import Scope
from app.contacts.assignments import ASSIGNMENTS_LIMIT, set_assignment
from app.contacts.custom_fields import DEFINITIONS_LIMIT, define, remove
from app.contacts.decide import Request
from app.contacts.delete import delete, delete_by_filter, delete_by_keys
from app.contacts.filters import leaves
from app.contacts.known import ContactKey
from app.contacts.outcome import Outcome
from app.contacts.policy import (
    DEFAULT_POLICY,
    ExternalIdOnMatch,
    OnMatch,
    RequirableField,
    UpsertPolicy,
)
from app.contacts.subscription import set_subscription
from app.contacts.upsert import upsert
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields import normalise

ROWS_LIMIT = 1000

InputArgument = Annotated[
    ContactInput, strawberry.argument(description="What is known of the contact.")
]
KeyArgument = Annotated[ContactKeyInput, strawberry.argument(description="A key of the contact.")]
PolicyArgument = Annotated[
    UpsertPolicyInput | None,
    strawberry.argument(description="How to find the contact and what may be done to it."),
]
DryRunArgument = Annotated[
    bool, strawberry.argument(description="Answer alike, and write nothing.")
]
IfVersionArgument = Annotated[
    int | None,
    strawberry.argument(
        description="Only if the contact is at this version; else VERSION_MISMATCH, with the "
        "contact as it is."
    ),
]


@strawberry.type(description="What can be written.")
class Mutation(MergeMutation):
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
        answer: UpdateContactResult = result(
            await _one(info, input, policy, by=by.key("by"), if_version=if_version)
        )
        return answer

    @root_field(Scope.CONTACTS_WRITE, "Deletes a contact; a Conflict where there is none.")
    async def delete_contact(
        self, info: Info, by: KeyArgument, if_version: IfVersionArgument = strawberry.UNSET
    ) -> DeleteContactResult:
        context = info.context
        return deleted(await delete(context.database, context.caller, by.key("by"), if_version))

    @root_field(
        Scope.CONTACTS_WRITE,
        f"Deletes up to {DELETE_LIMIT} contacts, in one transaction, each with its answer.",
    )
    async def delete_contacts(
        self,
        info: Info,
        selection: Annotated[ContactSelection, strawberry.argument(description="Which contacts.")],
        dry_run: DryRunArgument = False,
    ) -> DeleteContactsPayload:
        database, caller = info.context.database, info.context.caller
        if selection.keys is not None:
            keys = keys_of(selection.keys.value, "selection.keys", DELETE_LIMIT)
            outcomes = await delete_by_keys(database, caller, keys, dry_run=dry_run)
            return DeleteContactsPayload.of(outcomes, has_more=False)
        assert selection.filter is not None  # noqa: S101  # the schema wants one of the two
        condition = selection.filter.value.condition()
        if next(leaves(condition), None) is None:
            message = "must have a condition, so that nobody deletes everything by mistake"
            raise InvalidInput([FieldError(FieldErrorCode.REQUIRED, "selection.filter", message)])
        gone = await delete_by_filter(database, caller, condition, DELETE_LIMIT, dry_run=dry_run)
        return DeleteContactsPayload.of(gone.contacts, has_more=gone.has_more)

    @root_field(
        Scope.CONTACTS_WRITE,
        "Notes that a contact does not want to be written to; a Conflict where there is none. No "
        "upsert takes that back.",
    )
    async def unsubscribe_contact(self, info: Info, by: KeyArgument) -> UpdateContactResult:
        return await _subscription(info, by, unsubscribed=True)

    @root_field(
        Scope.CONTACTS_WRITE,
        "Notes that a contact wants to be written to again; a Conflict where there is none.",
    )
    async def resubscribe_contact(self, info: Info, by: KeyArgument) -> UpdateContactResult:
        return await _subscription(info, by, unsubscribed=False)

    @root_field(
        Scope.CONTACTS_WRITE,
        f"Assigns a contact, to up to {ASSIGNMENTS_LIMIT} things; a Conflict where there is none.",
    )
    async def assign_contact(
        self,
        info: Info,
        by: KeyArgument,
        to: Annotated[
            AssigneeInput, strawberry.argument(description="Whom or what to assign it to.")
        ],
    ) -> UpdateContactResult:
        return await _assignment(info, by, to, "to", assigned=True)

    @root_field(
        Scope.CONTACTS_WRITE,
        "Takes an assignment of a contact back; a Conflict where there is no such contact.",
    )
    async def unassign_contact(
        self,
        info: Info,
        by: KeyArgument,
        from_: Annotated[
            AssigneeInput,
            strawberry.argument(name="from", description="Whom or what it was assigned to."),
        ],
    ) -> UpdateContactResult:
        return await _assignment(info, by, from_, "from", assigned=False)

    @root_field(
        Scope.ADMIN,
        f"Defines a custom field, up to {DEFINITIONS_LIMIT} in a workspace; from then on every "
        "value that is given for it must have its type. Defining it again changes its label and "
        "description; for another type, remove it first.",
    )
    async def define_custom_field(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            CustomFieldInput, strawberry.argument(description="The custom field.")
        ],
    ) -> CustomFieldDefinition:
        context = info.context
        record = await define(context.database, context.caller, input.type, input.texts())
        return CustomFieldDefinition.of(record)

    @root_field(
        Scope.ADMIN,
        "Removes the definition of a custom field and answers with it, or with null where there "
        "was none. The values on contacts stay, and new ones are taken as they are.",
    )
    async def remove_custom_field(
        self, info: Info, key: Annotated[str, strawberry.argument(description="Its key.")]
    ) -> CustomFieldDefinition | None:
        record = await remove(info.context.database, info.context.caller, key)
        return None if record is None else CustomFieldDefinition.of(record)


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


async def _subscription(
    info: Info, by: ContactKeyInput, *, unsubscribed: bool
) -> UpdateContactResult:
    context = info.context
    answer: UpdateContactResult = result(
        await set_subscription(
            context.database, context.caller, by.key("by"), unsubscribed=unsubscribed
        )
    )
    return answer


async def _assignment(
    info: Info, by: ContactKeyInput, assignee: AssigneeInput, path: str, *, assigned: bool
) -> UpdateContactResult:
    context = info.context
    answer: UpdateContactResult = result(
        await set_assignment(
            context.database,
            context.caller,
            by.key("by"),
            assignee.assignee(path),
            assigned=assigned,
        )
    )
    return answer
