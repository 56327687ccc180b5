-- What a rollout's judge was told, in the order it was taken in; never changed afterwards. Any verdict follows from it.
CREATE TABLE evidence (
    org_id TEXT NOT NULL,
    rollout_id TEXT NOT NULL REFERENCES rollouts (id),
    seq BIGINT NOT NULL,
    -- Who counted, and the last of its numbers in here; empty and 0 for what the control plane says itself.
    source TEXT NOT NULL,
    upto BIGINT NOT NULL,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, seq)
);
CREATE INDEX evidence_by_source ON evidence (rollout_id, source, upto);
