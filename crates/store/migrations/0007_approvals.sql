-- Who agreed to a rollout. One person agrees once.
CREATE TABLE approvals (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    rollout_id TEXT NOT NULL REFERENCES rollouts (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    handle TEXT NOT NULL,
    note TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, user_id)
);
