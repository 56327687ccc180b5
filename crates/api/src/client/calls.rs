//! One method a route, in the order of the API's document.

use super::{ApiError, Client, EventQuery, Follow, LogQuery, Paging, Repeat};
use crate::v1::*;
use reqwest::Method;
use serde::de::DeserializeOwned;
use tradewind_model::{
    id::{Digest, EnvName, FreezeId, GrantId, InvitationId, JobId, RolloutId, RunId, ServiceName, TokenId},
    secret::SecretName,
};

impl Client {
    pub async fn version(&self) -> Result<Version, ApiError> {
        self.get(&["version"], &[]).await
    }

    /// Exchanges a one-time code for a token. Needs no token.
    pub async fn login(&self, login: &Login) -> Result<NewToken, ApiError> {
        self.post(&["login"], login).await
    }

    pub async fn tokens(&self, page: &Paging) -> Result<Page<Token>, ApiError> {
        self.get(&["tokens"], &page.query()).await
    }

    pub async fn create_token(&self, token: &CreateToken) -> Result<NewToken, ApiError> {
        self.post(&["tokens"], token).await
    }

    pub async fn revoke_token(&self, id: TokenId, reason: &str) -> Result<(), ApiError> {
        self.delete_for(&["tokens", &id.to_string()], reason).await
    }

    /// A token of one's own, for name and password. Needs no token.
    pub async fn sign_in(&self, with: &SignIn) -> Result<NewToken, ApiError> {
        self.post(&["sign-in"], with).await
    }

    /// Becomes a user. Needs no token.
    pub async fn accept_invitation(&self, accept: &AcceptInvitation) -> Result<User, ApiError> {
        self.post(&["invitations", "accept"], accept).await
    }

    /// A link that signs a browser in as who asks.
    pub async fn make_session_link(&self, wish: &MakeSessionLink) -> Result<SessionLink, ApiError> {
        self.post(&["session", "links"], wish).await
    }

    pub async fn me(&self) -> Result<Me, ApiError> {
        self.get(&["me"], &[]).await
    }

    pub async fn change_password(&self, change: &Password) -> Result<(), ApiError> {
        let url = self.url(&["me", "password"], &[]);
        let send = || self.request(Method::POST, &url).json(change);
        self.attempt(&url, Repeat::Unsent, send).await.map(drop)
    }

    /// A new secret for an authenticator; nothing is changed yet.
    pub async fn begin_second_factor(&self) -> Result<SecondFactorSecret, ApiError> {
        self.post(&["me", "second-factor"], &()).await
    }

    pub async fn confirm_second_factor(&self, code: &SecondFactorCode) -> Result<RecoveryCodes, ApiError> {
        self.post(&["me", "second-factor", "confirm"], code).await
    }

    pub async fn remove_second_factor(&self, code: &SecondFactorCode) -> Result<(), ApiError> {
        let url = self.url(&["me", "second-factor", "remove"], &[]);
        let send = || self.request(Method::POST, &url).json(code);
        self.attempt(&url, Repeat::Unsent, send).await.map(drop)
    }

    /// Takes a person's second factor away: they lost it, and their recovery codes.
    pub async fn reset_second_factor(&self, handle: &str) -> Result<User, ApiError> {
        self.post(&["users", handle, "reset-second-factor"], &()).await
    }

    pub async fn users(&self) -> Result<Vec<User>, ApiError> {
        Ok(self.get::<Page<User>>(&["users"], &[]).await?.items)
    }

    pub async fn create_service_account(&self, account: &CreateAccount) -> Result<User, ApiError> {
        self.post(&["users"], account).await
    }

    /// Ends their sessions and tokens.
    /// What is known of a person is gone for good.
    pub async fn erase_user(&self, handle: &str, reason: &str) -> Result<User, ApiError> {
        self.post_for(&["users", handle, "erase"], reason).await
    }

    pub async fn disable_user(&self, handle: &str, reason: &str) -> Result<User, ApiError> {
        self.post_for(&["users", handle, "disable"], reason).await
    }

    pub async fn enable_user(&self, handle: &str, reason: &str) -> Result<User, ApiError> {
        self.post_for(&["users", handle, "enable"], reason).await
    }

    pub async fn invitations(&self) -> Result<Vec<Invitation>, ApiError> {
        Ok(self.get::<Page<Invitation>>(&["invitations"], &[]).await?.items)
    }

    pub async fn invite(&self, invite: &Invite) -> Result<NewInvitation, ApiError> {
        self.post(&["invitations"], invite).await
    }

    pub async fn revoke_invitation(&self, id: InvitationId) -> Result<(), ApiError> {
        self.delete(&["invitations", &id.to_string()]).await
    }

    pub async fn groups(&self) -> Result<Vec<Group>, ApiError> {
        Ok(self.get::<Page<Group>>(&["groups"], &[]).await?.items)
    }

    pub async fn create_group(&self, name: &str) -> Result<Group, ApiError> {
        self.post(&["groups"], &CreateGroup { name: name.to_owned() }).await
    }

    pub async fn remove_group(&self, name: &str) -> Result<(), ApiError> {
        self.delete(&["groups", name]).await
    }

    pub async fn add_group_member(&self, group: &str, user: &str) -> Result<Group, ApiError> {
        let url = self.url(&["groups", group, "members", user], &[]);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::PUT, &url)).await?;
        super::json(url, answer).await
    }

    pub async fn remove_group_member(&self, group: &str, user: &str) -> Result<Group, ApiError> {
        let url = self.url(&["groups", group, "members", user], &[]);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::DELETE, &url)).await?;
        super::json(url, answer).await
    }

    pub async fn grants(&self) -> Result<Vec<Granted>, ApiError> {
        Ok(self.get::<Page<Granted>>(&["grants"], &[]).await?.items)
    }

    pub async fn grant_role(&self, grant: &GrantRole) -> Result<Granted, ApiError> {
        self.post(&["grants"], grant).await
    }

    pub async fn withdraw_role(&self, id: GrantId, reason: &str) -> Result<(), ApiError> {
        self.delete_for(&["grants", &id.to_string()], reason).await
    }

    pub async fn access_policy(&self) -> Result<AccessPolicy, ApiError> {
        self.get(&["access-policy"], &[]).await
    }

    pub async fn set_access_policy(&self, policy: &AccessPolicy) -> Result<AccessPolicy, ApiError> {
        let url = self.url(&["access-policy"], &[]);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::PUT, &url).json(policy)).await?;
        super::json(url, answer).await
    }

    async fn delete(&self, path: &[&str]) -> Result<(), ApiError> {
        let url = self.url(path, &[]);
        self.attempt(&url, Repeat::Unsent, || self.request(Method::DELETE, &url)).await.map(drop)
    }

    pub async fn services(&self, page: &Paging) -> Result<Page<Service>, ApiError> {
        self.get(&["services"], &page.query()).await
    }

    /// What some words find; empty: services by name.
    pub async fn search(&self, words: &str, limit: u32) -> Result<Found, ApiError> {
        self.get(&["search"], &[("q", words.to_owned()), ("limit", limit.to_string())]).await
    }

    pub async fn create_service(&self, service: &CreateService) -> Result<Service, ApiError> {
        self.post(&["services"], service).await
    }

    pub async fn service(&self, service: &ServiceName) -> Result<Service, ApiError> {
        self.get(&["services", service.as_str()], &[]).await
    }

    pub async fn set_owner(&self, service: &ServiceName, set: &SetOwner) -> Result<Service, ApiError> {
        let url = self.url(&["services", service.as_str(), "owner"], &[]);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::PUT, &url).json(set)).await?;
        super::json(url, answer).await
    }

    pub async fn hosts(&self) -> Result<Page<Host>, ApiError> {
        self.get(&["hosts"], &[]).await
    }

    /// # Errors
    /// Also while its agent is connected, or the rows want something on it.
    pub async fn remove_host(&self, host: &str, reason: &str) -> Result<(), ApiError> {
        self.delete_for(&["hosts", host], reason).await
    }

    /// How the control plane itself fares.
    pub async fn plane(&self) -> Result<PlaneHealth, ApiError> {
        self.get(&["plane"], &[]).await
    }

    pub async fn storage(&self) -> Result<Storage, ApiError> {
        self.get(&["storage"], &[]).await
    }

    pub async fn collect(&self, reason: &Reason) -> Result<Collected, ApiError> {
        self.post(&["storage", "collect"], reason).await
    }

    pub async fn backups(&self) -> Result<Backups, ApiError> {
        self.get(&["backups"], &[]).await
    }

    /// Without a body, and says why: it goes into the event log. An empty reason is none.
    async fn post_for<T: DeserializeOwned>(&self, path: &[&str], reason: &str) -> Result<T, ApiError> {
        let url = self.url(path, &why(reason));
        let key = uuid::Uuid::now_v7().to_string();
        let send = || self.request(Method::POST, &url).header("idempotency-key", &key).json(&());
        let answer = self.attempt(&url, Repeat::Always, send).await?;
        super::json(url, answer).await
    }

    /// Deletes, and says why in the same way.
    async fn delete_for(&self, path: &[&str], reason: &str) -> Result<(), ApiError> {
        let url = self.url(path, &why(reason));
        self.attempt(&url, Repeat::Unsent, || self.request(Method::DELETE, &url)).await.map(drop)
    }

    /// What runs where; of all services, or of one.
    pub async fn status(&self, service: Option<&ServiceName>) -> Result<Vec<PlaceStatus>, ApiError> {
        let query: Vec<_> = service.iter().map(|s| ("service", s.to_string())).collect();
        Ok(self.get::<Page<PlaceStatus>>(&["status"], &query).await?.items)
    }

    /// Newest first.
    pub async fn runs(&self, service: &ServiceName, page: &Paging) -> Result<Page<Run>, ApiError> {
        self.get(&["services", service.as_str(), "runs"], &page.query()).await
    }

    /// Those in one state, newest first. A page may have fewer than asked for and another behind it all the same.
    pub async fn runs_in(&self, service: &ServiceName, state: RunState, page: &Paging) -> Result<Page<Run>, ApiError> {
        // As it stands in JSON.
        let state = serde_json::to_value(state).ok().and_then(|s| s.as_str().map(str::to_owned)).unwrap_or_default();
        let query = [page.query(), vec![("state", state)]].concat();
        self.get(&["services", service.as_str(), "runs"], &query).await
    }

    pub async fn run(&self, id: RunId) -> Result<Run, ApiError> {
        self.get(&["runs", &id.to_string()], &[]).await
    }

    pub async fn cancel_run(&self, id: RunId) -> Result<Run, ApiError> {
        self.post(&["runs", &id.to_string(), "cancel"], &Reason::default()).await
    }

    /// Runs every job once more that failed or was cancelled.
    pub async fn retry_run(&self, id: RunId, reason: &Reason) -> Result<Run, ApiError> {
        self.post(&["runs", &id.to_string(), "retry"], reason).await
    }

    /// Starts a job that waits for a person.
    pub async fn start_job(&self, run: RunId, job: JobId, reason: &Reason) -> Result<Run, ApiError> {
        self.post(&["runs", &run.to_string(), "jobs", &job.to_string(), "start"], reason).await
    }

    /// Runs a job that ended once more.
    pub async fn retry_job(&self, run: RunId, job: JobId, reason: &Reason) -> Result<Run, ApiError> {
        self.post(&["runs", &run.to_string(), "jobs", &job.to_string(), "retry"], reason).await
    }

    /// Stops one job that has not ended.
    pub async fn cancel_job(&self, run: RunId, job: JobId, reason: &Reason) -> Result<Run, ApiError> {
        self.post(&["runs", &run.to_string(), "jobs", &job.to_string(), "cancel"], reason).await
    }

    /// What the run's jobs left.
    pub async fn artifacts(&self, run: RunId) -> Result<Page<Artifact>, ApiError> {
        self.get(&["runs", &run.to_string(), "artifacts"], &[]).await
    }

    /// The whole log of one attempt of a job, from 1, as far as it is stored.
    pub async fn attempt_log(&self, run: RunId, job: JobId, attempt: u32) -> Result<bytes::Bytes, ApiError> {
        let path = ["runs", &run.to_string(), "jobs", &job.to_string(), "log"];
        self.bytes(&path, &[("attempt", attempt.to_string())]).await
    }

    /// A job's log from a byte offset on, as far as it is stored.
    pub async fn job_log(&self, run: RunId, job: JobId, offset: u64) -> Result<bytes::Bytes, ApiError> {
        let path = ["runs", &run.to_string(), "jobs", &job.to_string(), "log"];
        self.bytes(&path, &[("offset", offset.to_string())]).await
    }

    async fn bytes(&self, path: &[&str], query: &[(&str, String)]) -> Result<bytes::Bytes, ApiError> {
        let url = self.url(path, query);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::GET, &url)).await?;
        answer.bytes().await.map_err(|e| ApiError::unreachable(&url, e))
    }

    /// From the run's beginning to its end.
    pub fn follow_run(&self, id: RunId) -> Follow<RunUpdate> {
        Follow::new(self.clone(), self.url(&["runs", &id.to_string(), "follow"], &[]), None)
    }

    /// One job's log from byte `offset` on, and what becomes of the job, to the end of both.
    pub fn follow_job(&self, run: RunId, job: JobId, offset: u64) -> Follow<RunUpdate> {
        let query = [("job", job.to_string()), ("offset", offset.to_string())];
        Follow::new(self.clone(), self.url(&["runs", &run.to_string(), "follow"], &query), None)
    }

    /// Newest first.
    pub async fn releases(&self, service: &ServiceName, page: &Paging) -> Result<Page<Release>, ApiError> {
        self.get(&["services", service.as_str(), "releases"], &page.query()).await
    }

    /// `release` is a label (`v3`) or a digest.
    pub async fn release(&self, service: &ServiceName, release: &str) -> Result<ReleaseDetail, ApiError> {
        self.get(&["services", service.as_str(), "releases", release], &[]).await
    }

    /// Both ends are labels or digests.
    /// `live` is what is live in `env`; `text`: with the sources that differ.
    pub async fn diff(
        &self,
        service: &ServiceName,
        from: &str,
        to: &str,
        env: Option<&EnvName>,
        text: bool,
    ) -> Result<ReleaseDiff, ApiError> {
        let mut query = vec![("from", from.to_owned()), ("to", to.to_owned())];
        query.extend(env.map(|env| ("env", env.to_string())));
        query.extend(text.then(|| ("text", "true".to_owned())));
        self.get(&["services", service.as_str(), "diff"], &query).await
    }

    /// Newest first.
    pub async fn rollouts(&self, service: &ServiceName, page: &Paging) -> Result<Page<Rollout>, ApiError> {
        self.get(&["services", service.as_str(), "rollouts"], &page.query()).await
    }

    pub async fn start_rollout(&self, service: &ServiceName, start: &StartRollout) -> Result<Rollout, ApiError> {
        self.post(&["services", service.as_str(), "rollouts"], start).await
    }

    pub async fn rollout(&self, id: RolloutId) -> Result<Rollout, ApiError> {
        self.get(&["rollouts", &id.to_string()], &[]).await
    }

    /// The rollout each time it changed, beginning with how it stands; ends when it is finished.
    pub fn follow_rollout(&self, id: RolloutId) -> Follow<Rollout> {
        Follow::new(self.clone(), self.url(&["rollouts", &id.to_string(), "follow"], &[]), None)
    }

    /// What a canary is judged by.
    pub async fn judgement(&self, id: RolloutId) -> Result<Judgement, ApiError> {
        self.get(&["rollouts", &id.to_string(), "judgement"], &[]).await
    }

    /// The same as an SVG picture.
    pub async fn judgement_picture(&self, id: RolloutId) -> Result<bytes::Bytes, ApiError> {
        self.bytes(&["rollouts", &id.to_string(), "judgement.svg"], &[]).await
    }

    /// Lets the wave that is being judged go on.
    pub async fn promote_wave(&self, id: RolloutId, wave: &PromoteWave) -> Result<Rollout, ApiError> {
        self.post(&["rollouts", &id.to_string(), "promote"], wave).await
    }

    /// Gives the wave that is being judged another share of the traffic.
    pub async fn set_share(&self, id: RolloutId, share: &SetShare) -> Result<Rollout, ApiError> {
        self.post(&["rollouts", &id.to_string(), "share"], share).await
    }

    /// Agrees to a rollout that waits for it.
    pub async fn approve_rollout(&self, id: RolloutId, note: &str) -> Result<Rollout, ApiError> {
        self.post(&["rollouts", &id.to_string(), "approve"], &Reason { reason: note.to_owned() }).await
    }

    pub async fn policy(&self, env: &EnvName) -> Result<EnvironmentPolicy, ApiError> {
        self.get(&["environments", env.as_str(), "policy"], &[]).await
    }

    pub async fn set_policy(&self, env: &EnvName, policy: &SetPolicy) -> Result<EnvironmentPolicy, ApiError> {
        let url = self.url(&["environments", env.as_str(), "policy"], &[]);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::PUT, &url).json(policy)).await?;
        super::json(url, answer).await
    }

    pub async fn pause_rollout(&self, id: RolloutId, reason: &Reason) -> Result<Rollout, ApiError> {
        self.post(&["rollouts", &id.to_string(), "pause"], reason).await
    }

    pub async fn resume_rollout(&self, id: RolloutId, reason: &Reason) -> Result<Rollout, ApiError> {
        self.post(&["rollouts", &id.to_string(), "resume"], reason).await
    }

    pub async fn abort_rollout(&self, id: RolloutId, reason: &Reason) -> Result<Rollout, ApiError> {
        self.post(&["rollouts", &id.to_string(), "abort"], reason).await
    }

    /// What a rollout, a promotion or a rollback would do. `what`: `release`, `from` and `kind` of the route.
    pub async fn plan(
        &self,
        service: &ServiceName,
        env: &EnvName,
        what: &[(&'static str, String)],
    ) -> Result<Preview, ApiError> {
        let query = [&[("env", env.to_string())], what].concat();
        self.get(&["services", service.as_str(), "plan"], &query).await
    }

    /// Where a rollback can lead.
    pub async fn ways_back(&self, service: &ServiceName, env: &EnvName) -> Result<WaysBack, ApiError> {
        self.get(&["services", service.as_str(), "rollback"], &[("env", env.to_string())]).await
    }

    pub async fn rollback(&self, service: &ServiceName, request: &RollbackRequest) -> Result<Rollout, ApiError> {
        self.post(&["services", service.as_str(), "rollback"], request).await
    }

    pub async fn promote(&self, service: &ServiceName, promote: &Promote) -> Result<Rollout, ApiError> {
        self.post(&["services", service.as_str(), "promote"], promote).await
    }

    pub async fn acknowledge(&self, service: &ServiceName, note: &Acknowledge) -> Result<Acknowledged, ApiError> {
        self.post(&["services", service.as_str(), "acknowledge"], note).await
    }

    /// Those that Tradewind keeps; the first to end first.
    pub async fn certificates(&self) -> Result<Vec<Certificate>, ApiError> {
        Ok(self.get::<Page<Certificate>>(&["certificates"], &[]).await?.items)
    }

    pub async fn add_certificate(&self, add: &AddCertificate) -> Result<Certificate, ApiError> {
        self.post(&["certificates"], add).await
    }

    pub async fn remove_certificate(&self, id: &Digest) -> Result<(), ApiError> {
        self.delete(&["certificates", &id.to_string()]).await
    }

    /// Those that are on, oldest first.
    pub async fn freezes(&self) -> Result<Vec<Freeze>, ApiError> {
        Ok(self.get::<Page<Freeze>>(&["freezes"], &[]).await?.items)
    }

    pub async fn set_freeze(&self, freeze: &SetFreeze) -> Result<Freeze, ApiError> {
        self.post(&["freezes"], freeze).await
    }

    /// By service.
    pub async fn forges(&self) -> Result<Vec<ForgeLink>, ApiError> {
        Ok(self.get::<Page<ForgeLink>>(&["forges"], &[]).await?.items)
    }

    pub async fn forge(&self, service: &ServiceName) -> Result<ForgeLink, ApiError> {
        self.get(&["services", service.as_str(), "forge"], &[]).await
    }

    /// Not a POST: what a POST is told by is kept, and a hash of it would be one of the token.
    pub async fn link_forge(&self, service: &ServiceName, link: &LinkForge) -> Result<LinkedForge, ApiError> {
        self.put(&["services", service.as_str(), "forge"], link).await
    }

    pub async fn set_forge_secret(
        &self,
        service: &ServiceName,
        secret: &SetHookSecret,
    ) -> Result<LinkedForge, ApiError> {
        self.put(&["services", service.as_str(), "forge", "secret"], secret).await
    }

    pub async fn unlink_forge(&self, service: &ServiceName) -> Result<(), ApiError> {
        self.delete(&["services", service.as_str(), "forge"]).await
    }

    pub async fn forge_deliveries(
        &self,
        service: &ServiceName,
        page: &Paging,
    ) -> Result<Page<ForgeDelivery>, ApiError> {
        self.get(&["services", service.as_str(), "forge", "deliveries"], &page.query()).await
    }

    /// By name and scope, without their values.
    /// All of them, or those that can reach a service.
    pub async fn secrets(&self, service: Option<&ServiceName>) -> Result<Vec<Secret>, ApiError> {
        let query: Vec<_> = service.iter().map(|s| ("service", s.to_string())).collect();
        Ok(self.get::<Page<Secret>>(&["secrets"], &query).await?.items)
    }

    /// The same value again changes nothing, so a call that broke off may be repeated.
    pub async fn set_secret(&self, name: &SecretName, set: &SetSecret) -> Result<SecretSet, ApiError> {
        self.put(&["secrets", name.as_str()], set).await
    }

    /// Newest first.
    pub async fn secret_versions(
        &self,
        name: &SecretName,
        scope: &SecretScope,
    ) -> Result<Vec<SecretVersion>, ApiError> {
        let page: Page<SecretVersion> = self.get(&["secrets", name.as_str(), "versions"], &scope_query(scope)).await?;
        Ok(page.items)
    }

    pub async fn restore_secret(&self, name: &SecretName, restore: &RestoreSecret) -> Result<SecretSet, ApiError> {
        self.post(&["secrets", name.as_str(), "restore"], restore).await
    }

    pub async fn remove_secret(&self, name: &SecretName, scope: &SecretScope) -> Result<(), ApiError> {
        let url = self.url(&["secrets", name.as_str()], &scope_query(scope));
        self.attempt(&url, Repeat::Unsent, || self.request(Method::DELETE, &url)).await.map(drop)
    }

    /// Gives the freeze as it was.
    pub async fn lift_freeze(&self, id: FreezeId, reason: &Reason) -> Result<Freeze, ApiError> {
        self.post(&["freezes", &id.to_string(), "lift"], reason).await
    }

    /// The last lines of every instance of a service in an environment, then, with `follow`, what comes.
    pub fn logs(&self, service: &ServiceName, asked: &LogQuery) -> Follow<LogUpdate> {
        Follow::new(self.clone(), self.url(&["services", service.as_str(), "logs"], &asked.query()), None)
    }

    /// Sealed events, oldest first.
    pub async fn events(&self, which: &EventQuery, page: &Paging) -> Result<Page<Event>, ApiError> {
        self.get(&["events"], &[page.query(), which.query()].concat()).await
    }

    /// Sealed events, newest first.
    pub async fn newest_events(&self, which: &EventQuery, page: &Paging) -> Result<Page<Event>, ApiError> {
        let newest = vec![("order", "newest".to_owned())];
        self.get(&["events"], &[page.query(), newest, which.query()].concat()).await
    }

    /// Events as they are sealed, beginning behind sequence number `after`; none: with the next one. Never ends.
    pub fn follow_events(&self, which: &EventQuery, after: Option<i64>) -> Follow<Event> {
        Follow::new(self.clone(), self.url(&["events", "stream"], &which.query()), after.map(|seq| seq.to_string()))
    }

    /// Has the server read the whole chain.
    pub async fn verify_audit(&self) -> Result<AuditReport, ApiError> {
        self.get(&["audit", "verify"], &[]).await
    }

    pub async fn audit_status(&self) -> Result<AuditStatus, ApiError> {
        self.get(&["audit", "status"], &[]).await
    }

    /// None before the first event was sealed.
    pub async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, ApiError> {
        let page: Page<Checkpoint> = self.get(&["audit", "checkpoints"], &Paging::limit(1).query()).await?;
        Ok(page.items.into_iter().next())
    }

    /// Newest first.
    pub async fn checkpoints(&self, page: &Paging) -> Result<Page<Checkpoint>, ApiError> {
        self.get(&["audit", "checkpoints"], &page.query()).await
    }

    /// Of where the chain is now.
    pub async fn make_checkpoint(&self) -> Result<Option<Checkpoint>, ApiError> {
        self.post(&["audit", "checkpoints"], &Reason::default()).await
    }

    /// Public keys, oldest first.
    pub async fn audit_keys(&self) -> Result<Vec<AuditKey>, ApiError> {
        Ok(self.get::<Page<AuditKey>>(&["audit", "keys"], &[]).await?.items)
    }

    /// Checkpoints are signed with a new key from then on.
    pub async fn replace_audit_key(&self) -> Result<AuditKey, ApiError> {
        self.post(&["audit", "keys"], &Reason::default()).await
    }
}

fn scope_query(scope: &SecretScope) -> Vec<(&'static str, String)> {
    let parts = [
        ("service", scope.service.as_ref().map(ToString::to_string)),
        ("env", scope.env.as_ref().map(ToString::to_string)),
        ("site", scope.site.as_ref().map(ToString::to_string)),
    ];
    parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn why(reason: &str) -> Vec<(&'static str, String)> {
    (!reason.is_empty()).then(|| ("reason", reason.to_owned())).into_iter().collect()
}
