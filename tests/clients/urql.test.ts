import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { DeleteContact, GetContact, ListContacts, UpsertContact } from "./documents";
import { key, page, push, url } from "./setup";
import { createClient } from "./urql";

test("the cache joins pages, applies an update and removes a deleted contact", async () => {
  const { mock: warnings } = mock.method(console, "warn");
  await push("urql");
  const client = createClient(url, key);
  const variables = page("urql");
  const first = await client.query(ListContacts, variables).toPromise();
  const names: string[][] = [];
  const after = first.data?.contacts?.pageInfo.endCursor;
  const pages = client.query(ListContacts, { ...variables, after });
  const { unsubscribe } = pages.subscribe(({ data }) => {
    names.push(data!.contacts!.edges.map(({ node }) => node.displayName));
  });
  await pages.toPromise();
  assert.deepEqual(names.at(-1), ["third", "second", "first"]);

  const input = { externalId: "urql-third", name: "renamed" };
  const { data: updated } = await client.mutation(UpsertContact, { input }).toPromise();
  assert(updated?.upsertContact?.__typename === "ContactUpdated");
  assert.deepEqual(names.at(-1), ["renamed", "second", "first"]);
  const { id } = updated.upsertContact.contact;
  const fromCache = { requestPolicy: "cache-only" } as const;
  const cached = await client.query(GetContact, { id }, fromCache).toPromise();
  assert.equal(cached.data?.node?.displayName, "renamed");

  const by = { externalId: "urql-second" };
  const deleted = await client.mutation(DeleteContact, { by }).toPromise();
  assert.equal(deleted.data?.deleteContact?.__typename, "ContactDeleted");
  assert.deepEqual(names.at(-1), ["renamed", "first"]);
  unsubscribe();
  assert.equal(warnings.callCount(), 0);
});

test("a conflict is an answer, not an error", async () => {
  const client = createClient(url, key);
  const input = { externalId: "urql-fourth", email: "urql.first@example.com" };
  const { data, error } = await client.mutation(UpsertContact, { input }).toPromise();
  assert.ifError(error);
  assert(data?.upsertContact?.__typename === "ContactConflict");
  assert.deepEqual(data.upsertContact.reasons.map(({ code }) => code), ["EXTERNAL_ID_MISMATCH"]);
});
