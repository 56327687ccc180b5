//! The wire types of `/api/v1`: JSON, snake_case, times as RFC 3339 in UTC, durations in whole units that the field's
//! name ends with, shares in basis points (10,000 is all traffic).

pub mod access;
pub mod audit;
pub mod certificate;
pub mod forge;
pub mod freeze;
pub mod host;
pub mod job_log;
mod judgement;
pub mod log;
pub mod overview;
pub mod page;
pub mod plane;
pub mod policy;
pub mod preview;
pub mod release;
pub mod rollout;
pub mod run;
pub mod search;
pub mod secret;
pub mod service;
pub mod status;
pub mod storage;
pub mod system;
pub mod time;

pub use access::{
    AcceptInvitation, AccessPolicy, CreateAccount, CreateGroup, CreateToken, EnterByLink, GrantRole, Granted, Group,
    Invitation, Invite, Login, MakeSessionLink, Me, NewInvitation, NewToken, Password, Reach, RecoveryCodes, RoleWish,
    Scope, SecondFactorCode, SecondFactorSecret, SessionInfo, SessionLink, SignIn, SignedIn, Token, User, UserKind,
};
pub use audit::{
    Actor, AuditFinding, AuditKey, AuditProblem, AuditReport, AuditSink, AuditStatus, ChainHead, Checkpoint, Event,
};
pub use certificate::{AddCertificate, Certificate};
pub use forge::{
    ForgeDelivery, ForgeDeliveryState, ForgeKind, ForgeLink, ForgePush, HookAnswer, HookOutcome, LinkForge,
    LinkedForge, SetHookSecret,
};
pub use freeze::{Freeze, SetFreeze};
pub use host::{Host, HostProcess, Machine, ProcessRole};
pub use job_log::{LogHit, LogHits, LogIndex, LogMark, LogPlace};
pub use judgement::{
    ArmTraffic, DecisionKind, EvidenceGaps, EvidencePoint, JudgeOutlook, JudgedDecision, JudgedMetric, JudgedRate,
    JudgedRatio, JudgedWave, Judgement, JudgementBrief, Latency, RequestCount, TrafficWindow, Verdict,
};
pub use log::{LogLine, LogStream, LogUpdate};
pub use overview::{
    Attention, LastFailure, Overview, OverviewEnvironment, OverviewRollout, OverviewService, OverviewSite,
    OverviewSort, OverviewSummary,
};
pub use page::Page;
pub use plane::{
    BackupSchedule, Backups, DatabaseHealth, FailedBackup, Finding, FindingVerdict, KeptBackup, LastBackup, LogHealth,
    LoopHealth, PlaneHealth, Queue, Writes,
};
pub use policy::{Approval, Approvals, EnvironmentPolicy, SetPolicy};
pub use preview::{
    Difference, Preview, PreviewSite, PreviewWait, PreviewWave, SecretChange, SecretDifference, WaitKind,
};
pub use release::{
    CommitLine, FileChange, FileChangeKind, History, Release, ReleaseDetail, ReleaseDiff, ReleaseFile, ReleaseRef,
    ReleaseStand, Revision, SourceChange, SourceChanges, SpecChange, Stand, WayBack, WaysBack,
};
pub use rollout::{
    Acknowledge, Acknowledged, Promote, PromoteWave, Reason, RollbackRequest, Rollout, RolloutKind, RolloutPhase,
    SetShare, SitePhase, SiteRollout, StartRollout, TimelineEntry, VerifyCheck, VerifyReport, Wave, WaveStep,
};
pub use run::{Artifact, Job, JobAttempt, JobCommand, JobKind, JobState, Run, RunState, RunUpdate};
pub use search::{Found, FoundRelease, FoundRollout, FoundRun, FoundService};
pub use secret::{RestoreSecret, Secret, SecretScope, SecretSet, SecretVersion, SetSecret, StaleHolder};
pub use service::{ClosedQueue, CreateService, Environment, Service, ServiceKind, SetOwner};
pub use status::{Health, Instance, InstancePhase, PlaceStatus, TrafficShare, WarmRelease};
pub use storage::{Collected, Collection, Disk, Storage, StoredAs, StoredKind};
pub use system::{HealthReport, Problem, Version};
pub use time::Time;
