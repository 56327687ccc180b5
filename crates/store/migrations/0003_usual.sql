-- What a place's business counters came to in an hour, while nothing was compared there: what a later release is held against
-- where nothing runs beside it. One row for each host and hour.
CREATE TABLE usual (
    org_id TEXT NOT NULL,
    service TEXT NOT NULL,
    env TEXT NOT NULL,
    site TEXT NOT NULL,
    host_id TEXT NOT NULL,
    -- Since the epoch, in UTC.
    hour BIGINT NOT NULL,
    -- Who counted last, and the last of its numbers in here.
    source TEXT NOT NULL,
    upto BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (org_id, service, env, site, host_id, hour)
);
CREATE INDEX usual_by_hour ON usual (org_id, hour);
