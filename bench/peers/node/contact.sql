-- The table of a peer, in the schema of its name: the contacts of Rollcall's table, in the columns
-- that a server written by hand would have.
CREATE TABLE contact (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    external_id text,
    email text NOT NULL,
    email_key text NOT NULL,
    first_name text,
    last_name text,
    name text,
    phone text,
    company text,
    job_title text,
    country text,
    lifetime_value double precision,
    tags text[] NOT NULL DEFAULT '{}',
    custom_fields jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO contact
SELECT
    workspace_id, id, external_ids ->> 'default', email, email_key, first_name, last_name, name,
    phone, company, job_title, country, lifetime_value,
    ARRAY(SELECT jsonb_array_elements_text(tags)), custom_fields, version, created_at, updated_at
FROM public.contact;

ALTER TABLE contact ADD PRIMARY KEY (workspace_id, id);
ALTER TABLE contact ADD CONSTRAINT contact_external_id UNIQUE (workspace_id, external_id);
ALTER TABLE contact ADD CONSTRAINT contact_email UNIQUE (workspace_id, email_key);
CREATE INDEX contact_created_at ON contact (workspace_id, created_at, id);
