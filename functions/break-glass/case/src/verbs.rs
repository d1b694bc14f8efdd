//! What the names of actions say of making and removing. AWS promises nothing of the kind; nearly all of them keep to it.

/// Verbs that make something.
pub(crate) const MAKERS: [&str; 12] = [
    "Create",
    "Run",
    "Allocate",
    "Register",
    "Import",
    "Request",
    "Put",
    "Attach",
    "Add",
    "Authorize",
    "Launch",
    "Upload",
];
/// Verbs that remove something.
pub(crate) const REMOVERS: [&str; 10] = [
    "Delete",
    "Terminate",
    "Release",
    "Deregister",
    "Cancel",
    "Detach",
    "Remove",
    "Revoke",
    "Disassociate",
    "BatchDelete",
];

/// What an action is about, if it starts with one of these verbs: singular, so that `RunInstances` meets
/// `TerminateInstances`, and `CreateTags` `DeleteTags`.
pub(crate) fn noun<'n>(name: &'n str, verbs: &[&str]) -> Option<&'n str> {
    let rest = verbs.iter().find_map(|verb| name.strip_prefix(verb))?;
    Some(rest.strip_suffix('s').unwrap_or(rest))
}

/// Whether an action makes something, by its name.
pub(crate) fn makes(name: &str) -> bool {
    noun(name, &MAKERS).is_some()
}
