"""`scripts/seed`: a workspace of made-up contacts, by the same upserts that clients make."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from app.cli.errors import errors_as_lines
from app.cli.opening import open_database, read_settings
from app.cli.progress import shown_progress
from app.contacts import custom_fields, unsubscribe
from app.contacts.change import Cause, Change
from app.contacts.decision.decide import Request
from app.contacts.decision.outcome import Conflict, Invalid
from app.contacts.keys import ContactKey
from app.contacts.store.find import find
from app.contacts.store.save import save
from app.contacts.upsert import upsert
from app.database.dialect import RowLock
from app.database.migrate import migrate
from app.database.sessions import Database
from app.errors import CommandFailed
from app.fields.normalise import normalise
from app.progress import Report, unreported
from app.workspaces import workspaces
from app.workspaces.keys import Caller, Scope, authenticate
from bench.people import CUSTOM_FIELDS, people, unsubscribed_at

BATCH = 1_000


def seed(
    workspace: Annotated[str, typer.Option(help="The name of the workspace.")] = "demo",
    contacts: Annotated[int, typer.Option(min=1, help="How many.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same contacts.")] = 1,
) -> None:
    """Fills a workspace of DATABASE_URL with made-up contacts. Safe to repeat."""

    settings = read_settings()

    async def run() -> str:
        with shown_progress() as report:
            async with open_database(settings) as database:
                await migrate(database, report)
                return await fill(database, workspace, contacts, seed, report)

    key = asyncio.run(run())
    typer.echo(f"API key of the workspace {workspace}, shown this once: {key}")


async def fill(
    database: Database,
    workspace: str,
    contacts: int,
    seed: int,
    report: Report = unreported,
) -> str:
    """Makes what is missing of the workspace and its contacts; a new key of it."""
    key = await key_of(database, workspace)
    caller = await authenticate(database, key)
    for name, kind in CUSTOM_FIELDS.items():
        await custom_fields.define(database, caller, kind, {"key": name})
    made = people(contacts, seed)
    done = 0
    while batch := list(islice(made, BATCH)):
        await _upsert(database, caller, batch)
        await _unsubscribe(database, caller, batch)
        done += len(batch)
        report("Contacts", done, contacts)
    return key


async def key_of(database: Database, workspace: str) -> str:
    """A new key of the workspace, which is made where it is not there."""
    async with database.write_directory() as session:
        try:
            await workspaces.find_workspace(session, workspace)
        except CommandFailed:
            await workspaces.create_workspace(session, workspace)
        return await workspaces.create_key(session, workspace, "seed", list(Scope))


async def _upsert(database: Database, caller: Caller, batch: list[dict[str, Any]]) -> None:
    requests = []
    for person in batch:
        given, errors = normalise(person)
        requests.append(Request(given, errors=tuple(errors)))
    for outcome in await upsert(database, caller, requests):
        if isinstance(outcome, Conflict | Invalid):
            raise CommandFailed(f"The workspace has other contacts that are in the way: {outcome}")


async def _unsubscribe(database: Database, caller: Caller, batch: list[dict[str, Any]]) -> None:
    """No upsert does that; all of the batch in one transaction."""
    moments = dict(_unsubscribed(batch))
    async with database.write(caller) as session:
        working_set = await find(session, moments, RowLock.WAIT)
        changes = []
        for key, at in moments.items():
            if (contact := working_set.get(key)) is not None:
                after = unsubscribe.decide(contact, key.kind, at, unsubscribed=True)
                cause = Cause.SUBSCRIPTION
                changes.append(Change(contact, after.contact, cause, caller.key_id, after.changes))
        await save(session, changes)


def _unsubscribed(batch: list[dict[str, Any]]) -> Iterator[tuple[ContactKey, Any]]:
    for person in batch:
        at = unsubscribed_at(person)
        if at is not None:
            yield ContactKey.of_email(person["email"]), at


if __name__ == "__main__":
    with errors_as_lines():
        commands = typer.Typer(add_completion=False)
        commands.command()(seed)
        commands(standalone_mode=False)
