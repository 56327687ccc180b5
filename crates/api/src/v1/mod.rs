//! The wire types of `/api/v1`: JSON, snake_case, times as RFC 3339 in UTC, durations in whole units that the field's
//! name ends with, shares in basis points (10,000 is all traffic).

pub mod access;
pub mod audit;
pub mod certificate;
pub mod forge;
pub mod freeze;
pub mod host;
pub mod judgement;
pub mod log;
pub mod overview;
pub mod page;
pub mod policy;
pub mod release;
pub mod rollout;
pub mod run;
pub mod secret;
pub mod service;
pub mod status;
pub mod system;
pub mod time;

pub use access::{
    AcceptInvitation, AccessPolicy, CreateAccount, CreateGroup, CreateToken, EnterByLink, GrantRole, Granted, Group,
    Invitation, Invite, Login, MakeSessionLink, Me, NewInvitation, NewToken, Password, RecoveryCodes, RoleWish, Scope,
    SecondFactorCode, SecondFactorSecret, SessionInfo, SessionLink, SignIn, SignedIn, Token, User, UserKind,
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
pub use host::Host;
pub use judgement::{
    EvidenceGaps, EvidencePoint, JudgedMetric, JudgedRate, JudgedRatio, JudgedWave, Judgement, JudgementBrief,
    RequestCount, Verdict,
};
pub use log::{LogLine, LogStream, LogUpdate};
pub use overview::{
    Attention, LastFailure, Overview, OverviewEnvironment, OverviewRollout, OverviewService, OverviewSite,
    OverviewSort, OverviewSummary,
};
pub use page::Page;
pub use policy::{Approval, Approvals, EnvironmentPolicy, SetPolicy};
pub use release::{
    FileChange, FileChangeKind, Release, ReleaseDetail, ReleaseDiff, ReleaseFile, ReleaseRef, Revision, SpecChange,
};
pub use rollout::{
    Acknowledge, Acknowledged, Promote, PromoteWave, Reason, RollbackRequest, Rollout, RolloutKind, RolloutPhase,
    SetShare, SitePhase, SiteRollout, StartRollout, TimelineEntry, VerifyCheck, VerifyReport, Wave, WaveStep,
};
pub use run::{Job, JobKind, JobState, Run, RunState, RunUpdate};
pub use secret::{RestoreSecret, Secret, SecretScope, SecretSet, SecretVersion, SetSecret, StaleHolder};
pub use service::{ClosedQueue, CreateService, Environment, Service, ServiceKind};
pub use status::{Health, Instance, InstancePhase, PlaceStatus, TrafficShare, WarmRelease};
pub use system::{HealthReport, Problem, Version};
pub use time::Time;
