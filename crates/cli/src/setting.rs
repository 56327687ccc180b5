//! Settings: each is declared once, and its flag, its variable, its line in the configuration file, its default and
//! its help come from that declaration.

use crate::text::Text;
use clap::{Arg, ArgAction};
use tradewind_model::fault::Lang;

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A flag without a value on the command line; `true` or `false` elsewhere.
    Switch,
    /// `127.0.0.1:7070`, `[::]:7070`.
    Address,
    Path,
    /// `http://` or `https://` with a host.
    Url,
    Text,
    /// `64KiB`, `10MiB`, or bytes.
    Size,
    /// A whole number, not negative.
    Number,
    /// `10.0.0.0/8, fd00::/8`.
    Networks,
    /// `90s`, `10m`, `12h`, `30d`.
    Span,
    /// One of these.
    Choice(&'static [&'static str]),
}

/// One setting. Order of strength: default, configuration file, variable, flag.
#[derive(Debug)]
pub struct Setting {
    /// The key in the configuration file, in snake case. The flag is the same with `-`, the variable the same in
    /// capitals behind `TRADEWIND_`.
    pub key: &'static str,
    pub kind: Kind,
    /// What stands for the value in help: `ADDR`.
    pub value: &'static str,
    /// `None`: there is none, or it depends on the machine (then the help says on what).
    pub default: Option<&'static str>,
    /// Never printed, never passed on a command line.
    pub secret: bool,
    pub help: Text,
}

impl Setting {
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }
    pub fn var(&self) -> String {
        format!("TRADEWIND_{}", self.key.to_ascii_uppercase())
    }
    /// The command-line argument. Variables and the file are read elsewhere, so that a value's source stays known.
    pub fn arg(&self, lang: Lang) -> Arg {
        let mut help = self.help.get(lang).to_owned();
        let (open, close, sep) = match lang {
            Lang::En => (" [", "]", ", "),
            Lang::Zh => ("［", "］", "，"),
        };
        let mut notes = Vec::new();
        if let Some(d) = self.default.filter(|_| self.kind != Kind::Switch) {
            notes.push(match lang {
                Lang::En => format!("default: {d}"),
                Lang::Zh => format!("默认：{d}"),
            });
        }
        notes.push(match lang {
            Lang::En => format!("env: {}", self.var()),
            Lang::Zh => format!("环境变量：{}", self.var()),
        });
        help += &format!("{open}{}{close}", notes.join(sep));
        let arg = Arg::new(self.key).long(self.flag()).help(help);
        match self.kind {
            Kind::Switch => arg.action(ArgAction::SetTrue),
            Kind::Choice(all) => arg
                .value_name(self.value)
                .value_parser(clap::builder::PossibleValuesParser::new(all))
                .hide_possible_values(true),
            Kind::Address
            | Kind::Path
            | Kind::Url
            | Kind::Text
            | Kind::Size
            | Kind::Number
            | Kind::Networks
            | Kind::Span => arg.value_name(self.value),
        }
    }
}
