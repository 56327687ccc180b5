-- How old a program may be that works on this schema: the last step that it has to know. One row. Whoever applies a step says
-- so, because the older program cannot know what was done since.
CREATE TABLE schema_floor (
    id BIGINT NOT NULL PRIMARY KEY,
    oldest BIGINT NOT NULL
);
INSERT INTO schema_floor (id, oldest) VALUES (1, 0);
