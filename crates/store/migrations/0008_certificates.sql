-- Certificates the edge shows, uploaded or had from an authority; their keys are sealed. And what is being asked of the authority:
-- one row a host, with the challenge that the edge answers meanwhile, and when it is asked next.
CREATE TABLE certificates (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    digest TEXT NOT NULL,
    origin TEXT NOT NULL,
    names TEXT NOT NULL,
    chain TEXT NOT NULL,
    key_id TEXT NOT NULL,
    sealed {{bytes}} NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    warned_at BIGINT,
    PRIMARY KEY (org_id, digest)
);
CREATE TABLE certificate_orders (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    host TEXT NOT NULL,
    token TEXT,
    answer TEXT,
    failures BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    wrong TEXT,
    PRIMARY KEY (org_id, host)
);
