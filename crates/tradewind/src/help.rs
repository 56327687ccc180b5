//! Help of the roles' commands; the verbs' stands in their crate.

use tradewind_cli::{help::Table, text::Text};

macro_rules! help {
    ($($path:literal: $en:literal, $zh:literal;)+) => {
        &[$(($path, Text { en: $en, zh: $zh })),+]
    };
}

pub static ROLES: Table = help! {
    "": "Tradewind: releases, rolled out and taken back. One binary for the server, its hosts and you", "信风：发布与回滚。服务端、主机与命令行同在一个程序中";
    "up": "Run everything on this machine: server, agent and edge", "在本机运行一切：server、agent 与 edge";
    "up.detach": "Return when all is ready and go on in the background", "就绪后返回，在后台继续运行";
    "down": "Stop all that belongs to a data folder, what a kill left behind included", "停止属于数据目录的一切，包括被强制结束后遗留的进程";
    "doctor": "Look at what this machine gives and lacks; before the first start and after. Changes nothing", "检查本机具备什么、缺少什么；首次启动前后均可使用，不做任何更改";
    "admin": "For the owner of the data folder: needs no login", "供数据目录的所有者使用，无需登录";
    "admin token": "Make a token, for scripts and recovery", "创建令牌，用于脚本与恢复";
    "admin token.name": "Who or what will use it [default: admin]", "使用者［默认：admin］";
    "admin token.scope": "read, deploy, admin or agent; several with commas [default: admin]", "read、deploy、admin 或 agent；多个用逗号分隔［默认：admin］";
    "admin token.expires": "When it ends: 12h, 30d [default: 90d]", "有效期：12h、30d［默认：90d］";
    "admin code": "Make a one-time code for `tradewind login`", "生成供 `tradewind login` 使用的一次性登录码";
    "admin rotate-key": "Make a new key for secrets and seal all of them anew; the server may run meanwhile", "更换密钥库的主密钥并重新加密所有密钥；服务端可同时运行";
    "admin rotate-key.resume": "Make no further key: finish a change that broke off", "不再生成新密钥：完成中断的更换";
    "admin backup": "Make a backup of the whole control plane; the server may run meanwhile", "备份整个控制面；服务端可同时运行";
    "admin backup.file": "The file to make: `tradewind-2026-11-22.tar.zst`", "要生成的文件：`tradewind-2026-11-22.tar.zst`";
    "admin backup.to-stdout": "Write it to stdout", "写到标准输出";
    "*.passphrase-file": "A file whose first line locks the keys of the backup, or opens them", "首行为口令的文件，用于锁定或打开备份中的密钥";
    "admin backup.without-keys": "Leave the keys out; keep keys/ of the data folder elsewhere", "不包含密钥；请另行保存数据目录的 keys/";
    "admin backup.keys-in-the-clear": "Take the keys as they are: whoever has the file can open every secret", "原样包含密钥：持有该文件的人可以打开所有秘密";
    "admin backup verify": "Read a backup through, and say whether it would bring everything back", "检查备份是否完整、能否恢复一切";
    "admin backup verify.file": "The backup", "备份文件";
    "admin restore": "Make a data folder of a backup; it has to be empty or new", "用备份生成数据目录；目录须为空或不存在";
    "admin restore.file": "The backup", "备份文件";
    "admin enrol": "Make this machine's agent a key", "为本机的 agent 生成密钥";
    "config": "The settings of the roles", "各角色的配置";
    "config show": "Show every setting, its value, and where it came from", "显示所有配置项、当前值及其来源";
    "server": "Run the control plane alone", "只运行控制面";
    "agent": "Run the host role alone", "只运行主机角色";
    "edge": "Run the reverse proxy alone", "只运行反向代理";
    "edge-worker": "The part of the edge that serves; started by it", "edge 中处理请求的部分，由其启动";
    "shim": "The parent of one process; started by the agent", "单个进程的父进程，由 agent 启动";
    "shim.dir": "Its folder", "其目录";
    "git-hook": "A hook of the git remote; started by git", "git 远程仓库的钩子，由 git 启动";
    "git-hook.hook": "Which one", "哪个钩子";
    "*.version": "Print the version", "显示版本";
};
