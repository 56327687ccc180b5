//! The help of every command and argument, English and Chinese side by side, by its path: `rollout show` is a command,
//! `rollout show.follow` one of its arguments, `*.limit` an argument wherever it is not explained more closely.

use crate::text::Text;
use clap::{Arg, ArgAction, Command};
use std::collections::BTreeSet;
use tradewind_model::fault::Lang;

pub type Table = &'static [(&'static str, Text)];

macro_rules! help {
    ($($path:literal: $en:literal, $zh:literal;)+) => {
        &[$(($path, Text { en: $en, zh: $zh })),+]
    };
}

pub static VERBS: Table = help! {
    "login": "Log in with a one-time code, and make `git push` work", "用一次性登录码登录，并配置好 `git push`";
    "login.user": "Sign in as this user; the password is asked for, or read from stdin", "以此用户登录；会询问密码，或从标准输入读取";
    "login.invite": "Take an invitation up: choose a password and be signed in", "接受邀请：设置密码并登录";
    "login.email": "The address the invitation is for", "邀请所对应的邮箱";
    "login.code": "The code that `tradewind up` printed; asked for unless given", "`tradewind up` 打印的登录码；不指定则会询问";
    "login.name": "Who is at which machine, for the event log [default: user@host]", "事件日志中显示的身份［默认：用户@主机］";
    "login.fingerprint": "Believe the server with this fingerprint from now on; compare it with the one shown on the server", "从此信任该指纹的服务器；请先与服务器上显示的指纹核对";
    "login.no_git": "Leave git's configuration and remotes alone", "不修改 git 配置与远程仓库";
    "console": "Print a link that opens the console in a browser, signed in; good once, for ten minutes", "打印可直接登录控制台的链接；十分钟内有效，只能用一次";
    "console.user": "For the machine's owner: the account to be, made where it is missing [default: owner]", "机器所有者使用的账号，不存在则创建［默认：owner］";
    "console.open": "Open it here, too", "同时在本机打开";
    "whoami": "Who you are here, and what you may do", "当前身份及权限";
    "password": "Change your own password", "修改自己的密码";
    "second-factor": "Your second factor: six digits of an authenticator beside the password", "第二因素：密码之外由验证器生成的六位数字";
    "second-factor setup": "Set one up; prints recovery codes", "设置第二因素，并给出恢复码";
    "second-factor remove": "Remove your own", "移除自己的第二因素";
    "second-factor reset": "Take it away from somebody who lost it", "为丢失者重置第二因素";
    "logout": "Forget the login, here and on the server", "退出登录，并在服务器上吊销令牌";
    "backup": "Make a backup of the whole control plane into a file here, but for its keys", "把整个控制面备份到此处的文件中，不含密钥";
    "backup.file": "The file to make: `tradewind-2026-11-22.tar.zst`", "要生成的文件：`tradewind-2026-11-22.tar.zst`";
    "init": "Write a first tradewind.yaml and pipeline for what is in a folder; no server needed", "为目录中的项目生成首份 tradewind.yaml 与流水线；无需服务器";
    "init.dir": "The project's folder [default: this one]", "项目目录［默认：当前目录］";
    "init.service": "The service's name [default: the project's, or its folder's]", "服务名称［默认：项目名或目录名］";
    "init.kind": "What it is, where that cannot be told: node, python, php, java, dotnet, go, rust, static", "无法识别时指明类型：node、python、php、java、dotnet、go、rust、static";
    "init.print": "Print both files and write nothing", "只打印两个文件，不写入";
    "init.force": "Replace files that are there", "替换已有的文件";
    "check": "Check tradewind.yaml and its pipeline file; no server needed", "检查 tradewind.yaml 及其流水线文件；无需服务器";
    "check.file": "The file to check [default: tradewind.yaml]", "要检查的文件［默认：tradewind.yaml］";
    "service": "Services: each is one deployable thing with one tradewind.yaml", "服务：每个服务对应一个 tradewind.yaml";
    "service create": "Make a service", "创建服务";
    "service create.name": "1 to 40 characters of a-z, 0-9 and `-`; it never changes", "1 到 40 个字符，只含 a-z、0-9 和 `-`；创建后不可修改";
    "service list": "List the services", "列出服务";
    "service owner": "Hand a service to a user or a group, who answers for it from then on", "把服务交给某个用户或用户组负责";
    "service owner.service": "Which service", "服务";
    "service owner.owner": "A user or a group", "用户或用户组";
    "service show": "Show a service, its environments and their queues", "显示服务、其环境及队列";
    "find": "Find services, releases, runs and rollouts under way by a few words", "用几个词查找服务、版本、运行与进行中的发布";
    "find.words": "All have to fit: part of a service's name, v3, #12 (a run), the first digits of a commit", "须全部匹配：服务名的一部分、v3、#12（运行）、提交的前几位";
    "find.limit": "How many of each kind", "每类最多显示多少条";
    "push": "Push HEAD and follow its build; no git remote needed", "推送 HEAD 并跟踪构建；无需配置 git 远程仓库";
    "push.branch": "The branch to push to [default: the one HEAD is on]", "推送到的分支［默认：HEAD 所在分支］";
    "push.env": "Push to the branch that leads to this environment", "推送到对应此环境的分支";
    "push.allow_secrets": "Push what looks like a key all the same; the reason is in the event log", "即使内容疑似密钥也推送；原因会记入事件日志";
    "push.wait": "Wait for the rollout too, not only for the build", "不仅等待构建，也等待发布完成";
    "push.no_wait": "Return once the push is accepted", "推送被接受后立即返回";
    "status": "What runs where, since when, how healthy, and who changed it", "什么在哪里运行、何时开始、是否健康、由谁变更";
    "status.service": "Only this service, with its instances", "只显示此服务及其实例";
    "status.watch": "Show it again whenever it changes", "持续刷新";
    "run": "Runs: executions of a pipeline", "运行：流水线的一次执行";
    "run list": "List the runs of a service, newest first", "列出服务的运行，最新的在前";
    "run list.state": "Only those in this state, such as failed", "只列出处于此状态的运行，例如 failed";
    "run show": "Show a run and its jobs", "显示运行及其任务";
    "run cancel": "Cancel a run; no process of it is left behind", "取消运行，不遗留任何进程";
    "run cancel.job": "Only this job; what needs it is skipped", "只取消此任务；依赖它的任务会被跳过";
    "run cancel.reason": "Why, for the event log", "原因，记入事件日志";
    "run artifacts": "List what a run's jobs left, or bring it here", "列出运行的任务制品，或下载到本地";
    "run artifacts.job": "Only what this job left", "只看此任务的制品";
    "run artifacts.save": "Bring them into this folder, as .tar.zst", "下载到此目录，格式为 .tar.zst";
    "run retry": "Run the jobs again that failed or were cancelled, or one job", "重新执行失败或被取消的任务，或单个任务";
    "run retry.job": "Only this job", "只重新执行此任务";
    "run start": "Start a job that waits for a person", "启动等待人工的任务";
    "run start.job": "Which job", "哪个任务";
    "run logs": "Print the logs of a run", "打印运行的日志";
    "run logs.job": "Only this job, as it was written", "只打印此任务的原始日志";
    "run logs.attempt": "What it wrote in an earlier attempt, from 1", "它在较早一次执行（从 1 起）中的日志";
    "run logs.follow": "Go on until the run ends", "持续输出直到运行结束";
    "*.run": "Its number, such as 12, or its id [default: the newest]", "编号（如 12）或标识［默认：最新一次］";
    "release": "Releases: immutable, whole, ready for any environment", "版本：不可变、完整、可用于任何环境";
    "release list": "List the releases of a service, newest first", "列出服务的版本，最新的在前";
    "release show": "Show a release", "显示版本";
    "release show.release": "Its label, such as v3, or its digest", "标签（如 v3）或摘要";
    "release show.files": "List its files", "列出文件";
    "release show.spec": "Print its tradewind.yaml", "打印其 tradewind.yaml";
    "diff": "What changes from one release to another", "比较两个版本";
    "diff.from": "A release: v3, a digest, or `live`: what is live in --env", "版本：v3、摘要，或 `live`：--env 的线上版本";
    "diff.to": "The other one", "另一个版本";
    "diff.env": "The environment that `live` is about [default: the only one, else production]", "`live` 所指的环境［默认：唯一的环境，否则为 production］";
    "diff.text": "With the changes of the sources as text", "同时显示源代码的改动内容";
    "deploy": "Roll a release out to an environment", "将版本发布到环境";
    "deploy.release": "Which release: v3 or a digest", "版本：v3 或摘要";
    "deploy.hotfix": "Take the hotfix lane, with its own shorter policy", "走紧急修复通道，使用更短的策略";
    "promote": "Move what is live in one environment on to another", "将一个环境的在线版本推进到另一个环境";
    "promote.from": "Where it is live now", "当前所在环境";
    "promote.to": "Where it goes", "目标环境";
    "rollout": "Rollouts: moves of an environment from release to release", "发布过程：环境从一个版本到另一个版本";
    "rollout list": "List the rollouts of a service, newest first", "列出服务的发布过程，最新的在前";
    "rollout show": "Show a rollout, its timeline and its verification", "显示发布过程、时间线与验证结果";
    "rollout show.follow": "Go on until it ends", "持续输出直到结束";
    "rollout approve": "Agree to a rollout that waits for it", "同意一次等待审批的发布";
    "rollout approve.note": "What you looked at; it stays with the rollout", "审批说明，随发布保留";
    "rollout pause": "Pause it where it stands; what it has done stays", "就地暂停；已完成的部分保留";
    "rollout resume": "Go on with a paused one", "继续已暂停的发布";
    "rollout promote": "Let the wave that is being judged go on; evidence against it still takes it back", "放行正在判定的一波；若有证据表明变差，仍会退回";
    "rollout share": "Give the wave that is being judged another share of the traffic; its evidence for going on begins anew", "调整正在判定的一波所占的流量份额；放行证据重新开始积累";
    "rollout share.share": "Above 0 and below 100%, such as 20%", "大于 0 且小于 100%，例如 20%";
    "rollout abort": "Take every site it touched back to its previous release", "将涉及的站点全部退回之前的版本";
    "*.rollout": "Its id, or a service: the newest rollout of it", "标识，或服务名：取其最新一次";
    "rollback": "Take an environment back: traffic first, then the report", "回滚环境：先切流量，再给出报告";
    "rollback.to": "The release to go back to [default: the last that completed here before]", "回滚到的版本［默认：此前最后一个完成的版本］";
    "rollback.reason": "Why; it goes into the event log", "原因；写入事件日志";
    "*.dry_run": "Say what would change and how, and change nothing", "只说明将会如何改变，不做任何改动";
    "*.reason": "Why; it goes into the event log", "原因；写入事件日志";
    "acknowledge": "Open a queue again that a failed rollout closed", "重新开放因发布失败而关闭的队列";
    "acknowledge.note": "What was found; it goes into the event log", "处理说明；写入事件日志";
    "freeze": "Hold back new waves of a service, an environment or everything", "冻结服务、环境或全部：不开始新的一波，回滚不受影响";
    "freeze.service": "Only this service, in every environment unless --env names one", "只冻结此服务；未指定 --env 时包括所有环境";
    "freeze.env": "Only this environment, with every service unless one is named", "只冻结此环境；未指定服务时包括所有服务";
    "freeze.all": "Every service in every environment", "所有环境中的所有服务";
    "freeze.reason": "Why; everyone who has to wait is shown it", "原因；所有需要等待的人都会看到";
    "freeze.until": "When it lifts itself: 12h, 3d, 2026-11-12, \"2026-11-12 08:00\" [default: when someone lifts it]", "自动解除的时间：12h、3d、2026-11-12、\"2026-11-12 08:00\"［默认：直到有人解除］";
    "unfreeze": "Lift one freeze; what others cover stays frozen", "解除一个冻结；其他冻结仍然有效";
    "unfreeze.freeze": "Its id, or the service it covers", "标识，或其所冻结的服务";
    "unfreeze.env": "The freeze of exactly this environment, or of the service in it", "范围恰为此环境（或其中该服务）的冻结";
    "unfreeze.all": "The freeze of everything", "范围为全部的冻结";
    "freezes": "List the freezes that are on: what, who, why, until when", "列出当前的冻结：范围、操作人、原因与期限";
    "logs": "What the instances of a service write", "服务实例的日志";
    "logs.release": "Only this release (v3 or a digest), and also its instances that ended within a day", "只看此版本（v3 或摘要），并包含一天之内结束的实例";
    "logs.site": "Only this site", "只看此站点";
    "logs.follow": "Go on with what comes", "持续输出新日志";
    "logs.tail": "Lines of each instance to begin with [default: 100]", "每个实例先输出的行数［默认：100］";
    "events": "The event log: every change, and who made it", "事件日志：每次变更及操作人";
    "events.follow": "Go on with what comes", "持续输出新事件";
    "events.service": "Only what concerns this service", "只看与此服务有关的事件";
    "events.after": "What follows this sequence number [default: the last ones]", "此序号之后的事件［默认：最近的事件］";
    "audit": "The event log's proof against changes", "事件日志的防篡改校验";
    "audit verify": "Read the whole chain and name what does not fit", "读取整条事件链并指出不符之处";
    "audit verify.from_checkpoint": "A checkpoint kept elsewhere; the events come here and are hashed here. May be given several times", "保存在别处的检查点；事件会下载到本机并在本机计算哈希。可多次指定";
    "audit verify.key": "A public key to believe, or a file with it [default: the server's, or the data folder's]", "信任的公钥，或包含公钥的文件［默认：服务端或数据目录的公钥］";
    "audit verify.data": "Read this data folder instead, with its server running or not", "改为读取此数据目录，无论其服务端是否运行";
    "audit verify.file": "Read this archive or unfiltered export instead; no server needed", "改为读取此归档或未筛选的导出文件；无需服务器";
    "audit checkpoint": "Print the newest checkpoint: a signed statement of where the chain is. Keep it elsewhere", "打印最新的检查点：对事件链当前位置的签名声明。请保存到别处";
    "audit checkpoint.now": "Make one of where the chain is now", "立即为当前位置创建检查点";
    "audit checkpoint.output": "Into this file [default: standard output]", "写入此文件［默认：标准输出］";
    "audit key": "Print the public key that checkpoints are signed with", "打印检查点的签名公钥";
    "audit key.pem": "In the form OpenSSL reads", "以 OpenSSL 可读的格式";
    "audit key.all": "Those that signed before, too", "包括以前使用过的公钥";
    "audit key.replace": "Sign with a new key from now on, introduced by the old one", "改用新密钥签名，并由旧密钥背书";
    "audit export": "Write the events that fit, oldest first, for archives and spreadsheets", "导出符合条件的事件，最早的在前，用于归档或表格";
    "audit export.format": "jsonl: a line of JSON each, which can be verified; csv: for spreadsheets [default: jsonl]", "jsonl：每行一个 JSON，可校验；csv：用于表格［默认：jsonl］";
    "audit export.output": "Into this file, which appears when it is whole [default: standard output]", "写入此文件，写完后才会出现［默认：标准输出］";
    "audit status": "Where the chain and its last checkpoint are, and where checkpoints go", "事件链与最近检查点的位置，以及检查点发往何处";
    "*.actor": "Only by this actor: a person, a part of the control plane, a host", "只看此操作者：人、控制面的组成部分或主机";
    "*.subject": "Only about this, as events name it: `user/li.wei`, `host/shop-1`", "只看关于此对象的事件，如 `user/li.wei`、`host/shop-1`";
    "*.kind": "Only kinds that begin like this: `rollout.`, `token.created`", "只看以此开头的类型：`rollout.`、`token.created`";
    "*.since": "From then on: 12h ago, 2026-11-12, \"2026-11-12 08:00\", RFC 3339", "自此时起：12h（之前）、2026-11-12、\"2026-11-12 08:00\" 或 RFC 3339";
    "*.until": "Before then, in the same forms", "在此之前，格式同上";
    "host": "Hosts: machines with an agent", "主机：运行代理的机器";
    "host remove": "Take a host that is gone off the list; its key is worth nothing any more", "移除已不在的主机；其密钥随即失效";
    "host remove.host": "Its name", "主机名称";
    "health": "How the control plane itself fares: what fails first, with what to do", "控制面自身的状况：有问题的在前，并给出处理办法";
    "storage": "What the control plane keeps on its disk", "控制面的存储占用";
    "storage show": "Show it by kind, and what the next collection would free", "按类型显示占用，以及下次清理可释放的空间";
    "storage collect": "Free now what the next collection would; never what a release is made of", "立即清理（与自动清理规则相同，绝不清理版本内容）";
    "backups": "Show when everything was backed up last, and what makes the next one", "显示最近一次备份，以及下一次由什么触发";
    "host list": "List the hosts, and whether their agents are connected", "列出主机及其代理是否已连接";
    "judge": "The judge by itself: evidence from your own counts", "单独使用判定器：用自己的计数求证据";
    "judge explain": "Show what a rollout is judged by: rates, their ratio, the evidence", "显示一次发布的判定依据：比率、倍数与证据";
    "judge explain.svg": "Write the evidence over time as a picture to this file", "将证据随时间的变化写成图片文件";
    "judge eval": "Read counts as JSON lines from stdin; print the evidence after each. No server needed", "从标准输入读取 JSON 行形式的计数，逐行输出证据；无需服务器";
    "judge eval.max_seconds": "From here on a verdict that is still `continue` is `inconclusive` [default: never]", "超过此秒数后，仍为 `continue` 的结论变为 `inconclusive`［默认：不限］";
    "judge forecast": "How long the judge will need at a given traffic, and what to change where that is too long", "在给定流量下判定器需要多久；过久时如何调整";
    "judge forecast.units_per_second": "Clients or requests a second, of both releases together", "每秒的客户数或请求数，两个版本合计";
    "judge forecast.error_rate": "Part of them that fails without a fault, such as 0.005", "无故障时失败的比例，例如 0.005";
    "judge forecast.share": "The canary's part of them, such as 0.1", "金丝雀所占的份额，例如 0.1";
    "judge forecast.ratio": "How many times as many errors are to be found [default: 2]", "要发现的错误倍数［默认：2］";
    "judge forecast.max_time": "How long the wave may take: 90s, 15m, 12h [default: 10m]", "该批次最长时间：90s、15m、12h［默认：10m］";
    "judge forecast.clients": "How many clients there are in all, where a unit is a client [default: without end]", "以客户为单位时的客户总数［默认：不限］";
    "judge simulate": "Verify the judge: run simulations and hold what is measured against what is promised", "验证判定器：运行仿真，把测得结果与承诺对照";
    "judge simulate.runs": "Runs of each case [default: 2000]", "每个案例的运行次数［默认：2000］";
    "judge simulate.seed": "The same seed gives the same figures [default: 1]", "相同种子得到相同结果［默认：1］";
    "judge simulate.only": "Only cases whose name begins like this", "只运行名称以此开头的案例";
    "*.alpha": "Chance that a release no worse is called worse, over the whole rollout [default: 0.01]", "整个发布过程中把并不更差的版本判为更差的概率［默认：0.01］";
    "*.beta": "Chance that a release as bad as `--r1` and `--floor` say is called better [default: 0.05]", "把差到 `--r1` 与 `--floor` 程度的版本判为更好的概率［默认：0.05］";
    "*.r0": "Ratio to the baseline that is still no fault [default: 1]", "与基线之比在此值以内不算变差［默认：1］";
    "*.r1": "Ratio to the baseline that must be ruled out for `better` [default: 2]", "判为更好前必须排除的与基线之比［默认：2］";
    "*.floor": "Rate below which nobody minds, whatever the ratio; 0 for none [default: 0.01]", "低于此比率时不论倍数都可接受；0 表示没有［默认：0.01］";
    "policy": "What environments demand, whatever a pushed spec says", "环境的要求，不受推送的配置影响";
    "policy show": "Show an environment's policy", "显示环境的策略";
    "policy set": "Replace an environment's policy", "替换环境的策略";
    "policy set.file": "YAML; its keys are in the guide", "YAML 文件，键见指南";
    "policy set.reason": "Why; it stays in the event log", "原因，保留在事件日志中";
    "policy clear": "Demand nothing any more", "取消所有要求";
    "policy clear.reason": "Why; it stays in the event log", "原因，保留在事件日志中";
    "policy show.env": "The environment", "环境";
    "policy set.env": "The environment", "环境";
    "policy clear.env": "The environment", "环境";
    "user": "People and service accounts", "用户与服务账号";
    "user list": "List users, their roles, and when each was last seen", "列出用户及其角色、最近活动时间";
    "user invite": "Ask somebody in: a code for one person, good once, for seven days", "邀请用户：邀请码仅限一人使用一次，七天有效";
    "user invite.handle": "Stands for them in commands and in the event log; it never changes", "用于命令与事件日志；创建后不可修改";
    "user invite.email": "The address they have to name when they accept", "接受邀请时须填写的邮箱";
    "user invite.name": "How people call them [default: the handle]", "显示名称［默认：用户名］";
    "user invite.role": "What they will be: viewer, developer, release-manager, admin or auditor", "授予的角色：viewer、developer、release-manager、admin 或 auditor";
    "user invite.service": "Where the role holds: only this service", "角色范围：仅此服务";
    "user invite.env": "Where the role holds: only this environment", "角色范围：仅此环境";
    "user invite.site": "Where the role holds: only this site", "角色范围：仅此站点";
    "user invitations": "List invitations that can still be accepted", "列出待接受的邀请";
    "user uninvite": "Withdraw an invitation", "撤回邀请";
    "user uninvite.id": "Its id, from `tradewind user invitations`", "标识，见 `tradewind user invitations`";
    "user service": "Make an account for a machine: it has tokens and no password", "创建服务账号：只有令牌，没有密码";
    "user service.handle": "Its name, such as ci-shop", "名称，例如 ci-shop";
    "user service.name": "How people call it [default: the handle]", "显示名称［默认：用户名］";
    "user disable": "End all sessions and tokens of a user, and let them do nothing", "停用用户：结束其所有会话与令牌";
    "user erase": "Take away for good what is known of a person; the account stays, disabled", "永久删除某人的个人信息；账号保留并停用";
    "user erase.handle": "Which one", "哪一个";
    "user erase.yes": "It is meant", "确认执行";
    "user enable": "Let a disabled user sign in again", "重新启用用户";
    "*.handle": "The user", "用户名";
    "group": "Groups: a role given to one is held by everybody in it", "用户组：授予组的角色由所有成员共有";
    "group list": "List the groups and who is in them", "列出用户组及成员";
    "group create": "Make a group", "创建用户组";
    "group create.name": "1 to 64 of a-z, 0-9, `.`, `_`, `-`", "1 到 64 个字符，可用 a-z、0-9、`.`、`_`、`-`";
    "group remove": "Remove a group and the roles it held", "删除用户组及其角色";
    "group remove.name": "The group", "用户组";
    "group add": "Put a user into a group", "将用户加入组";
    "group drop": "Take a user out of a group", "将用户移出组";
    "*.group": "The group", "用户组";
    "*.user": "The user", "用户名";
    "role": "Roles: who may do what, and where", "角色：谁能在哪里做什么";
    "role list": "List the roles given, as far as you keep access or audit", "列出你可管理或审计的授权";
    "role grant": "Give a user or a group a role: everywhere, or in a service, an environment, a site", "为用户或组授予角色：全局，或限于服务、环境、站点";
    "role grant.role": "viewer, developer, release-manager, admin or auditor", "viewer、developer、release-manager、admin 或 auditor";
    "role grant.service": "Only on this service [default: on all]", "仅此服务［默认：所有服务］";
    "role grant.env": "Only in this environment [default: in all]", "仅此环境［默认：所有环境］";
    "role grant.site": "Only on this site of the environment [default: on all]", "仅此站点［默认：所有站点］";
    "role withdraw": "Take a role away", "收回角色";
    "role withdraw.id": "Its id, from `tradewind role list`", "标识，见 `tradewind role list`";
    "role second-factor": "Which roles must sign in with a second factor; alone, shows them", "哪些角色登录时须使用第二因素；不带参数则显示";
    "role second-factor.role": "These, in the place of those before", "设为这些角色";
    "role second-factor.none": "None", "不要求";
    "forge": "Services whose code is on GitHub, GitLab, Gitea, Forgejo, Gitee or Bitbucket", "代码位于 GitHub、GitLab、Gitea、Forgejo、Gitee 或 Bitbucket 的服务";
    "forge link": "Link a service to its repository: a push there starts its runs; prints the webhook to make", "将服务关联到仓库：那里的推送会触发运行；并给出要创建的 webhook";
    "forge link.url": "The repository, as https://HOST/GROUP/NAME", "仓库地址，如 https://主机/组/名称";
    "forge link.kind": "github, gitlab, gitea, forgejo, gitee or bitbucket [default: by the host]", "github、gitlab、gitea、forgejo、gitee 或 bitbucket［默认：由主机判断］";
    "forge link.api": "Where the forge answers programs [default: by the repository's address]", "代码平台的 API 地址［默认：由仓库地址推出］";
    "forge link.token_stdin": "Read a token from the terminal or standard input: for a private repository, and for commit statuses", "从终端或标准输入读取令牌：用于私有仓库和提交状态";
    "forge list": "List the links, with the last push of each", "列出所有关联及其最近推送";
    "forge show": "How a link fares: its last push, what was not let in, commit statuses", "查看关联的情况：最近推送、被拒绝的通知、提交状态";
    "forge deliveries": "What came from the forge and was let in, newest first", "代码平台发来并被接受的通知，最新在前";
    "forge rotate-secret": "Give the webhook another secret; the one before is worth nothing from now on", "更换 webhook 密钥；旧密钥立即失效";
    "forge unlink": "End a link; its account may nothing any more", "解除关联；其账号不再有任何权限";
    "*.secret_stdin": "Read the webhook's secret from the terminal or standard input, where the forge made it [default: one is made]", "从终端或标准输入读取 webhook 密钥（由代码平台生成时）［默认：自动生成］";
    "certificate": "Certificates that the edges of all hosts show", "所有主机的边缘代理使用的证书";
    "certificate list": "List them with the days they have left, and how many hosts show them", "列出证书、剩余天数以及使用它的主机数";
    "certificate add": "Add one with its key; the key is sealed and never given out again", "添加证书及私钥；私钥封存后不再给出";
    "certificate add.cert": "The certificate with its chain, PEM", "证书（含证书链），PEM";
    "certificate add.key": "Its private key, PEM without a password", "私钥，无密码的 PEM";
    "certificate remove": "Show one no more", "不再使用某张证书";
    "certificate remove.certificate": "A name that only it has, or the beginning of its id", "仅它拥有的名称，或标识的开头";
    "secrets": "List the secrets, without their values", "列出密钥（不含值）";
    "secrets.service": "Only what can reach this service", "只列出可作用于此服务的密钥";
    "secret": "Secrets: sealed, handed to services when they begin, never shown", "密钥：加密保存，在服务启动时交付，从不显示";
    "secret set": "Set a secret: its value is typed, or read from standard input", "设置密钥：值由终端输入，或从标准输入读取";
    "secret set.value": "Refused: a value is no argument", "会被拒绝：值不能作为参数";
    "secret history": "List the versions of a secret, without their values", "列出密钥的各版（不含值）";
    "secret remove": "Give a secret to nothing any more; what runs keeps it", "不再交付该密钥；正在运行的进程仍持有它";
    "secret restore": "Put the value of an earlier version in force again", "让旧版的值重新生效";
    "secret restore.version": "Which one; `tradewind secret history` lists them", "第几版；见 `tradewind secret history`";
    "*.secret": "Its name, such as SHOPEE_PARTNER_KEY", "名称，如 SHOPEE_PARTNER_KEY";
    "*.site": "Only for this site of the environment", "仅用于该环境的此站点";
    "secret set.service": "Only for this service [default: every one]", "仅用于此服务［默认：所有服务］";
    "secret set.env": "Only in this environment [default: everywhere]", "仅用于此环境［默认：所有环境］";
    "secret history.service": "The one for exactly this service", "范围恰为此服务的密钥";
    "secret history.env": "The one for exactly this environment", "范围恰为此环境的密钥";
    "secret remove.service": "The one for exactly this service", "范围恰为此服务的密钥";
    "secret remove.env": "The one for exactly this environment", "范围恰为此环境的密钥";
    "secret restore.service": "The one for exactly this service", "范围恰为此服务的密钥";
    "secret restore.env": "The one for exactly this environment", "范围恰为此环境的密钥";
    "token": "Tokens for programs: scoped, expiring, stored hashed", "程序用令牌：限定权限、会过期、只存哈希";
    "token list": "List the tokens, without their secrets", "列出令牌（不含密文）";
    "token create": "Make a token; it is shown once", "创建令牌；仅显示一次";
    "token create.name": "Who or what will use it", "使用者";
    "token create.scope": "read, deploy, admin or agent; several with commas", "read、deploy、admin 或 agent；多个用逗号分隔";
    "token create.owner": "For this service account [default: yourself]", "为此服务账号创建［默认：自己］";
    "token create.service": "It reaches no further than this service", "仅限此服务";
    "token create.env": "It reaches no further than this environment", "仅限此环境";
    "token create.site": "It reaches no further than this site", "仅限此站点";
    "token create.expires": "When it ends: 12h, 30d [default: 90d]", "有效期：12h、30d［默认：90d］";
    "token revoke": "Make a token worthless", "吊销令牌";
    "token revoke.id": "Its id, from `tradewind token list`", "标识，见 `tradewind token list`";
    "version": "Versions of this program and of the server", "本程序与服务器的版本";
    "completions": "Completions for a shell: source <(tradewind completions bash)", "生成命令补全：source <(tradewind completions bash)";
    "completions.shell": "Which shell: bash, zsh, fish, elvish or powershell", "哪种 shell：bash、zsh、fish、elvish 或 powershell";
    "git-credential": "Git's credential helper", "git 凭据助手";
    "git-credential.action": "get, store or erase", "get、store 或 erase";
    "*.json": "Print the API's own types as JSON; errors go to stderr, as JSON too", "以 JSON 输出 API 的原始类型；错误也以 JSON 输出到 stderr";
    "*.service": "Which service [default: the one tradewind.yaml names here]", "服务［默认：当前目录 tradewind.yaml 中的服务］";
    "deploy.service": "Which service", "服务";
    "promote.service": "Which service", "服务";
    "rollback.service": "Which service", "服务";
    "acknowledge.service": "Which service", "服务";
    "*.env": "Which environment [default: the only one, else production]", "环境［默认：唯一的环境，否则为 production］";
    "*.note": "A remark, for the event log", "备注；写入事件日志";
    "*.ticket": "A ticket's id, for the event log", "工单号；写入事件日志";
    "*.limit": "How many to list, at most 200 [default: 20]", "列出多少条，最多 200［默认：20］";
    "events.limit": "How many to list, at most 200 [default: 50]", "列出多少条，最多 200［默认：50］";
    "*.after": "Begin behind this; the page before names it", "从此处之后开始；由上一页给出";
    "*.wait": "Wait for the end; this is the default", "等待结束；这是默认行为";
    "*.no_wait": "Return once it has begun", "开始后立即返回";
    "*.timeout": "Stop waiting after this long (90s, 15m); it goes on by itself", "最多等待多久（90s、15m）；之后它会自行继续";
    "*.help": "Print help", "显示帮助";
};

/// Puts the texts of a language into a command and all below it: its own help, headings and usage too.
pub fn localize(command: Command, tables: &[Table], lang: Lang) -> Command {
    at(command, "", tables, lang)
}

fn at(command: Command, path: &str, tables: &[Table], lang: Lang) -> Command {
    let mut command = command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help));
    if let Lang::Zh = lang {
        command = command.subcommand_help_heading("命令").subcommand_value_name("命令");
        command = command.help_template("{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}");
    }
    if let Some(text) = find(tables, path) {
        command = command.about(text.get(lang));
    }
    command = command.mut_args(|arg| {
        let id = arg.get_id().as_str().to_owned();
        let arg = match find(tables, &format!("{path}.{id}")).or_else(|| find(tables, &format!("*.{id}"))) {
            Some(text) if arg.get_help().is_none() => {
                let values = arg.get_action().takes_values();
                let arg = arg.help(text.get(lang));
                // The texts name defaults and choices themselves.
                if values { arg.hide_default_value(true).hide_possible_values(true) } else { arg }
            }
            Some(_) | None => arg,
        };
        match (lang, arg.is_positional()) {
            (Lang::En, _) => arg,
            (Lang::Zh, true) => arg.help_heading("参数"),
            (Lang::Zh, false) => arg.help_heading("选项"),
        }
    });
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        let below = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(&name, |c| at(c, &below, tables, lang));
    }
    command
}

fn find(tables: &[Table], path: &str) -> Option<&'static Text> {
    tables.iter().flat_map(|t| t.iter()).find(|(p, _)| *p == path).map(|(_, text)| text)
}

/// What is wrong with a command line, in the language; help and version as they are.
pub fn usage_error(e: &clap::Error, lang: Lang) -> String {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let text = |kind| match e.get(kind) {
        Some(ContextValue::String(s)) => s.clone(),
        Some(ContextValue::Strings(all)) => all.join(" "),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let (arg, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
    let what = match (lang, e.kind()) {
        (Lang::En, _) => return e.render().to_string(),
        (Lang::Zh, ErrorKind::UnknownArgument) => format!("无法识别的参数 `{arg}`"),
        (Lang::Zh, ErrorKind::InvalidSubcommand) => format!("没有命令 `{}`", text(ContextKind::InvalidSubcommand)),
        (Lang::Zh, ErrorKind::MissingSubcommand) => "缺少子命令".to_owned(),
        (Lang::Zh, ErrorKind::MissingRequiredArgument) => format!("缺少必需的参数：{arg}"),
        (Lang::Zh, ErrorKind::InvalidValue) if value.is_empty() => format!("`{arg}` 缺少值"),
        (Lang::Zh, ErrorKind::InvalidValue | ErrorKind::ValueValidation) => format!("`{arg}` 的值 `{value}` 无效"),
        (Lang::Zh, ErrorKind::ArgumentConflict) => {
            format!("`{arg}` 不能与 `{}` 同时使用", text(ContextKind::PriorArg))
        }
        (Lang::Zh, _) => return e.render().to_string(),
    };
    let near = match e.get(ContextKind::SuggestedArg).or_else(|| e.get(ContextKind::SuggestedSubcommand)) {
        Some(ContextValue::String(s)) => format!("\n  是否想用 `{s}`？"),
        Some(ContextValue::Strings(all)) if !all.is_empty() => format!("\n  是否想用 `{}`？", all.join("`、`")),
        Some(_) | None => String::new(),
    };
    let valid = match e.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(all)) if !all.is_empty() => format!("\n  可用的值：{}", all.join("、")),
        Some(_) | None => String::new(),
    };
    let usage = match e.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(s)) => format!("\n\n{}", s.to_string().replace("Usage:", "用法：")),
        Some(_) | None => String::new(),
    };
    format!("错误：{what}{near}{valid}{usage}\n\n更多信息请用 `--help`。\n")
}

/// Commands and arguments without a text, and texts without a command or argument. For tests.
pub fn gaps(command: &Command, tables: &[Table]) -> Vec<String> {
    let (mut used, mut wrong) = (BTreeSet::new(), Vec::new());
    walk(command, "", tables, &mut used, &mut wrong);
    let unused = tables.iter().flat_map(|t| t.iter()).filter(|(p, _)| !used.contains(p));
    wrong.extend(unused.map(|(p, _)| format!("`{p}` explains nothing")));
    wrong
}

fn walk(command: &Command, path: &str, tables: &[Table], used: &mut BTreeSet<&'static str>, wrong: &mut Vec<String>) {
    let mut note = |wanted: &[String], own: bool| {
        let found = tables.iter().flat_map(|t| t.iter()).find(|(p, _)| wanted.iter().any(|w| w == p));
        match found {
            Some((p, _)) => {
                used.insert(p);
            }
            None if own => wrong.push(format!("`{}` is not explained", wanted[0])),
            None => {}
        }
    };
    // A root without a text belongs to a test that has the verbs alone.
    note(&[path.to_owned()], !path.is_empty());
    for arg in command.get_arguments() {
        let id = arg.get_id();
        let exact = format!("{path}.{id}");
        let general = format!("*.{id}");
        let is_exact = find(tables, &exact).is_some();
        note(&[if is_exact { exact } else { general }], arg.get_help().is_none());
    }
    for sub in command.get_subcommands() {
        let below = if path.is_empty() { sub.get_name().to_owned() } else { format!("{path} {}", sub.get_name()) };
        walk(sub, &below, tables, used, wrong);
    }
}
