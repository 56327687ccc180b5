-- Links that sign a browser in without a password: single use, a few minutes, known by their hash.
CREATE TABLE session_links (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    hash {{bytes}} NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
