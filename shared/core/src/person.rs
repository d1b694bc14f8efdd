//! Whether two names are the same person's.
//!
//! Approvals and reviews come from ticket systems and people, records from AWS, and each writes names its own way. There
//! are two questions, and each errs on the safe side: who *is* somebody, to be let through, and who *may be*
//! somebody, to be suspected.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// Whether two names are one person's beyond doubt: the same but for blanks around them and the case of `A` to `Z`, or
/// one is the ARN of the other. No letter that only looks like another is the same.
pub fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    // Of two ARNs the account counts, and of a session the role.
    let name = |text| if is_arn(one) && is_arn(other) { text } else { name_in_arn(text).unwrap_or(text) };
    !one.is_empty() && name(one).eq_ignore_ascii_case(name(other))
}

/// Whether two names may be one person's: also by what stands before the `@` and a `+`, by the last part of any ARN,
/// without accents, dots and what can't be seen, and with letters that look alike. Enough to suspect, never to let through.
pub fn may_be(one: &str, other: &str) -> bool {
    let (one, other) = (forms(one), forms(other));
    one.iter().any(|form| !form.is_empty() && other.contains(form))
}

/// The name of the root user, which no record says the person of.
pub const ROOT: &str = "root";

/// Whether an identity, as a case names it, is an account's root user.
pub fn is_root(identity: &str) -> bool {
    identity == ROOT || identity.ends_with(":root") || identity.starts_with("root of ")
}

/// The forms of a name under which it is filed, for [`asked`] to find.
pub fn filed(name: &str) -> [String; 2] {
    let name = name.trim();
    let form = |kind: &str, name: &str| format!("{kind} {}", name.to_ascii_lowercase());
    let plain = name_in_arn(name).unwrap_or(name);
    // Of two ARNs the account counts: only another name finds an ARN by the name in it.
    let own = if is_arn(name) { form("arn", name) } else { form("bare", plain) };
    [own, form("any", plain)]
}

/// The forms of a name to look under: exactly one of them is among those of a name that [`is_same`], none among
/// those of any other.
pub fn asked(name: &str) -> Vec<String> {
    let name = name.trim();
    let form = |kind: &str, name: &str| format!("{kind} {}", name.to_ascii_lowercase());
    match (name, is_arn(name)) {
        ("", _) => Vec::new(),
        (arn, true) => vec![form("arn", arn), form("bare", name_in_arn(arn).unwrap_or(arn))],
        (name, false) => vec![form("any", name)],
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

/// The name in the ARN of a user, or of a session of IAM Identity Center. Of any other role's session whoever takes the
/// role on chooses the name.
fn name_in_arn(text: &str) -> Option<&str> {
    let arn = handsoff_cloudtrail::Arn::split(text)?;
    match (arn.service, arn.resource.split_once('/')?) {
        ("iam", ("user", path)) => path.rsplit('/').next(),
        ("sts", ("assumed-role", session)) => {
            let (role, name) = session.split_once('/')?;
            handsoff_cloudtrail::permission_set_of(role).map(|_| name)
        }
        _ => None,
    }
}

/// A name as it may be meant. Two forms, for a capital `I` is an `i` to whoever types and an `l` to whoever reads.
fn forms(name: &str) -> [String; 2] {
    let plain = plain(&visible(name));
    let local = local_part(&plain);
    let typed: String = skeleton(&local.to_lowercase()).collect();
    let read: String = skeleton(local).collect();
    [typed, read].map(|form| {
        let form = form.to_lowercase();
        let letters: String = form.chars().filter(|char| char.is_alphanumeric()).collect();
        // Who is called by signs alone is that.
        if letters.is_empty() { form } else { letters }
    })
}

/// Without accents, and with the plain letter for each that only looks like one. ASCII stays as it is.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for char in name.trim().nfkd().filter(|char| !is_combining_mark(*char)) {
        if char.is_ascii() {
            plain.push(char);
        } else {
            plain.extend(skeleton(char.encode_utf8(&mut [0; 4])));
        }
    }
    plain
}

/// Without what [`crate::show::clean`] made visible: `\u{200b}`.
fn visible(name: &str) -> String {
    let mut parts = name.split("\\u{");
    let mut seen = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((code, rest)) if code.bytes().all(|byte| byte.is_ascii_hexdigit()) => seen += rest,
            _ => {
                seen += "\\u{";
                seen += part;
            }
        }
    }
    seen
}

/// `jdoe` of `jdoe+x@example.com`, of `DOMAIN\jdoe`, and of `arn:aws:sts::1:assumed-role/x/jdoe@example.com`.
fn local_part(name: &str) -> &str {
    let last =
        if is_arn(&name.to_lowercase()) { name.rsplit([':', '/']).next() } else { name.rsplit('\\').next() };
    let last = last.unwrap_or(name);
    let parts = [last.split('@').next().unwrap_or_default(), last];
    let local = parts.into_iter().find(|part| !part.is_empty()).unwrap_or_default();
    match local.split_once('+') {
        Some((before, _)) if !before.is_empty() => before,
        _ => local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str =
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_X_0123456789abcdef/jdoe@example.com";

    #[test]
    fn who_may_be_somebody_is_suspected() {
        for (one, other) in [
            ("j.doe+x@example.com", "jdoe@example.com"),
            ("J.Doe@Example.COM", "jdoe"),
            ("jdoe@example.com", "jdoe@other.example"),
            (SESSION, "jdoe"),
            (SESSION, "j.doe+approver@example.com"),
            ("arn:aws-cn:iam::111122223333:user/ops/jdoe", "JDOE"),
            ("arn:aws:sts::111122223333:assumed-role/any/jdoe", "jdoe"),
            ("CORP\\jdoe", "jdoe"),
            // Cyrillic о and ԁ, full-width letters and signs, mathematical ones, accents.
            ("jd\u{43e}e", "jdoe"),
            ("j\u{501}oe@example.com", "jdoe"),
            ("\u{ff4a}\u{ff44}\u{ff4f}\u{ff45}\u{ff0b}x\u{ff20}example.com", "jdoe"),
            ("\u{1d42c}\u{1d42e}\u{1d41e}", "sue"),
            ("jd\u{f6}e", "jdoe"),
            // A capital Cyrillic Н, whose small letter looks like none of ours.
            ("JO\u{41d}N DOI", "john doi"),
            // What can't be seen, as it is and as it is shown.
            ("j\u{200b}doe", "jdoe"),
            ("j\\u{200b}doe", "jdoe"),
            ("jd\u{ad}oe", "jdoe"),
            // Capital I for l, one for l, nought for o.
            ("aIice", "alice"),
            ("a1ice", "alice"),
            ("ALICE", "alice"),
            ("jd0e", "jdoe"),
            ("@@", "@@"),
        ] {
            assert!(
                may_be(one, other) && may_be(other, one),
                "{one} {other} {:?} {:?}",
                forms(one),
                forms(other)
            );
        }
    }

    #[test]
    fn others_are_not_suspected() {
        for (one, other) in [
            ("alice", "bob"),
            ("jdoe@example.com", "jroe@example.com"),
            ("jdoe", "jdoe2"),
            (SESSION, "example"),
            ("", ""),
            (" ", "@"),
            ("\u{200b}", ""),
            ("日本", "太郎"),
        ] {
            assert!(!may_be(one, other), "{one} {other} {:?}", forms(one));
        }
    }

    #[test]
    fn who_is_let_through_is_beyond_doubt() {
        for (one, other) in [
            (" Mira.Okafor ", "mira.okafor"),
            ("arn:aws:iam::111122223333:user/ops/mira", "mira"),
            ("arn:aws-us-gov:iam::111122223333:user/mira", "Mira"),
            (SESSION, "jdoe@example.com"),
            (SESSION, SESSION),
        ] {
            assert!(is_same(one, other) && is_same(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("mira+x@example.com", "mira@example.com"),
            ("mira@example.com", "mira"),
            ("m.ira", "mira"),
            ("m\u{456}ra", "mira"),
            // The Kelvin sign is a k in lower case, to everybody but IAM.
            ("\u{212a}ira", "kira"),
            ("\u{ff4d}ira", "mira"),
            ("m\u{200b}ira", "mira"),
            // Whoever takes a role on chooses the session's name.
            ("arn:aws:sts::111122223333:assumed-role/any/mira", "mira"),
            ("arn:aws:iam::111122223333:role/mira", "mira"),
            ("arn:aws:iam::111122223333:user/mira", "arn:aws:iam::999999999999:user/mira"),
            ("", ""),
        ] {
            assert!(!is_same(one, other) && !is_same(other, one), "{one} {other}");
        }
    }
}
