//! `[protected]`: what logging and detection depend on.

use memchr::memmem::Finder;

use super::pattern::Glob;

/// The patterns of what is protected, and what finds them in a record's text.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    globs: Vec<Glob>,
    /// The longest text without `*` of each. Every change by the pipeline is looked through.
    literals: Vec<Finder<'static>>,
}

impl Protected {
    /// Adds a pattern.
    pub fn push(&mut self, glob: Glob) {
        let longest = glob.as_str().split('*').max_by_key(|part| part.len()).unwrap_or_default();
        // Between ARNs and names the partition may differ.
        let literal = longest.strip_prefix("arn:aws:").unwrap_or(longest);
        self.literals.push(Finder::new(literal).into_owned());
        self.globs.push(glob);
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    /// Whether a resource is, by its name or ARN.
    pub fn has(&self, resource: &str) -> bool {
        self.globs.iter().any(|glob| glob.matches_resource(resource))
    }

    /// Whether a part of a record may name such a resource. `false` is certain.
    pub fn may_be_in(&self, json: &str) -> bool {
        let json = json.as_bytes();
        // JSON may write any character otherwise.
        let otherwise = || memchr::memmem::find(json, b"\\u").is_some();
        !json.is_empty() && (self.literals.iter().any(|it| it.find(json).is_some()) || otherwise())
    }
}

impl FromIterator<Glob> for Protected {
    fn from_iter<I: IntoIterator<Item = Glob>>(globs: I) -> Self {
        let mut all = Self::default();
        globs.into_iter().for_each(|glob| all.push(glob));
        all
    }
}
