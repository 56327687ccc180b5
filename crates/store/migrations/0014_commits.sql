-- A release or a run is looked for by the beginning of its commit, whatever its service.

CREATE INDEX releases_by_commit ON releases (org_id, commit_id);
CREATE INDEX runs_by_commit ON runs (org_id, commit_id);
