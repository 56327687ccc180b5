mod rollout_schedules;
