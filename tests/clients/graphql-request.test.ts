import assert from "node:assert/strict";
import { test } from "node:test";
import { isInputObjectType } from "graphql";
import { ClientError } from "graphql-request";
import { createPageKey } from "./backend";
import { key, page, url } from "./setup";
import { DeleteContact, ListContacts, UpsertContact } from "./documents";
import type { ContactInput, ContactKey } from "./generated/graphql";
import { createClient } from "./graphql-request";
import { fetchSchema } from "./introspect";

const client = createClient(url, key);

/** What the type of the result tells. */
async function upsert(input: ContactInput) {
  const { upsertContact } = await client.request(UpsertContact, { input });
  switch (upsertContact?.__typename) {
    case "ContactCreated":
      return upsertContact.contact.version;
    case "ContactUpdated":
      return upsertContact.changes.map(({ path }) => path);
    case "ContactConflict":
      return upsertContact.reasons.map(({ code }) => code);
  }
}

test("the type of the result tells created, updated and conflict apart", async () => {
  assert.equal(await upsert({ externalId: "request-1", email: "request.first@example.com" }), 1);
  assert.equal(await upsert({ externalId: "request-2", email: "request.second@example.com" }), 1);
  assert.deepEqual(await upsert({ externalId: "request-1", company: "Navy" }), ["company"]);
  assert.deepEqual(await upsert({ externalId: "request-1", company: null }), ["company"]);
  assert.deepEqual(await upsert({ externalId: "request-1", email: "request.second@example.com" }), [
    "IDENTIFIER_TAKEN",
  ]);
});

test("pages follow one another and a deleted contact is in none", async () => {
  const emails: string[] = [];
  const variables = { ...page("request"), first: 1 };
  let info = { hasNextPage: true, endCursor: null as string | null };
  while (info.hasNextPage) {
    const after = info.endCursor;
    const { contacts } = await client.request(ListContacts, { ...variables, after });
    emails.push(...contacts!.edges.map(({ node }) => node.email));
    info = contacts!.pageInfo;
  }
  assert.deepEqual(emails, ["request.second@example.com", "request.first@example.com"]);

  const { deleteContact } = await client.request(DeleteContact, { by: { email: emails[0] } });
  assert.equal(deleteContact?.__typename, "ContactDeleted");
  const { contacts } = await client.request(ListContacts, variables);
  assert.deepEqual(contacts!.edges.map(({ node }) => node.email), [emails[1]]);
});

test("a batch of operations is refused", async () => {
  await assert.rejects(
    client.batchRequests([{ document: ListContacts, variables: page("request") }]),
    (error) => error instanceof ClientError && error.response.status === 400,
  );
});

test("a page's key reads, expires soon and does not write", async () => {
  const created = await createPageKey(url, key, "ada");
  const minutes = (Date.parse(created.apiKey.expiresAt!) - Date.now()) / 60_000;
  assert(minutes > 13 && minutes <= 15, `${minutes}`);

  const pageClient = createClient(url, created.key);
  const { contacts } = await pageClient.request(ListContacts, page("request"));
  assert.equal(contacts!.edges.length, 1);
  await assert.rejects(
    pageClient.request(UpsertContact, { input: { email: "request.third@example.com" } }),
    (error) =>
      error instanceof ClientError && error.response.errors?.[0].extensions.code === "FORBIDDEN",
  );
});

test("a key has exactly one member", async () => {
  // @ts-expect-error The types refuse two, and so does the server.
  const by: ContactKey = { externalId: "request-1", email: "request.first@example.com" };
  await assert.rejects(client.request(DeleteContact, { by }), ClientError);
});

test("introspection with oneOf keeps the members of a key apart", async () => {
  const schema = await fetchSchema(url, key);
  const contactKey = schema.getType("ContactKey");
  assert(isInputObjectType(contactKey) && contactKey.isOneOf);
});
