//! Writing entries so that nothing a caller chose can be more than a word in a comment or a string.

use handsoff_cloudtrail::Arn;
use handsoff_core::policy::IdentityPattern;
use handsoff_core::show::clean;

use super::fact::{Form, Id};

/// How far it is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is in the policy.
    Proposed,
    /// Its evidence is weak: it is commented out.
    Doubtful,
    /// Nothing is proposed: there is only what was seen.
    Refused,
}

/// An entry of the policy, with its evidence.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) standing: Standing,
    /// The evidence, as comments.
    pub(super) notes: Vec<String>,
    /// The lines of the entry.
    pub(super) lines: Vec<String>,
}

impl Entry {
    /// An entry that is proposed until something speaks against it.
    pub(super) fn new(title: String) -> Self {
        Self { standing: Standing::Proposed, notes: vec![title], lines: Vec::new() }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Comments the entry out, and says why.
    pub(super) fn doubt(&mut self, why: &str) {
        if self.standing != Standing::Refused {
            self.standing = Standing::Doubtful;
            self.note(format!("Commented out: {why}."));
        }
    }

    /// Leaves nothing but the comment, and says why.
    pub(super) fn refuse(&mut self, why: &str) {
        self.standing = Standing::Refused;
        self.note(format!("Not proposed: {why}."));
    }

    /// Its text, an empty line before it.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("\n");
        for note in &self.notes {
            text.push_str(&comment(note));
        }
        for line in &self.lines {
            match self.standing {
                Standing::Proposed => text.extend([line, "\n"]),
                Standing::Doubtful => text.extend(["# ", line, "\n"]),
                Standing::Refused => {}
            }
        }
        text
    }
}

/// A comment, in as many lines as it needs. Whatever it says stays behind the `#`.
pub(super) fn comment(text: &str) -> String {
    // Once more: to clean what is clean changes nothing.
    let text = clean(text, 4000);
    let options = textwrap::Options::new(116)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .initial_indent("# ")
        .subsequent_indent("# ");
    textwrap::wrap(&text, options).into_iter().flat_map(|line| [line.into_owned(), "\n".into()]).collect()
}

/// A heading.
pub(super) fn heading(text: &str) -> String {
    format!("\n# ---- {text} {}\n", "-".repeat(100_usize.saturating_sub(text.len())))
}

/// Whether a text can stand in a string of the policy as it is, and stands for itself alone there: no `*`, nothing that
/// would need an escape.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'"' | b'\\' | b'\''))
}

/// Characters that IAM takes for names and paths.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@-_/".contains(&byte))
}

/// The pattern that means this identity and no other; `None` if it can't be written.
pub(super) fn pattern(id: &Id, arns: &[&str]) -> Option<String> {
    let written = match id.form {
        Form::PermissionSet => {
            Some(&*id.name).filter(|name| is_name(name)).map(|name| format!("permission-set/{name}"))
        }
        Form::Role | Form::User => one(arns),
    }?;
    IdentityPattern::parse(&written).is_ok().then_some(written)
}

/// The one ARN of an identity, as a policy writes it. A role that was made anew on another path has two.
fn one(arns: &[&str]) -> Option<String> {
    let mut pathless: Vec<&str> = Vec::new();
    let mut whole: Vec<&str> = Vec::new();
    for arn in arns {
        let deep = Arn::split(arn)?.resource.matches('/').count() > 1;
        if deep { whole.push(arn) } else { pathless.push(arn) }
    }
    let [arn] = *(if whole.is_empty() { pathless } else { whole }) else { return None };
    let Arn { account, resource, .. } = Arn::split(arn)?;
    is_name(resource).then(|| format!("arn:aws:iam::{account}:{resource}"))
}

/// A string of TOML.
pub(super) fn quoted(text: &str) -> String {
    // INVARIANT: only what is plain or an action's name comes here; `clean` leaves no control character.
    format!("\"{}\"", clean(text, 4000).replace('\\', "\\\\").replace('"', "\\\""))
}

/// A key with a list, one a line; comments stand as they are.
pub(super) fn list(key: &str, items: &[String], comments: &[String]) -> Vec<String> {
    let mut lines = vec![format!("{key} = [")];
    lines.extend(items.iter().map(|item| format!("  {},", quoted(item))));
    lines.extend(comments.iter().map(|comment| format!("  # {}", clean(comment, 400))));
    lines.push("]".into());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_mean_one_identity_are_written() {
        let id = |name: &str| Id { account: "111122223333".into(), form: Form::Role, name: name.into() };
        let arn = "arn:aws-cn:iam::111122223333:role/ci/deploy";
        assert_eq!(
            pattern(&id("deploy"), &[arn]).as_deref(),
            Some("arn:aws:iam::111122223333:role/ci/deploy")
        );
        // A session's ARN has no path; the role's own says more.
        let bare = "arn:aws:iam::111122223333:role/deploy";
        assert_eq!(
            pattern(&id("deploy"), &[bare, arn]).as_deref(),
            Some("arn:aws:iam::111122223333:role/ci/deploy")
        );
        for wrong in ["a*", "a\"b", "a\nb", "a b", "", "\u{202e}a", "a\\b", "a'b", "a:b", "a#b"] {
            assert_eq!(
                pattern(&id(wrong), &[&format!("arn:aws:iam::111122223333:role/{wrong}")]),
                None,
                "{wrong}"
            );
        }
        assert_eq!(pattern(&id("x"), &["arn:aws:iam::*:role/x"]).as_deref(), Some("arn:aws:iam::*:role/x"));
    }

    #[test]
    fn a_comment_stays_one() {
        let text = comment("a\r\n[[deploy]]\u{2028}\u{85}\u{c}x\u{1b}[2J \u{202e}");
        assert!(text.lines().all(|line| line.starts_with("# ")) && text.lines().count() == 1, "{text:?}");
        assert!(text.is_ascii(), "{text:?}");
        assert!(comment(&"word ".repeat(200)).lines().all(|line| line.starts_with("# word")));
    }
}
