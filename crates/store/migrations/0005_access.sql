-- People, service accounts and groups; what each may do where; how people come in and stay in.

CREATE TABLE users (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    handle TEXT NOT NULL,
    -- `person` or `service`.
    kind TEXT NOT NULL,
    -- What is personal is here and not in the event log.
    name TEXT NOT NULL,
    email TEXT,
    password TEXT,
    password_set_at BIGINT,
    -- The second factor's secret, sealed. It counts from `totp_since`; the last step used is never good again.
    totp TEXT,
    totp_since BIGINT,
    totp_step BIGINT NOT NULL DEFAULT 0,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT,
    disabled_at BIGINT,
    version BIGINT NOT NULL,
    UNIQUE (org_id, handle)
);

CREATE TABLE recovery_codes (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    hash {{bytes}} NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);

CREATE TABLE groups (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

CREATE TABLE group_members (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    group_id TEXT NOT NULL REFERENCES groups (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_by_user ON group_members (user_id);

-- `holder` is `user/ID` or `group/ID`. What is NULL is not narrowed.
CREATE TABLE grants (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    role TEXT NOT NULL,
    service TEXT,
    env TEXT,
    site TEXT,
    granted_by TEXT NOT NULL,
    granted_at BIGINT NOT NULL
);
CREATE INDEX grants_by_holder ON grants (org_id, holder);

-- Single use, for one recipient, known by its hash.
CREATE TABLE invitations (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    hash {{bytes}} NOT NULL,
    handle TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    grants TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    invited_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX invitations_by_hash ON invitations (hash);

CREATE TABLE sessions (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    hash {{bytes}} NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    -- With a second factor, or by password alone.
    strong BIGINT NOT NULL,
    agent TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX sessions_by_hash ON sessions (hash);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Whose token it is: none for those the machine's owner makes, which reach as far as their scopes.
ALTER TABLE tokens ADD COLUMN owner_id TEXT REFERENCES users (id);
ALTER TABLE tokens ADD COLUMN bounds TEXT;
