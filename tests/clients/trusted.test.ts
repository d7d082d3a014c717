import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "./apollo";
import { ListContacts } from "./documents";
import { key, page, url, watchDocuments } from "./setup";

test("a server with the manifest needs no document and executes no other", async () => {
  const hasDocument = watchDocuments();
  const client = createClient(url, key);
  const { data } = await client.query({ query: ListContacts, variables: page("apollo") });
  assert.deepEqual(data!.contacts!.edges.map(({ node }) => node.displayName), ["renamed", "first"]);
  assert.deepEqual(hasDocument, [false]);

  const headers = { "content-type": "application/json", "x-api-key": key };
  const body = JSON.stringify({ query: "{ __typename }" });
  const refused = await (await fetch(url, { method: "POST", headers, body })).json();
  assert.equal(refused.errors[0].extensions.code, "PERSISTED_QUERY_ID_REQUIRED");
});
