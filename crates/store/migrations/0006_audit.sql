-- What proves the log to others. The chain is one for all tenants, and so is this.

-- Signed notes that say where the chain was. `note` is what counts; the other columns are for looking it up.
CREATE TABLE audit_checkpoints (
    seq BIGINT NOT NULL PRIMARY KEY,
    hash {{bytes}} NOT NULL,
    made_at BIGINT NOT NULL,
    note TEXT NOT NULL
);

-- Every key that ever signed, and the note with which it was introduced.
CREATE TABLE audit_keys (
    id TEXT NOT NULL PRIMARY KEY,
    verifier TEXT NOT NULL,
    introduction TEXT NOT NULL,
    introduced_at BIGINT NOT NULL
);

-- One row: the checkpoint the chain begins behind, and the one it will begin behind once the event that tells of it is sealed.
CREATE TABLE audit_anchor (
    id BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash {{bytes}},
    next_seq BIGINT,
    next_told TEXT
);
INSERT INTO audit_anchor (id, seq) VALUES (1, 0);

-- How far each place checkpoints are sent to has got.
CREATE TABLE audit_sinks (
    name TEXT NOT NULL PRIMARY KEY,
    delivered BIGINT NOT NULL,
    delivered_at BIGINT,
    failing_since BIGINT,
    tries BIGINT NOT NULL,
    next_at BIGINT,
    error TEXT
);

CREATE INDEX events_by_actor ON events (org_id, actor_name, seq);
CREATE INDEX events_by_time ON events (org_id, at, seq);
