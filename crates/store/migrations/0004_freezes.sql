-- Freezes people set. Without a service it holds all of them, without an environment likewise. What is over stays: who asks for
-- it is told who lifted it.
CREATE TABLE freezes (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT,
    env TEXT,
    reason TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    set_by TEXT NOT NULL,
    until_at BIGINT,
    ended_at BIGINT,
    ended_by TEXT
);
CREATE INDEX freezes_by_end ON freezes (org_id, ended_at);
