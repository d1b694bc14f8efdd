//! `[pipeline]`: which branches only reviewed changes reach, and of which sources production is built and deployed.

use super::{Glob, Line};

/// `[pipeline]`: which branches only reviewed changes reach, and of which sources production is built and deployed.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields, transform = super::schema_parts::nothing))]
pub struct PipelineRules {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// Branches of `CodeCommit` that only pull requests may change. Empty: none is watched.
    pub protected_branches: Vec<Glob>,
    /// Branches that may be built, and deployed from. Empty: any.
    pub trusted_branches: Vec<Glob>,
    /// Repositories that may be built, by their URL or bucket. Empty: any.
    pub trusted_repositories: Vec<Glob>,
}

impl PipelineRules {
    /// The rules of a policy that has none.
    pub(super) fn none() -> Self {
        let (line, list) = (Line::new("no [pipeline]"), Vec::new);
        Self { line, protected_branches: list(), trusted_branches: list(), trusted_repositories: list() }
    }

    /// Whether only pull requests may change a branch.
    pub fn protects(&self, branch: &str) -> bool {
        is_listed(&self.protected_branches, branch)
    }

    /// Whether a branch may be built and deployed from; yes, if the policy lists none.
    pub fn trusts_branch(&self, branch: &str) -> bool {
        self.trusted_branches.is_empty() || is_listed(&self.trusted_branches, branch)
    }

    /// Whether a repository may be built; yes, if the policy lists none.
    pub fn trusts_repository(&self, repository: &str) -> bool {
        self.trusted_repositories.is_empty() || is_listed(&self.trusted_repositories, repository)
    }
}

fn is_listed(list: &[Glob], text: &str) -> bool {
    list.iter().any(|glob| glob.matches(text))
}
