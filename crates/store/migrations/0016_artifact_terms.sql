-- How long the archives that jobs leave are kept, by what is in them: whoever wants it longest.
CREATE TABLE artifact_terms (
    org_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- NULL: for good.
    kept_until BIGINT,
    PRIMARY KEY (org_id, digest)
);
