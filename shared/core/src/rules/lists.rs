//! The lists of names that event patterns have, as the template's parameters carry them.

/// One parameter of the template for each list, for the break-glass or the deploy identities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Names of roles and users, whatever their path.
    pub names: Vec<String>,
    /// How names of roles and users begin, whatever their path.
    pub name_prefixes: Vec<String>,
    /// The ends of ARNs, path and name, with `*` for any characters.
    pub wildcards: Vec<String>,
    /// Whether the rules let through who assumes any role, because the roles can't be named here.
    pub any_role: bool,
}

/// An empty list's only item: no name is so, and a parameter can't be empty.
const NONE: &str = "/";

/// A list's items for a parameter or a pattern.
pub(super) fn or_none(items: &[String]) -> Vec<&str> {
    if items.is_empty() { vec![NONE] } else { items.iter().map(String::as_str).collect() }
}

/// The lists for the rules' patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The template's parameters that begin with `BreakGlass`.
    pub break_glass: Lists,
    /// The template's parameters that begin with `DeployRole`.
    pub deploy: Lists,
}

impl Names {
    /// Reads the template's parameters, as `NAME=VALUE;NAME=VALUE`. What is missing is empty.
    pub fn parse(parameters: &str) -> Self {
        let value = |wanted: String| {
            let pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().to_owned()).next()
        };
        let lists = |whose: &str| Lists::of(|name| value(format!("{whose}{name}")).unwrap_or_default());
        Self { break_glass: lists("BreakGlass"), deploy: lists("DeployRole") }
    }

    /// The template's parameters and their values.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let both = [("BreakGlass", &self.break_glass), ("DeployRole", &self.deploy)];
        both.into_iter().flat_map(|(whose, lists)| lists.parameters(whose)).collect()
    }
}

impl Lists {
    fn of(parameter: impl Fn(&str) -> String) -> Self {
        let list = |name: &str| {
            let items = parameter(name);
            let items = items.split(',').map(str::trim).filter(|item| !item.is_empty() && *item != NONE);
            items.map(str::to_owned).collect()
        };
        Self {
            names: list("Names"),
            name_prefixes: list("NamePrefixes"),
            wildcards: list("Wildcards"),
            any_role: parameter("AnyAssumed") == "yes",
        }
    }

    fn parameters(&self, whose: &str) -> [(String, String); 4] {
        let list = |items: &[String]| or_none(items).join(",");
        let any = if self.any_role { "yes" } else { "no" };
        [
            (format!("{whose}Names"), list(&self.names)),
            (format!("{whose}NamePrefixes"), list(&self.name_prefixes)),
            (format!("{whose}Wildcards"), list(&self.wildcards)),
            (format!("{whose}AnyAssumed"), any.to_owned()),
        ]
    }

    /// What these let through beyond what the identities mean, in words, and so costs messages; nothing if that is
    /// little.
    pub fn coarse(&self) -> Option<&'static str> {
        if self.wildcards.iter().any(|wildcard| wildcard == "*") {
            return Some("all calls of all roles and users, reads too");
        }
        self.any_role.then_some("who assumes any role, services too")
    }
}
