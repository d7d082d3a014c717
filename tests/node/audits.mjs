// Runs the public audits of GraphQL over HTTP and prints each result as a line of JSON.
// Usage: API_KEY=… node audits.mjs URL
import { serverAudits } from "graphql-http";

const fetchFn = (url, init) =>
  fetch(url, { ...init, headers: { ...init?.headers, "x-api-key": process.env.API_KEY } });

for (const audit of serverAudits({ url: process.argv[2], fetchFn })) {
  const { id, name, status, reason } = await audit.fn();
  console.log(JSON.stringify({ id, name, status, reason }));
}
