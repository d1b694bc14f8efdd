//! Patterns over identities and actions.
//!
//! An ARN pattern is cut at the same colons as an ARN, and each field is matched on its own, so that a `*`
//! never reaches from one field into the next:
//!
//! - `*` stands for any characters within one field; in the last field within one part between slashes;
//!   `**` there also for slashes.
//! - The partition `aws` is the record's own, whichever that is, for one policy is shared by accounts of several. An
//!   account is of one partition, and what acts in it too, so that this never means somebody else. Any other
//!   partition that is written out is that one.
//! - The account is twelve digits, or `*` alone. `*` is the account that the record was written for; another
//!   account must be written out. A role of the same name in somebody else's account is nobody here.
//! - Upper and lower case differ, as in IAM.

use handsoff_cloudtrail::Arn;
use handsoff_cloudtrail::partition::service_name;

use super::PatternError;

/// No pattern is longer: IAM's own limit of an ARN. What a pattern costs grows with its length and its text's.
const LONGEST: usize = 2048;

/// So many `**` a pattern may have.
const MOST_STARS: usize = 3;

/// Matches text with `*` for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// A pattern; every text is one.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes(), |_| true)
    }

    /// Whether the name or ARN of a resource matches; `arn:aws:` stands for every partition.
    ///
    /// A caller may have written the ARN. With another partition it says no more than with `aws`, which they could
    /// have written as well.
    pub fn matches_resource(&self, resource: &str) -> bool {
        let other = resource.strip_prefix("arn:aws-").and_then(|rest| rest.split_once(':'));
        match (self.0.strip_prefix("arn:aws:"), other) {
            (Some(pattern), Some((_, rest))) => matches(pattern.as_bytes(), rest.as_bytes(), |_| true),
            _ => self.matches(resource),
        }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Linear in the text for each star, with no recursion: a pattern can't be made slow by what it is held against.
fn matches(pattern: &[u8], text: &[u8], star_takes: impl Fn(u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and the text position it is held against.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                p += 1;
                retry = Some((p, t));
                continue;
            }
            (Some(wanted), Some(found)) if wanted == found => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        // Let the last star take one more character.
        let Some((behind, from)) = retry else { return false };
        match text.get(from) {
            Some(&byte) if star_takes(byte) => {
                retry = Some((behind, from + 1));
                p = behind;
                t = from + 1;
            }
            _ => return false,
        }
    }
}

/// What a path's pattern is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    /// Any characters but slashes.
    Star,
    /// Any characters.
    Stars,
}

impl Piece {
    fn takes(self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => own == byte,
            Self::Star => byte != b'/',
            Self::Stars => true,
        }
    }
}

/// Slash-separated parts: `*` within a part, `**` over any number of characters, slashes too.
///
/// Each byte of the text is held against each piece of the pattern once, whatever they are: where the pattern may
/// stand is kept as a set.
fn matches_path(pattern: &str, text: &str) -> bool {
    if !pattern.contains("**") {
        return matches(pattern.as_bytes(), text.as_bytes(), |byte| byte != b'/');
    }
    let mut pieces: Vec<(Piece, bool)> = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let piece = match byte {
            b'*' if bytes.next_if_eq(&b'*').is_some() => Piece::Stars,
            b'*' => Piece::Star,
            byte => Piece::Byte(byte),
        };
        pieces.push((piece, false));
    }
    // Whether the piece is where the text may go on; behind a star, with it still there, also the next one.
    let mut reached = true;
    for (piece, here) in &mut pieces {
        *here = reached;
        reached &= !matches!(piece, Piece::Byte(_));
    }
    for byte in text.bytes() {
        let mut before = false;
        for (piece, here) in &mut pieces {
            let star = !matches!(piece, Piece::Byte(_));
            let took = *here && piece.takes(byte);
            *here = before || (took && star);
            before = if star { *here } else { took };
        }
        reached = before;
    }
    reached
}

/// An identity: an IAM role or user by its ARN, or a permission set by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPattern {
    written: String,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Arn {
        partition: Partition,
        account: Account,
        resource: String,
    },
    PermissionSet(Glob),
    /// Only from the command line: a role or user of this name, in any account.
    Name(Glob),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Partition {
    Own,
    Named(Glob),
}

impl Partition {
    fn matches(&self, found: &str) -> bool {
        match self {
            Self::Own => found == "aws" || found.starts_with("aws-"),
            Self::Named(glob) => glob.matches(found),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Account {
    Own,
    Id(String),
}

impl IdentityPattern {
    /// Reads a pattern of the policy file.
    ///
    /// # Errors
    /// Says what is wrong with it and what to write instead.
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > LONGEST {
            return Err(PatternError::TooLong);
        }
        if pattern.matches("**").count() > MOST_STARS {
            return Err(PatternError::TooManyStars);
        }
        if let Some(name) = pattern.strip_prefix("permission-set/") {
            if name.chars().all(|char| char == '*') {
                return Err(PatternError::NoPermissionSet);
            }
            return Ok(Self { written: pattern.to_owned(), form: Form::PermissionSet(Glob::new(name)) });
        }
        let fields: Vec<&str> = pattern.splitn(6, ':').collect();
        let &["arn", partition, service, region, account, resource] = fields.as_slice() else {
            return Err(PatternError::NoArn);
        };
        if service == "sts" {
            return Err(PatternError::Session);
        }
        if service != "iam" || !region.is_empty() {
            return Err(PatternError::NotIam);
        }
        if !(partition == "aws" || partition.starts_with("aws-") || partition.contains('*')) {
            return Err(PatternError::NoPartition);
        }
        let account = match account {
            "*" => Account::Own,
            id if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) => {
                Account::Id(id.to_owned())
            }
            _ => {
                return Err(PatternError::NoAccount);
            }
        };
        let name = resource.strip_prefix("role/").or_else(|| resource.strip_prefix("user/"));
        match name {
            Some(name) if name.chars().all(|char| matches!(char, '*' | '/')) => {
                return Err(PatternError::EveryPath);
            }
            Some(_) => {}
            None if resource == "root" => {
                return Err(PatternError::Root);
            }
            None => return Err(PatternError::NoRoleOrUser),
        }
        let partition =
            if partition == "aws" { Partition::Own } else { Partition::Named(Glob::new(partition)) };
        let form = Form::Arn { partition, account, resource: resource.to_owned() };
        Ok(Self { written: pattern.to_owned(), form })
    }

    /// Reads a pattern of the command line, where a bare name is allowed too: a role or user of that name, in
    /// any account.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_argument(pattern: &str) -> Result<Self, PatternError> {
        if pattern.contains([':', '/']) {
            return Self::parse(pattern);
        }
        if pattern.chars().all(|char| char == '*') {
            return Err(PatternError::EveryName);
        }
        Ok(Self { written: pattern.to_owned(), form: Form::Name(Glob::new(pattern)) })
    }

    /// Whether the ARN of a role or user matches. `own` is the account that the record was written for.
    pub fn matches(&self, arn: &str, own: Option<&str>) -> bool {
        self.matches_arn(arn, own, matches_path)
    }

    /// The same for an ARN that was rebuilt from a session or a failed sign-in, and has no path. Names are
    /// unique in an account whatever their path, so a name that is written out decides; one with a `*` would
    /// match other paths' names, and doesn't match.
    pub fn matches_pathless(&self, arn: &str, own: Option<&str>) -> bool {
        self.matches_arn(arn, own, |pattern, resource| {
            matches_path(pattern, resource) || has_name(pattern, resource)
        })
    }

    fn matches_arn(&self, arn: &str, own: Option<&str>, matches: impl Fn(&str, &str) -> bool) -> bool {
        let Some(arn) = Arn::split(arn).filter(|arn| arn.service == "iam" && arn.region.is_empty()) else {
            return false;
        };
        match &self.form {
            Form::Arn { partition, account, resource } => {
                let account_matches = match account {
                    Account::Own => own.is_none_or(|own| own == arn.account),
                    Account::Id(id) => id == arn.account,
                };
                account_matches && partition.matches(arn.partition) && matches(resource, arn.resource)
            }
            Form::PermissionSet(name) => {
                let path = arn.resource.strip_prefix("role/").unwrap_or_default();
                let reserved = !path.contains('/') || is_reserved(path);
                let role = path.rsplit('/').next().filter(|_| reserved);
                role.and_then(handsoff_cloudtrail::permission_set_of).is_some_and(|found| name.matches(found))
                    && own.is_none_or(|own| own == arn.account)
            }
            Form::Name(name) => {
                (arn.resource.starts_with("role/") || arn.resource.starts_with("user/"))
                    && arn.resource.rsplit('/').next().is_some_and(|found| name.matches(found))
            }
        }
    }

    /// Whether this may mean the identity that a grant names: a role or user by its ARN or its bare name, a permission set
    /// by its name with or without `permission-set/` before it. A name without its path may be on any.
    pub fn may_mean(&self, written: &str) -> bool {
        if written.starts_with("arn:") {
            return self.matches_pathless(written, None);
        }
        let set = written.strip_prefix("permission-set/");
        match &self.form {
            Form::PermissionSet(name) => name.matches(set.unwrap_or(written)),
            Form::Name(name) => name.matches(written),
            Form::Arn { resource, .. } => {
                let name = Glob::new(resource.rsplit('/').next().unwrap_or(resource));
                match set {
                    Some(set) => name.matches(&format!("AWSReservedSSO_{set}_0123456789abcdef")),
                    None => name.matches(written),
                }
            }
        }
    }

    /// The account, if it is written out.
    pub fn account(&self) -> Option<&str> {
        match &self.form {
            Form::Arn { account: Account::Id(id), .. } => Some(id),
            _ => None,
        }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

/// Whether a role's path is the one that IAM Identity Center alone makes roles in.
fn is_reserved(path: &str) -> bool {
    let owner = path.strip_prefix("aws-reserved/").and_then(|rest| rest.split('/').next());
    owner.and_then(service_name) == Some("sso")
}

/// Whether `role/ci/deploy` is `role/deploy` that has lost its path.
fn has_name(pattern: &str, resource: &str) -> bool {
    let (Some((kind, path)), Some((found_kind, found))) = (pattern.split_once('/'), resource.split_once('/'))
    else {
        return false;
    };
    kind == found_kind
        && path.contains('/')
        && !found.contains(['/', '*'])
        && path.rsplit('/').next() == Some(found)
}

/// An action: `service:Name`, the service written out, `*` in the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionPattern {
    written: String,
    service: String,
    name: Glob,
}

impl ActionPattern {
    /// Reads `s3:Put*`.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        match pattern.split_once(':') {
            Some((service, name)) if !service.is_empty() && !service.contains('*') && !name.is_empty() => {
                Ok(Self {
                    written: pattern.to_owned(),
                    service: service.to_ascii_lowercase(),
                    name: Glob::new(&name.to_ascii_lowercase()),
                })
            }
            _ => Err(PatternError::NoAction),
        }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the action matches; upper and lower case don't differ, as in IAM.
    pub fn matches(&self, action: &handsoff_cloudtrail::Action<'_>) -> bool {
        self.service.eq_ignore_ascii_case(&action.service)
            && self.name.matches(&action.name.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests;
