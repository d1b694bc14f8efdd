//! Session tags that the sessions of a deploy role have to have: `session_tags`.

use handsoff_cloudtrail::Record;
use std::borrow::Cow;

use handsoff_cloudtrail::json::Raw;

use super::Glob;

/// `session_tags` of a `[[deploy]]` entry: the values that each tag may have.
///
/// Keys aren't case sensitive, as in STS, and values are ("Pass session tags in AWS STS" of the IAM user guide). Who assumes a role
/// chooses the tags, unless its trust policy demands them (`aws:RequestTag`): a tag refutes, and proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionTags(Vec<(String, Vec<Glob>)>);

/// What is wrong with the tags of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WrongTag<'t> {
    /// It lacks a tag.
    Missing(&'t str),
    /// A tag has a value that isn't listed: the key, and the value.
    Value(&'t str, String),
}

impl SessionTags {
    /// Adds a tag; `false` if there is one of this key.
    pub fn add(&mut self, key: &str, values: Vec<Glob>) -> bool {
        let is_new = !self.0.iter().any(|(known, _)| is_same_key(known, key));
        if is_new {
            self.0.push((key.to_owned(), values));
        }
        is_new
    }

    /// Whether none is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with the tags of the session that a call asks for, as far as its record shows them.
    pub(crate) fn wrong(&self, record: &Record<'_>) -> Option<WrongTag<'_>> {
        if self.is_empty() {
            return None;
        }
        let passed = passed(record.request_parameters)?;
        self.0.iter().find_map(|(key, values)| {
            let mut own = passed.iter().filter(|(passed, _)| is_same_key(passed, key)).peekable();
            if own.peek().is_none() {
                return Some(WrongTag::Missing(key));
            }
            let fits = |value: &str| values.iter().any(|glob| glob.matches(value));
            let other = own.find_map(|(_, value)| value.as_deref().filter(|value| !fits(value)));
            other.map(|value| WrongTag::Value(key, value.to_owned()))
        })
    }
}

fn is_same_key(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// A tag of a record: its key, and its value if that is a text.
type Passed = (String, Option<String>);

/// The session tags of a call that assumes a role; `None` if the record doesn't show what was passed.
///
/// `AssumeRole` has those that it passes as a list, and as an object those that are inherited from the caller's session; the calls
/// with SAML or a web identity have as an object what the provider passed ("Pass session tags in AWS STS", "Viewing session tags
/// in CloudTrail"). Without tags a request has neither. Those of the role itself aren't in a record.
fn passed(asked: Raw<'_>) -> Option<Vec<Passed>> {
    // Parameters that were left out, as those over 100 KB, show nothing.
    asked.get("roleArn").and_then(Raw::text)?;
    let mut tags = Vec::new();
    for name in ["tags", "incomingTransitiveTags", "principalTags"] {
        match asked.get(name) {
            None => {}
            Some(list) if list.is_array() => {
                for tag in list.elements().flatten() {
                    let field = |name: &str| tag.get(name).and_then(Raw::text);
                    tags.push((
                        field("key")?.into_owned(),
                        Some(field("value").unwrap_or_default().into_owned()),
                    ));
                }
            }
            Some(object) if object.is_object() => {
                for (key, value) in object.members().flatten() {
                    tags.push((key.into_owned(), value.text().map(Cow::into_owned)));
                }
            }
            Some(other) if other.is_absent() => {}
            // A word in its place, as CloudTrail writes for what it hides.
            Some(_) => return None,
        }
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use handsoff_cloudtrail::Entry;

    use super::*;

    /// What is wrong with these parameters, where team has to be payments and repo one of two.
    fn wrong(parameters: &str) -> Option<(String, String)> {
        let mut tags = SessionTags::default();
        assert!(tags.add("team", vec![Glob::new("payments")]));
        assert!(tags.add("Repo", vec![Glob::new("orders"), Glob::new("infra-*")]));
        assert!(!tags.add("TEAM", vec![Glob::new("*")]), "the same key");
        let json = format!(r#"{{"eventSource":"sts.amazonaws.com","requestParameters":{parameters}}}"#);
        let Ok((Entry::Record(record), _)) = Record::read(&json) else { panic!("no record: {json}") };
        tags.wrong(&record).map(|wrong| match wrong {
            WrongTag::Missing(key) => (key.to_owned(), "-".to_owned()),
            WrongTag::Value(key, value) => (key.to_owned(), value),
        })
    }

    fn with(rest: &str) -> String {
        format!(r#"{{"roleArn":"arn:aws:iam::1:role/x","roleSessionName":"a"{rest}}}"#)
    }

    fn tag(key: &str, value: &str) -> String {
        format!(r#"{{"key":"{key}","value":"{value}"}}"#)
    }

    #[test]
    fn the_tags_of_each_way_to_assume_a_role_are_compared() {
        let list = format!("{},{},{}", tag("team", "payments"), tag("repo", "infra-2"), tag("more", "x"));
        for right in [
            format!(r#","tags":[{list}],"transitiveTagKeys":["team"]"#),
            r#","principalTags":{"team":"payments","repo":"orders"},"transitiveTagKeys":["team"]"#.to_owned(),
            format!(r#","incomingTransitiveTags":{{"Team":"payments"}},"tags":[{}]"#, tag("REPO", "orders")),
        ] {
            assert_eq!(wrong(&with(&right)), None, "{right}");
        }
    }

    #[test]
    fn a_tag_that_is_missing_or_has_another_value_is_wrong() {
        let is = |key: &str, value: &str| Some((key.to_owned(), value.to_owned()));
        for (parameters, expected) in [
            (String::new(), is("team", "-")),
            (r#","tags":[]"#.to_owned(), is("team", "-")),
            (r#","principalTags":null"#.to_owned(), is("team", "-")),
            (format!(r#","tags":[{}]"#, tag("team", "payments")), is("Repo", "-")),
            (format!(r#","tags":[{}]"#, tag("team", "Payments")), is("team", "Payments")),
            (format!(r#","tags":[{}]"#, tag("team", "")), is("team", "")),
            (r#","tags":[{"key":"team"}]"#.to_owned(), is("team", "")),
            (r#","principalTags":{"team":"payments","repo":"infra"}"#.to_owned(), is("Repo", "infra")),
            (r#","principalTags":{"team":["ops"]}"#.to_owned(), is("Repo", "-")),
            // Any of several, as no call of STS's has.
            (format!(r#","tags":[{},{}]"#, tag("team", "payments"), tag("Team", "ops")), is("team", "ops")),
            (
                format!(r#","incomingTransitiveTags":{{"team":"ops"}},"tags":[{}]"#, tag("team", "payments")),
                is("team", "ops"),
            ),
        ] {
            assert_eq!(wrong(&with(&parameters)), expected, "{parameters}");
        }
    }

    #[test]
    fn what_a_record_leaves_out_or_hides_shows_nothing() {
        let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
        for parameters in [
            "null".to_owned(),
            "{}".to_owned(),
            format!("\"{hidden}\""),
            with(&format!(r#","tags":"{hidden}""#)),
            with(&format!(r#","principalTags":"{hidden}""#)),
            with(r#","tags":[7]"#),
            with(r#","principalTags":{"team":["ops"],"repo":{}}"#),
        ] {
            assert_eq!(wrong(&parameters), None, "{parameters}");
        }
    }
}
