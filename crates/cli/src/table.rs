//! Columns that line up, also with Chinese in them; colours only where a terminal shows them.

use unicode_width::UnicodeWidthStr;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Paint {
    #[default]
    Plain,
    Good,
    Warn,
    Bad,
    Faint,
    Bold,
}

impl Paint {
    pub fn apply(self, text: &str, terminal: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Good => 32,
            Self::Warn => 33,
            Self::Bad => 31,
            Self::Faint => 2,
            Self::Bold => 1,
        };
        if terminal && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    paint: Paint,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), paint: Paint::Plain }
    }
}

pub fn painted(paint: Paint, text: impl Into<String>) -> Cell {
    Cell { text: text.into(), paint }
}

/// Rows under a head. Empty cells print as `-`, so that every line has the same number of words to `awk`.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|h| (*h).to_owned()).collect(), rows: Vec::new() }
    }
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn render(&self, terminal: bool) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|i| {
                let cells = self.rows.iter().filter_map(|r| r.get(i)).map(|c| shown(&c.text).width());
                cells.chain([self.head[i].width()]).max().unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        let head: Vec<Cell> = self.head.iter().map(|h| painted(Paint::Faint, h.as_str())).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (i, cell) in row.iter().enumerate() {
                let text = shown(&cell.text);
                line += &cell.paint.apply(text, terminal);
                if i + 1 < row.len() {
                    line += &" ".repeat(widths[i].saturating_sub(text.width()) + 2);
                }
            }
            out += line.trim_end();
            out.push('\n');
        }
        out
    }
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// `text` and as many blanks as make it `width` columns wide.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns_and_empty_cells_are_dashes() {
        let mut t = Table::new(&["服务", "STATE"]);
        t.row(vec!["shop".into(), painted(Paint::Good, "健康")]);
        t.row(vec!["".into(), "x".into()]);
        assert_eq!(t.render(false), "服务  STATE\nshop  健康\n-     x\n");
        assert!(t.render(true).contains("\x1b[32m健康\x1b[0m"));
    }
}
