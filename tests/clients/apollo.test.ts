import assert from "node:assert/strict";
import { test } from "node:test";
import { filter, firstValueFrom, map } from "rxjs";
import { createClient, deleteContact } from "./apollo";
import { GetContact, ListContacts, UpsertContact } from "./documents";
import { key, page, push, url, watchDocuments } from "./setup";

test("the cache joins pages, applies an update and removes a deleted contact", { timeout: 30_000 }, async () => {
  await push("apollo");
  const client = createClient(url, key);
  const list = client.watchQuery({ query: ListContacts, variables: page("apollo") });
  const shows = (...wanted: string[]) =>
    firstValueFrom(
      list.pipe(
        map(({ data }) => data?.contacts?.edges?.map((edge) => edge?.node?.displayName)),
        filter((names) => String(names) === String(wanted)),
      ),
    );
  await shows("third", "second");
  const after = list.getCurrentResult().data?.contacts?.pageInfo?.endCursor;
  await list.fetchMore({ variables: { after } });
  await shows("third", "second", "first");

  const input = { externalId: "apollo-third", name: "renamed" };
  const { data: updated } = await client.mutate({ mutation: UpsertContact, variables: { input } });
  assert(updated?.upsertContact?.__typename === "ContactUpdated");
  await shows("renamed", "second", "first");
  const { id } = updated.upsertContact.contact;
  const cached = { query: GetContact, variables: { id }, fetchPolicy: "cache-only" } as const;
  assert.equal((await client.query(cached)).data?.node?.displayName, "renamed");

  const deleted = await deleteContact(client, { externalId: "apollo-second" });
  assert.equal(deleted.data?.deleteContact?.__typename, "ContactDeleted");
  await shows("renamed", "first");
});

test("without a manifest the server makes the link send documents", async () => {
  const hasDocument = watchDocuments();
  const client = createClient(url, key);
  const variables = page("apollo");
  const fetched = { query: ListContacts, variables, fetchPolicy: "network-only" } as const;
  await client.query(fetched);
  await client.query(fetched);
  assert.deepEqual(hasDocument, [false, true, true]);
});
