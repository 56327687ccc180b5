-- Secrets: a name and where it holds. `scope` is one text for each scope, so that there is one secret of a name in it. The
-- newest version is in force unless the secret was removed; what was sealed before stays, so that it can be set again.
CREATE TABLE secrets (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    service TEXT,
    env TEXT,
    site TEXT,
    newest BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE UNIQUE INDEX secrets_by_name ON secrets (org_id, name, scope);

CREATE TABLE secret_versions (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    secret TEXT NOT NULL REFERENCES secrets (id),
    version BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    sealed {{bytes}} NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    handed_at BIGINT,
    PRIMARY KEY (secret, version)
);
CREATE INDEX secret_versions_by_key ON secret_versions (org_id, key_id);

-- Which version an instance was handed last.
CREATE TABLE secret_handovers (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    holder TEXT NOT NULL,
    secret TEXT NOT NULL REFERENCES secrets (id),
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (holder, secret)
);
CREATE INDEX secret_handovers_by_secret ON secret_handovers (org_id, secret);
