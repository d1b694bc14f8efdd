//! The event patterns of the detectors' rules, filled in for a policy's names, so that a policy can be compared
//! with EventBridge's limits before it is deployed. A test compares them with the template's, letter by letter.

use super::complexity;
use super::lists::{Lists, Names, or_none};

/// How many characters EventBridge takes for one pattern, unless the account has asked for more.
pub const LONGEST: usize = 2048;

/// Whose names a pattern has: `names` of the rule in its `part.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It has none.
    None,
    /// Those of the deploy identities, `DeployRole`.
    Deploy,
    /// Those of the emergency identities, `BreakGlass`.
    BreakGlass,
}

/// A detector's rule for CloudTrail's events, as `rules` of its `part.yaml` has it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its logical ID in the template.
    pub id: &'static str,
    /// Whose names its pattern has.
    pub whose: Whose,
    /// The pattern, with the template's variables: a file of the detector's `patterns/`.
    pub pattern: &'static str,
}

impl Rule {
    /// The pattern that a stack with these names has in an account of a partition.
    pub fn filled(&self, names: &Names, partition: &str, account: &str) -> String {
        match self.whose {
            Whose::None => self.with(&Lists::default(), partition, account),
            Whose::Deploy => self.with(&names.deploy, partition, account),
            Whose::BreakGlass => self.with(&names.break_glass, partition, account),
        }
    }

    fn with(&self, lists: &Lists, partition: &str, account: &str) -> String {
        let list = |items: &[String], operator: &str| or_none(items).join(&format!(r#""}},{{"{operator}"#));
        // On one line, as CloudFormation folds it.
        let text = self.pattern.trim_end().replace('\n', " ");
        text.replace("${Names}", &list(&lists.names, r#"suffix":"/"#))
            .replace("${NamePrefixes}", &list(&lists.name_prefixes, r#"prefix":""#))
            .replace("${Wildcards}", &list(&lists.wildcards, r#"wildcard":"*/"#))
            .replace("${AnyRole}", if lists.any_role { r#",{"prefix":"arn:"}"# } else { "" })
            .replace("${AWS::Partition}", partition)
            .replace("${AWS::AccountId}", account)
    }
}

/// Why EventBridge refuses the rules of a stack with these names, in words; nothing if it doesn't.
pub fn refused(rules: &[Rule], names: &Names) -> Vec<String> {
    let refusal = |rule: &Rule| refusal(rule, &rule.filled(names, LONG_PARTITION, ACCOUNT));
    rules.iter().filter_map(refusal).collect()
}

/// Whether EventBridge accepts all rules that have names with these lists, for whichever identities the lists are.
pub(super) fn are_accepted(rules: &[Rule], lists: &Lists) -> bool {
    let mut named = rules.iter().filter(|rule| rule.whose != Whose::None);
    named.all(|rule| refusal(rule, &rule.with(lists, LONG_PARTITION, ACCOUNT)).is_none())
}

/// The partition with the longest name of those that the template can be deployed in.
const LONG_PARTITION: &str = "aws-iso-b";

/// As long as any.
const ACCOUNT: &str = "000000000000";

fn refusal(rule: &Rule, pattern: &str) -> Option<String> {
    let id = rule.id;
    if pattern.len() > LONGEST {
        let length = pattern.len();
        return Some(format!(
            "{id} has an event pattern of {length} characters, and EventBridge accepts {LONGEST}"
        ));
    }
    match complexity::complexity(pattern) {
        Ok(found) if found <= complexity::MOST => None,
        Ok(found) => {
            let most = complexity::MOST;
            Some(format!("{id} has an event pattern of complexity {found}, and EventBridge accepts {most}"))
        }
        Err(why) => Some(format!("{id} has no valid event pattern: {why}")),
    }
}
