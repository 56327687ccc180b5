-- A host that is gone for good: its key is worth nothing, and what it once ran still names it.
ALTER TABLE hosts ADD COLUMN removed_at BIGINT;
-- When what was known of a person was taken away.
ALTER TABLE users ADD COLUMN erased_at BIGINT;
