-- Upserts, from which PostGraphile makes mutations. An omitted field is left unchanged.
CREATE TYPE given_contact AS (
    external_id text,
    email text,
    first_name text,
    last_name text,
    name text,
    phone text,
    company text,
    job_title text,
    country text,
    lifetime_value double precision,
    tags text[],
    custom_fields jsonb
);

CREATE FUNCTION upsert_contact(workspace_id uuid, contact given_contact) RETURNS contact
LANGUAGE sql VOLATILE AS $$
    INSERT INTO contact AS stored (
        workspace_id, external_id, email, email_key, first_name, last_name, name, phone, company,
        job_title, country, lifetime_value, tags, custom_fields
    )
    VALUES (
        workspace_id, contact.external_id, contact.email, lower(trim(contact.email)),
        contact.first_name, contact.last_name, contact.name, contact.phone, contact.company,
        contact.job_title, contact.country, contact.lifetime_value, contact.tags,
        contact.custom_fields
    )
    ON CONFLICT ON CONSTRAINT contact_external_id DO UPDATE SET
        email = excluded.email,
        email_key = excluded.email_key,
        first_name = coalesce(excluded.first_name, stored.first_name),
        last_name = coalesce(excluded.last_name, stored.last_name),
        name = coalesce(excluded.name, stored.name),
        phone = coalesce(excluded.phone, stored.phone),
        company = coalesce(excluded.company, stored.company),
        job_title = coalesce(excluded.job_title, stored.job_title),
        country = coalesce(excluded.country, stored.country),
        lifetime_value = coalesce(excluded.lifetime_value, stored.lifetime_value),
        tags = excluded.tags,
        custom_fields = excluded.custom_fields,
        version = stored.version + 1,
        updated_at = now()
    RETURNING stored.*
$$;

CREATE TYPE upserted_row AS (index integer, created boolean, contact_id uuid);

CREATE FUNCTION upsert_contacts(workspace_id uuid, contacts given_contact[])
RETURNS SETOF upserted_row
LANGUAGE sql VOLATILE AS $$
    WITH upserted AS (
        INSERT INTO contact AS stored (
            workspace_id, external_id, email, email_key, first_name, last_name, name, phone,
            company, job_title, country, lifetime_value, tags, custom_fields
        )
        SELECT
            workspace_id, external_id, email, lower(trim(email)), first_name, last_name, name,
            phone, company, job_title, country, lifetime_value, tags, custom_fields
        FROM unnest(contacts)
        ON CONFLICT ON CONSTRAINT contact_external_id DO UPDATE SET
            email = excluded.email,
            email_key = excluded.email_key,
            first_name = coalesce(excluded.first_name, stored.first_name),
            last_name = coalesce(excluded.last_name, stored.last_name),
            name = coalesce(excluded.name, stored.name),
            phone = coalesce(excluded.phone, stored.phone),
            company = coalesce(excluded.company, stored.company),
            job_title = coalesce(excluded.job_title, stored.job_title),
            country = coalesce(excluded.country, stored.country),
            lifetime_value = coalesce(excluded.lifetime_value, stored.lifetime_value),
            tags = excluded.tags,
            custom_fields = excluded.custom_fields,
            version = stored.version + 1,
            updated_at = now()
        RETURNING stored.external_id, stored.id, stored.version
    )
    SELECT (given.ordinality - 1)::integer, upserted.version = 1, upserted.id
    FROM unnest(contacts) WITH ORDINALITY AS given
    JOIN upserted USING (external_id)
    ORDER BY 1
$$;
