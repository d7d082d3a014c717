// PostGraphile with its Amber preset, on the table and the functions of its schema.
import { createServer } from "node:http";

import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

import { workspaceOf } from "./key.mjs";

const service = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ["postgraphile"],
      poolConfig: { max: 20 },
    }),
  ],
  grafast: { explain: false },
  grafserv: { graphiql: false, watch: false, maxRequestLength: 4 * 1024 * 1024 },
});
const answer = service.createServ(grafserv).createHandler();
const refusal = JSON.stringify({ errors: [{ message: "The API key is missing or wrong." }] });

createServer((request, response) => {
  if (workspaceOf(request)) {
    return answer(request, response);
  }
  response.writeHead(401, { "content-type": "application/json" }).end(refusal);
}).listen(Number(process.env.PORT), "127.0.0.1");
