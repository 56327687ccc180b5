-- Tenants ------------------------------------------------------------------------------------------------------------

CREATE TABLE orgs (
    id TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);
INSERT INTO orgs (id, created_at) VALUES ('default', 0);

-- What is deployed, and where to -------------------------------------------------------------------------------------

CREATE TABLE services (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    default_branch TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (org_id, name)
);

-- The last number given out per service: runs and releases count 1, 2, 3; rollouts queue in the order they came.
CREATE TABLE counters (
    org_id TEXT NOT NULL,
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (org_id, service, name),
    FOREIGN KEY (org_id, service) REFERENCES services (org_id, name)
);

CREATE TABLE environments (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    policy TEXT NOT NULL,
    frozen_at BIGINT,
    frozen_by TEXT,
    frozen_reason TEXT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (org_id, name)
);

CREATE TABLE sites (
    org_id TEXT NOT NULL,
    env TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, env, name),
    FOREIGN KEY (org_id, env) REFERENCES environments (org_id, name)
);

CREATE TABLE hosts (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    key_hash {{bytes}} NOT NULL,
    enrolled_at BIGINT NOT NULL,
    last_seen_at BIGINT,
    UNIQUE (org_id, name)
);
CREATE UNIQUE INDEX hosts_by_key ON hosts (key_hash);

-- Access -------------------------------------------------------------------------------------------------------------

CREATE TABLE tokens (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hash {{bytes}} NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);

CREATE TABLE login_codes (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    hash {{bytes}} NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE settings (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (org_id, key)
);

CREATE TABLE idempotency (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    request_hash {{bytes}} NOT NULL,
    status BIGINT,
    response TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, actor, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Pipelines and releases ---------------------------------------------------------------------------------------------

CREATE TABLE runs (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    number BIGINT NOT NULL,
    commit_id TEXT NOT NULL,
    git_ref TEXT NOT NULL,
    env TEXT,
    state TEXT NOT NULL,
    plan TEXT NOT NULL,
    body TEXT NOT NULL,
    cause TEXT,
    actor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    lease_holder TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL,
    UNIQUE (org_id, service, number),
    FOREIGN KEY (org_id, service) REFERENCES services (org_id, name)
);
CREATE INDEX runs_unfinished ON runs (org_id, created_at) WHERE finished_at IS NULL;
CREATE INDEX runs_by_ref ON runs (org_id, service, git_ref, id);

CREATE TABLE jobs (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    stage TEXT NOT NULL,
    state TEXT NOT NULL,
    task_id TEXT,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    version BIGINT NOT NULL,
    UNIQUE (run_id, name)
);
CREATE INDEX jobs_by_task ON jobs (task_id);

CREATE TABLE releases (
    org_id TEXT NOT NULL,
    service TEXT NOT NULL,
    digest TEXT NOT NULL,
    number BIGINT NOT NULL,
    commit_id TEXT NOT NULL,
    run_id TEXT,
    manifest TEXT NOT NULL,
    bundle TEXT NOT NULL,
    size BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, service, digest),
    UNIQUE (org_id, service, number),
    FOREIGN KEY (org_id, service) REFERENCES services (org_id, name)
);

-- What runs where ----------------------------------------------------------------------------------------------------

CREATE TABLE revisions (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    env TEXT NOT NULL,
    site TEXT NOT NULL,
    release_digest TEXT NOT NULL,
    label TEXT NOT NULL,
    config_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    completed_at BIGINT,
    retired_at BIGINT,
    FOREIGN KEY (org_id, service, release_digest) REFERENCES releases (org_id, service, digest)
);
CREATE INDEX revisions_by_place ON revisions (org_id, service, env, site, id);
CREATE UNIQUE INDEX revisions_by_release ON revisions (org_id, service, env, site, release_digest, config_version);

CREATE TABLE rollouts (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    env TEXT NOT NULL,
    kind TEXT NOT NULL,
    phase TEXT NOT NULL,
    active BIGINT NOT NULL,
    queue_seq BIGINT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL,
    next_wake_at BIGINT,
    note TEXT,
    ticket TEXT,
    requester TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    lease_holder TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL,
    FOREIGN KEY (org_id, service) REFERENCES services (org_id, name)
);
CREATE UNIQUE INDEX rollouts_one_active ON rollouts (org_id, service, env) WHERE active = 1;
CREATE INDEX rollouts_unfinished ON rollouts (org_id, service, env, queue_seq) WHERE finished_at IS NULL;
CREATE INDEX rollouts_by_service ON rollouts (org_id, service, id);

-- The queue of rollouts of one service in one environment. Held after a failure until a person acknowledges.
CREATE TABLE queues (
    org_id TEXT NOT NULL,
    service TEXT NOT NULL,
    env TEXT NOT NULL,
    frozen_at BIGINT,
    frozen_by TEXT,
    frozen_reason TEXT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    acknowledged_note TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (org_id, service, env),
    FOREIGN KEY (org_id, service) REFERENCES services (org_id, name)
);

CREATE TABLE places (
    org_id TEXT NOT NULL,
    service TEXT NOT NULL,
    env TEXT NOT NULL,
    site TEXT NOT NULL,
    history TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (org_id, service, env, site),
    FOREIGN KEY (org_id, service) REFERENCES services (org_id, name)
);

CREATE TABLE instances (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL PRIMARY KEY,
    host_id TEXT NOT NULL REFERENCES hosts (id),
    service TEXT NOT NULL,
    env TEXT NOT NULL,
    site TEXT NOT NULL,
    revision_id TEXT NOT NULL REFERENCES revisions (id),
    ordinal BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX instances_on_host ON instances (host_id, id) WHERE retired_at IS NULL;
CREATE INDEX instances_of_place ON instances (org_id, service, env, site) WHERE retired_at IS NULL;
CREATE INDEX instances_of_revision ON instances (revision_id, ordinal);

CREATE TABLE routes (
    org_id TEXT NOT NULL,
    service TEXT NOT NULL,
    env TEXT NOT NULL,
    site TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (org_id, service, env, site)
);

CREATE TABLE tasks (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL PRIMARY KEY,
    host_id TEXT NOT NULL REFERENCES hosts (id),
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    result TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX tasks_on_host ON tasks (host_id, id) WHERE finished_at IS NULL;
CREATE INDEX tasks_by_owner ON tasks (org_id, owner, id);

CREATE TABLE observed (
    org_id TEXT NOT NULL,
    host_id TEXT NOT NULL PRIMARY KEY REFERENCES hosts (id),
    epoch TEXT NOT NULL,
    seq BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE host_generations (
    org_id TEXT NOT NULL,
    host_id TEXT NOT NULL PRIMARY KEY REFERENCES hosts (id),
    generation BIGINT NOT NULL
);

-- Coordination -------------------------------------------------------------------------------------------------------

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until_at BIGINT NOT NULL,
    fence BIGINT NOT NULL
);

-- The event log ------------------------------------------------------------------------------------------------------
-- Rows come without seq, prev and hash; the sealer fills them in, once, in the order of `arrival`.

CREATE TABLE events (
    arrival {{serial}},
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    schema_version BIGINT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    cause TEXT,
    service TEXT,
    env TEXT,
    before_json TEXT,
    after_json TEXT,
    seq BIGINT,
    prev {{bytes}},
    hash {{bytes}}
);
CREATE UNIQUE INDEX events_by_id ON events (id);
CREATE UNIQUE INDEX events_by_seq ON events (seq);
CREATE INDEX events_unsealed ON events (arrival) WHERE seq IS NULL;
CREATE INDEX events_by_service ON events (org_id, service, seq);
CREATE INDEX events_by_subject ON events (org_id, subject, seq);

-- One row: where the chain ends. No hash yet at 0.
CREATE TABLE chain_head (
    id BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash {{bytes}}
);
INSERT INTO chain_head (id, seq) VALUES (1, 0);
