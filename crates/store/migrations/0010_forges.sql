-- Services whose code lives on a forge. One link a service: where the repository is, what the forge proves itself with, as whom its
-- pushes act. What is sealed is text, `KEY.HEX`.
CREATE TABLE forge_links (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    api TEXT,
    hook TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES users (id),
    secret TEXT NOT NULL,
    token TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    refused BIGINT NOT NULL,
    refused_at BIGINT,
    refused_why TEXT,
    told_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX forge_links_by_service ON forge_links (org_id, service);
CREATE UNIQUE INDEX forge_links_by_hook ON forge_links (hook);

-- What came by them, a row a branch: known again by its id, and by what its signature holds together.
CREATE TABLE forge_deliveries (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL PRIMARY KEY,
    link TEXT NOT NULL REFERENCES forge_links (id),
    delivery TEXT NOT NULL,
    part BIGINT NOT NULL,
    essence TEXT,
    received_at BIGINT NOT NULL,
    branch TEXT,
    before_id TEXT,
    after_id TEXT,
    pusher TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT,
    why TEXT,
    run TEXT,
    ended_at BIGINT
);
CREATE UNIQUE INDEX forge_deliveries_by_name ON forge_deliveries (link, delivery, part);
CREATE UNIQUE INDEX forge_deliveries_by_essence ON forge_deliveries (link, essence, part);
CREATE INDEX forge_deliveries_waiting ON forge_deliveries (org_id, next_at);

-- What the forge shows beside the commit of a run: each line as it was told last. Open until there is nothing more to tell.
CREATE TABLE forge_statuses (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    run TEXT NOT NULL PRIMARY KEY,
    link TEXT NOT NULL REFERENCES forge_links (id),
    commit_id TEXT NOT NULL,
    lines TEXT NOT NULL,
    is_open BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    next_at BIGINT
);
CREATE INDEX forge_statuses_open ON forge_statuses (org_id, is_open);
