// Mercurius with graphql-jit: what one would write by hand for the same schema.
import { readFileSync } from "node:fs";

import DataLoader from "dataloader";
import Fastify from "fastify";
import { GraphQLScalarType } from "graphql";
import mercurius from "mercurius";

import { byIds, page, upsert, upsertMany } from "./contacts.mjs";
import { workspaceOf } from "./key.mjs";

const encode = ({ createdAt, id }) =>
  Buffer.from(JSON.stringify([createdAt, id])).toString("base64url");
const decode = (cursor) => {
  const [createdAt, id] = JSON.parse(Buffer.from(cursor, "base64url"));
  return { createdAt, id };
};

const result = (contact) => ({
  __typename: contact.created ? "ContactCreated" : "ContactUpdated",
  contact,
});

const resolvers = {
  DateTime: new GraphQLScalarType({ name: "DateTime" }),
  JSON: new GraphQLScalarType({ name: "JSON" }),
  Query: {
    contact: (_, { by }, { loader }) => loader.load(by.id),
    contacts: async (_, { first, after }, { workspace }) => {
      const rows = await page(workspace, first + 1, after && decode(after));
      const hasNextPage = rows.length > first;
      const edges = rows.slice(0, first).map((node) => ({ cursor: encode(node), node }));
      return { edges, pageInfo: { hasNextPage, endCursor: edges.at(-1)?.cursor } };
    },
  },
  Mutation: {
    upsertContact: async (_, { input }, { workspace }) => result(await upsert(workspace, input)),
    upsertContacts: async (_, { inputs }, { workspace }) => {
      const contacts = await upsertMany(workspace, inputs);
      const created = contacts.filter((contact) => contact.created).length;
      return {
        rows: contacts.map((contact, index) => ({ index, result: result(contact) })),
        created,
        updated: contacts.length - created,
      };
    },
  },
};

const app = Fastify({ bodyLimit: 4 * 1024 * 1024 });
app.decorateRequest("workspace", null);
app.addHook("onRequest", async (request, reply) => {
  request.workspace = workspaceOf(request);
  if (!request.workspace) {
    return reply.code(401).send({ errors: [{ message: "The API key is missing or wrong." }] });
  }
});
app.register(mercurius, {
  schema: readFileSync(new URL("schema.graphql", import.meta.url), "utf8"),
  resolvers,
  jit: 1,
  context: ({ workspace }) => ({
    workspace,
    loader: new DataLoader((ids) => byIds(workspace, ids), { cache: false }),
  }),
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
