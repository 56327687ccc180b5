//! The conditions of `rules: - if:`.

use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// A condition that was understood.
#[derive(Clone, Debug)]
pub struct Condition(Expr);

#[derive(Clone, Debug)]
enum Expr {
    Null,
    Text(String),
    Variable(String),
    Pattern(Regex),
    Equal { left: Box<Expr>, right: Box<Expr>, negated: bool },
    Match { left: Box<Expr>, right: Box<Expr>, negated: bool },
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
}

/// `&&` and `||` return one of their operands, so a condition has more values than two.
#[derive(Clone, PartialEq, Debug)]
enum Value {
    Null,
    Bool(bool),
    Text(String),
}

impl Value {
    /// An empty text is false by itself, though it is not `null`.
    fn holds(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(b) => *b,
            Self::Text(s) => !s.trim().is_empty(),
        }
    }
}

impl Condition {
    /// # Errors
    /// What stands where something else was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens, at: 0 };
        let expr = parser.or()?;
        match parser.peek() {
            None => Ok(Self(expr)),
            Some(token) => Err(format!("`{}`", token.shown())),
        }
    }

    /// `variables`: the names that exist and their values.
    pub fn holds(&self, variables: &BTreeMap<String, String>) -> bool {
        value(&self.0, variables).holds()
    }
}

fn value(expr: &Expr, variables: &BTreeMap<String, String>) -> Value {
    match expr {
        Expr::Null => Value::Null,
        Expr::Text(s) => Value::Text(s.clone()),
        Expr::Variable(name) => variables.get(name).map_or(Value::Null, |v| Value::Text(v.clone())),
        Expr::Pattern(_) => Value::Bool(true),
        Expr::Equal { left, right, negated } => {
            Value::Bool((value(left, variables) == value(right, variables)) != *negated)
        }
        Expr::Match { left, right, negated } => {
            let found = match (value(left, variables), &**right) {
                (Value::Text(text), Expr::Pattern(p)) => p.is_match(&text),
                // A variable may hold a pattern, slashes included; what is none matches nothing.
                (Value::Text(text), other) => match value(other, variables) {
                    Value::Text(pattern) => pattern_of(&pattern).is_ok_and(|p| p.is_match(&text)),
                    Value::Null | Value::Bool(_) => false,
                },
                (Value::Null | Value::Bool(_), _) => false,
            };
            Value::Bool(found != *negated)
        }
        Expr::And(left, right) => match value(left, variables) {
            first if first.holds() => value(right, variables),
            first => first,
        },
        Expr::Or(left, right) => match value(left, variables) {
            first if first.holds() => first,
            _ => value(right, variables),
        },
    }
}

/// `/pattern/flags`, flags of `i`, `m`, `s`, `U`.
fn pattern_of(text: &str) -> Result<Regex, String> {
    let bad = || format!("`{text}`");
    let (pattern, flags) = text.strip_prefix('/').and_then(|t| t.rsplit_once('/')).ok_or_else(bad)?;
    if !flags.chars().all(|c| "ismU".contains(c)) {
        return Err(bad());
    }
    RegexBuilder::new(&pattern.replace("\\/", "/"))
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .swap_greed(flags.contains('U'))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| bad())
}

#[derive(Clone, Debug)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Equal,
    NotEqual,
    Matches,
    MatchesNot,
    Null,
    Text(String),
    Variable(String),
    Pattern(Regex),
}

impl Token {
    fn shown(&self) -> &str {
        match self {
            Self::Open => "(",
            Self::Close => ")",
            Self::And => "&&",
            Self::Or => "||",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
            Self::Null => "null",
            Self::Text(s) | Self::Variable(s) => s,
            Self::Pattern(p) => p.as_str(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let words = [
        ("&&", Token::And),
        ("||", Token::Or),
        ("==", Token::Equal),
        ("!=", Token::NotEqual),
        ("=~", Token::Matches),
        ("!~", Token::MatchesNot),
        ("(", Token::Open),
        (")", Token::Close),
        ("null", Token::Null),
    ];
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let bad = || format!("`{}`", rest.chars().take(20).collect::<String>());
        let used = if let Some((word, token)) = words.iter().find(|(w, _)| rest.starts_with(w)) {
            out.push(token.clone());
            word.len()
        } else if first == '"' || first == '\'' {
            let end = rest[1..].find(first).ok_or_else(bad)?;
            out.push(Token::Text(rest[1..=end].to_owned()));
            end + 2
        } else if first == '$' {
            let (name, used) = variable(&rest[1..]).ok_or_else(bad)?;
            out.push(Token::Variable(name.to_owned()));
            used + 1
        } else if first == '/' {
            let end = pattern_end(rest).ok_or_else(bad)?;
            out.push(Token::Pattern(pattern_of(&rest[..end])?));
            end
        } else {
            return Err(bad());
        };
        rest = rest[used..].trim_start();
    }
    Ok(out)
}

/// After the `$`: `NAME` or `{NAME}`, and the bytes it takes.
fn variable(s: &str) -> Option<(&str, usize)> {
    let (braces, body) = s.strip_prefix('{').map_or((false, s), |b| (true, b));
    let n = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(body.len());
    let name = &body[..n];
    match (name.is_empty(), braces) {
        (true, _) => None,
        (false, false) => Some((name, n)),
        (false, true) => body[n..].starts_with('}').then_some((name, n + 2)),
    }
}

/// The end of `/pattern/flags` at the start of `s`.
fn pattern_end(s: &str) -> Option<usize> {
    let mut escaped = false;
    let close = s.char_indices().skip(1).find(|(_, c)| {
        let closes = *c == '/' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    })?;
    let flags = s[close.0 + 1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(s.len() - close.0 - 1);
    Some(close.0 + 1 + flags)
}

/// `||` binds loosest, then `&&`, then the comparisons.
struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while let Some(Token::Or) = self.peek() {
            self.at += 1;
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.comparison()?;
        while let Some(Token::And) = self.peek() {
            self.at += 1;
            left = Expr::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expr, String> {
        let left = Box::new(self.operand()?);
        let (pattern, negated) = match self.peek() {
            Some(Token::Equal) => (false, false),
            Some(Token::NotEqual) => (false, true),
            Some(Token::Matches) => (true, false),
            Some(Token::MatchesNot) => (true, true),
            Some(_) | None => return Ok(*left),
        };
        self.at += 1;
        let right = Box::new(self.operand()?);
        Ok(if pattern { Expr::Match { left, right, negated } } else { Expr::Equal { left, right, negated } })
    }

    fn operand(&mut self) -> Result<Expr, String> {
        let token = self.peek().cloned().ok_or_else(|| "`…`".to_owned())?;
        self.at += 1;
        Ok(match token {
            Token::Null => Expr::Null,
            Token::Text(s) => Expr::Text(s),
            Token::Variable(name) => Expr::Variable(name),
            Token::Pattern(p) => Expr::Pattern(p),
            Token::Open => {
                let inner = self.or()?;
                match self.peek() {
                    Some(Token::Close) => self.at += 1,
                    Some(other) => return Err(format!("`{}`", other.shown())),
                    None => return Err("`(`".into()),
                }
                inner
            }
            other => return Err(format!("`{}`", other.shown())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_as_teams_know_them() {
        let variables: BTreeMap<String, String> =
            [("BRANCH", "main"), ("EMPTY", ""), ("PATTERN", "/^MA/i"), ("NO", "false"), ("PATH_", "a/b")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into();
        for (text, expected) in [
            ("$BRANCH", true),
            ("${BRANCH} == 'main'", true),
            ("$BRANCH == \"dev\"", false),
            ("$BRANCH != \"dev\"", true),
            ("\"main\" == $BRANCH", true),
            ("$EMPTY", false),
            ("$EMPTY == null", false),
            ("$EMPTY == \"\"", true),
            ("$MISSING == null", true),
            ("$MISSING == \"\"", false),
            ("$NO", true),
            ("$BRANCH =~ /^ma/", true),
            ("$BRANCH =~ /^MA/", false),
            ("$BRANCH =~ /^MA/i", true),
            ("$BRANCH =~ $PATTERN", true),
            ("$BRANCH =~ $EMPTY", false),
            ("$BRANCH !~ /dev/", true),
            ("$MISSING =~ /./", false),
            ("$MISSING !~ /./", true),
            (r"$PATH_ =~ /a\/b/ && $BRANCH", true),
            ("$MISSING || $BRANCH == 'main'", true),
            ("$BRANCH == 'main' && $MISSING", false),
            ("$MISSING && $MISSING || $BRANCH", true),
            ("$MISSING && ($MISSING || $BRANCH)", false),
            ("($BRANCH && $NO) == 'false'", true),
        ] {
            let condition = Condition::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(condition.holds(&variables), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for (text, expected) in [
            ("", "`…`"),
            ("main", "`main`"),
            ("$A ==", "`…`"),
            ("$A == == 'x'", "`==`"),
            ("$A = 'x'", "`= 'x'`"),
            ("($A", "`(`"),
            ("$A 'x'", "`x`"),
            ("$A =~ /(/", "`/(/`"),
            ("$A =~ /x/q", "`/x/q`"),
            ("$A == 'x", "`'x`"),
        ] {
            assert_eq!(Condition::parse(text).map(|_| ()).unwrap_err(), expected, "{text}");
        }
    }
}
