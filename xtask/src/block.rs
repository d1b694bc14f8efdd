//! The part of a detector, cut into blocks by its keys: YAML whose values stay text, since they end as text in the
//! template, with their comments and the tags of `CloudFormation`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

/// What stands behind a key: its text, without the indentation; and, where that has keys, the blocks behind these.
///
/// In a template it is a mapping of these blocks, and prints as its text. Beside the keys it has `text`, for filters, and
/// `comment`, which stands before its key.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The text, without a line break at its end.
    pub text: String,
    /// The lines of the comment right before the key.
    comment: String,
    /// The line of its key, from 1.
    line: usize,
    keys: Vec<(String, Arc<Self>)>,
}

/// Why a text can't be cut.
#[derive(Debug)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

const NO_KEY: &str = "no key stands here";

impl Block {
    /// Cuts a file.
    pub fn file(text: &str) -> Result<Self, Mistake> {
        let keys = cut(text, 1)?;
        Ok(Self { text: text.trim_end().to_owned(), keys, line: 1, comment: String::new() })
    }

    /// A block of a text that has no keys.
    pub fn of_text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// The block behind a key.
    pub fn get(&self, key: &str) -> Option<&Arc<Self>> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, block)| block)
    }

    /// The keys in their order, with the blocks behind them.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Arc<Self>)> {
        self.keys.iter().map(|(name, block)| (name.as_str(), block))
    }

    /// The line of its key in the file, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Puts a block behind a key, in place of what was there.
    pub fn set(&mut self, key: &str, block: Self) {
        self.keys.retain(|(name, _)| name != key);
        self.keys.push((key.to_owned(), Arc::new(block)));
    }

    /// Changes each block behind a key.
    pub fn change<E>(&mut self, mut change: impl FnMut(&str, &mut Self) -> Result<(), E>) -> Result<(), E> {
        self.keys.iter_mut().try_for_each(|(name, block)| change(name, Arc::make_mut(block)))
    }
}

/// The blocks of a text by their keys.
fn cut(text: &str, first: usize) -> Result<Vec<(String, Arc<Block>)>, Mistake> {
    let mut keys: Vec<(String, Block)> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for (line, number) in text.lines().zip(first..) {
        if line.starts_with('#') {
            comment.push(line);
        } else if line.is_empty() || line.starts_with(' ') {
            comment.clear();
            match keys.last_mut() {
                Some((_, block)) => {
                    block.text.push('\n');
                    block.text.push_str(line);
                }
                None if line.is_empty() => {}
                None => return Err(Mistake { line: number, what: NO_KEY }),
            }
        } else {
            let (key, value) = key(line).ok_or(Mistake { line: number, what: NO_KEY })?;
            if keys.iter().any(|(known, _)| known == key) {
                return Err(Mistake { line: number, what: "this key stands here twice" });
            }
            let block =
                Block { text: value.to_owned(), comment: comment.join("\n"), line: number, keys: vec![] };
            comment.clear();
            keys.push((key.to_owned(), block));
        }
    }
    keys.into_iter().map(|(key, block)| Ok((key, Arc::new(block.inner()?)))).collect()
}

/// The key of a line, and what stands behind it.
fn key(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let plain = key.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    (plain && !key.is_empty() && (value.is_empty() || value.starts_with(' '))).then(|| (key, value.trim()))
}

impl Block {
    /// The text as it was cut, with a first line behind the key, becomes what is indented below it.
    fn inner(mut self) -> Result<Self, Mistake> {
        if let Some((head, below)) = self.text.split_once('\n')
            && (head.is_empty() || head == "|")
        {
            let depth = below.lines().filter(|line| !line.is_empty()).map(indentation).min().unwrap_or(0);
            let lines = below.lines().map(|line| line.get(depth..).unwrap_or_default());
            let text = lines.collect::<Vec<_>>().join("\n");
            // A list has no keys, and what looks like one in a text that is marked as such is none.
            let first = text.lines().find(|line| !line.starts_with('#'));
            if head.is_empty() && first.is_some_and(|line| key(line).is_some()) {
                self.keys = cut(&text, self.line + 1)?;
            }
            self.text = text;
        }
        self.text.truncate(self.text.trim_end().len());
        Ok(self)
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Object for Block {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "text" => Some(Value::from(self.text.clone())),
            "comment" => Some(Value::from(self.comment.clone())),
            key => self.get(key).map(|block| Value::from_dyn_object(Arc::clone(block))),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys().map(|(name, _)| Value::from(name)).collect())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.text.is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        Block::file(text).unwrap()
    }

    #[test]
    fn a_block_is_what_is_indented_below_its_key() {
        let part = block(
            "# The file's own.\n\norder: 1\nenvironment:\n  # Why.\n  A: !Join\n    - x\n\n  B: y\n\nrest: z\n",
        );
        assert_eq!(part.get("order").unwrap().text, "1");
        let environment = part.get("environment").unwrap();
        assert_eq!(environment.text, "# Why.\nA: !Join\n  - x\n\nB: y");
        assert_eq!(environment.get("A").unwrap().comment, "# Why.");
        assert_eq!(environment.get("B").unwrap().text, "y");
        assert_eq!(environment.get("B").unwrap().line, 9);
        assert_eq!(part.get("rest").unwrap().text, "z");
        assert_eq!(part.get("order").unwrap().comment, "");
    }

    #[test]
    fn lists_and_texts_have_no_keys() {
        let part = block("list:\n  # Why.\n  - Sid: A\n    Effect: Deny\ntext: |\n  a: 1\n  b: 2\n");
        assert_eq!(part.get("list").unwrap().text, "# Why.\n- Sid: A\n  Effect: Deny");
        assert!(part.get("list").unwrap().keys.is_empty());
        assert_eq!(part.get("text").unwrap().text, "a: 1\nb: 2");
        assert!(part.get("text").unwrap().keys.is_empty());
    }

    #[test]
    fn mistakes_have_a_line() {
        let line = |text: &str| Block::file(text).unwrap_err().line;
        assert_eq!(line("a: 1\nb\n"), 2);
        assert_eq!(line("  a: 1\n"), 1);
        assert_eq!(line("a: 1\nb: 2\na: 3\n"), 3);
        assert_eq!(line("a:\n  b: 1\n  c\n"), 3);
        assert_eq!(line("a:\n  b:\n    c: 1\n\n    c: 1\n"), 5);
    }
}
