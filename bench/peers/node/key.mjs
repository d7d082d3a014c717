import { createHash } from "node:crypto";

const digest = (key) => createHash("sha256").update(key).digest("hex");

const workspaces = new Map([[digest(process.env.API_KEY), process.env.WORKSPACE]]);

/** The workspace of the request's API key; undefined without a valid key. */
export const workspaceOf = ({ headers }) => {
  const key = headers["x-api-key"];
  return key && workspaces.get(digest(key));
};
