-- What is asked of all services at once is answered from narrow rows: what kind a revision is without its release's manifest,
-- which rollouts failed without their plans, which instances are wanted without their bodies.

ALTER TABLE revisions ADD COLUMN kind TEXT;
UPDATE revisions SET kind = (
    SELECT CASE
        WHEN r.plan LIKE '%"service_kind":"web"%' THEN 'web'
        WHEN r.plan LIKE '%"service_kind":"worker"%' THEN 'worker'
        WHEN r.plan LIKE '%"service_kind":"cron"%' THEN 'cron'
    END
    FROM rollouts r
    WHERE r.org_id = revisions.org_id AND r.service = revisions.service AND r.env = revisions.env
    ORDER BY r.id DESC LIMIT 1
);
CREATE INDEX revisions_by_service ON revisions (org_id, service, id);
CREATE INDEX rollouts_by_phase ON rollouts (org_id, phase, service, env, id);
CREATE INDEX instances_wanted ON instances (org_id, revision_id, id) WHERE retired_at IS NULL;
