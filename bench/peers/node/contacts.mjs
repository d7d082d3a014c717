// The contacts of the Mercurius server: one prepared statement for each kind of call. A statement
// selects the columns that its workload asks for, as a server that looks ahead would.
import pg from "pg";

// PostgreSQL writes "2026-01-31 08:00:00.12+00", Rollcall answers "2026-01-31T08:00:00.120000Z".
const timestamp = (text) => {
  const seconds = text.slice(0, 10) + "T" + text.slice(11, 19);
  return (text[19] === "." ? seconds + text.slice(19, -3).padEnd(7, "0") : seconds) + "Z";
};
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, timestamp);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });

const camelCase = (column) => column.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const select = (columns) => columns.map((column) => `${column} AS "${camelCase(column)}"`).join(", ");

const CARD = select([
  ..."id external_id email first_name last_name name phone company job_title country".split(" "),
  ..."lifetime_value updated_at".split(" "),
]);
const LISTED = select([
  ..."id external_id email name phone company country tags custom_fields lifetime_value".split(" "),
  ..."created_at updated_at".split(" "),
]);
const COLUMNS = [
  ..."external_id email email_key first_name last_name name phone company job_title".split(" "),
  ..."country lifetime_value tags custom_fields".split(" "),
];
const REQUIRED = ["email", "email_key", "tags", "custom_fields"];
const ON_CONFLICT = `
  ON CONFLICT (workspace_id, external_id) DO UPDATE SET
    ${COLUMNS.slice(1)
      .map((column) => {
        const given = `excluded.${column}`;
        return `${column} = ${REQUIRED.includes(column) ? given : `coalesce(${given}, stored.${column})`}`;
      })
      .join(", ")},
    version = stored.version + 1,
    updated_at = now()`;

const STATEMENTS = {
  byIds: `SELECT ${CARD} FROM contact WHERE workspace_id = $1 AND id = ANY($2::uuid[])`,
  firstPage: `
    SELECT ${LISTED} FROM contact WHERE workspace_id = $1
    ORDER BY created_at DESC, id DESC LIMIT $2`,
  page: `
    SELECT ${LISTED} FROM contact WHERE workspace_id = $1 AND (created_at, id) < ($3, $4)
    ORDER BY created_at DESC, id DESC LIMIT $2`,
  upsert: `
    INSERT INTO contact AS stored (workspace_id, ${COLUMNS})
    VALUES ($1, ${COLUMNS.map((_, index) => `$${index + 2}`)})
    ${ON_CONFLICT}
    RETURNING ${CARD}, version = 1 AS created`,
  upsertMany: `
    INSERT INTO contact AS stored (workspace_id, ${COLUMNS})
    SELECT $1, ${COLUMNS.map((column) =>
      column === "email_key" ? "lower(trim(email))" : `"${camelCase(column)}"`,
    )}
    FROM jsonb_to_recordset($2::jsonb) AS given (
      "externalId" text, email text, "firstName" text, "lastName" text, name text, phone text,
      company text, "jobTitle" text, country text, "lifetimeValue" double precision, tags text[],
      "customFields" jsonb
    )
    ${ON_CONFLICT}
    RETURNING external_id AS "externalId", id, version = 1 AS created`,
};

const run = async (name, ...values) =>
  (await pool.query({ name, text: STATEMENTS[name], values })).rows;

/** In the order of the ids; null for one that is not there. */
export const byIds = async (workspace, ids) => {
  const rows = await run("byIds", workspace, ids);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
};

/** The newest first, those behind the position if there is one. */
export const page = (workspace, size, position) =>
  position
    ? run("page", workspace, size, position.createdAt, position.id)
    : run("firstPage", workspace, size);

export const upsert = async (workspace, input) => {
  const values = COLUMNS.map((column) =>
    column === "email_key" ? input.email.trim().toLowerCase() : input[camelCase(column)],
  );
  const [row] = await run("upsert", workspace, ...values);
  return row;
};

/** In the order of the inputs. */
export const upsertMany = async (workspace, inputs) => {
  const rows = await run("upsertMany", workspace, JSON.stringify(inputs));
  const upserted = new Map(rows.map((row) => [row.externalId, row]));
  return inputs.map((input) => upserted.get(input.externalId));
};
