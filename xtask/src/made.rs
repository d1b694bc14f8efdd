//! What is made, written or compared with what is committed.

use std::path::Path;

use crate::difference::Difference;
use crate::error::Error;
use crate::files::read;

/// A text that is made of its parts, and committed.
#[derive(Debug)]
pub struct Made {
    /// Its file, relative to the product's root.
    pub file: &'static str,
    /// What its parts make.
    pub text: String,
}

impl Made {
    pub(crate) fn new(file: &'static str, text: String) -> Self {
        Self { file, text }
    }

    /// Writes the file.
    pub fn write(&self, root: &Path) -> Result<(), Error> {
        let path = root.join(self.file);
        std::fs::write(&path, &self.text).map_err(|why| Error::File { path, why })
    }

    /// Fails where the file isn't what its parts make.
    pub fn check(&self, root: &Path) -> Result<(), Error> {
        let committed = read(&root.join(self.file))?;
        if committed == self.text {
            return Ok(());
        }
        // With their line breaks, in which alone they may differ.
        let mut committed = committed.split_inclusive('\n');
        let mut made = self.text.split_inclusive('\n');
        for line in 1.. {
            let (one, other) = (committed.next(), made.next());
            if one != other {
                let shown = |line: Option<&str>| line.map_or("nothing".to_owned(), |it| format!("{it:?}"));
                let command = if self.file == "template.yaml" { "template" } else { "docs" };
                let (committed, made) = (shown(one), shown(other));
                return Err(Difference { file: self.file, line, command, committed, made }.into());
            }
        }
        Ok(())
    }
}
