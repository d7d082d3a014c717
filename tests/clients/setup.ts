// The contacts of each client's test.
import { UpsertContact } from "./documents";
import { createClient } from "./graphql-request";

export const { ROLLCALL_URL: url = "", ROLLCALL_KEY: key = "" } = process.env;

/** The variables of a page of the client's contacts. */
export const page = (client: string) => ({
  filter: { email: { startsWith: `${client}.` } },
  first: 2,
});

/** Three contacts whose emails start with the name of the client, the third the newest. */
export async function push(client: string) {
  const request = createClient(url, key);
  for (const name of ["first", "second", "third"]) {
    const input = { externalId: `${client}-${name}`, email: `${client}.${name}@example.com`, name };
    const { upsertContact } = await request.request(UpsertContact, { input });
    if (upsertContact?.__typename !== "ContactCreated") throw new Error(upsertContact?.__typename);
  }
}

/** Whether each request that is sent from now on has a document. */
export function watchDocuments() {
  const send = globalThis.fetch;
  const seen: boolean[] = [];
  globalThis.fetch = (to, options) => {
    seen.push("query" in JSON.parse(String(options?.body)));
    return send(to, options);
  };
  return seen;
}
