//! Who may come in: the trust of roles, and providers of identities.

use handsoff_cloudtrail::Action;

/// Whether a call changes who may assume a role, or whose identities the account takes ("IAM API Reference"; "IAM Roles Anywhere
/// API Reference"). To make a role is another thing: nothing has its rights yet.
pub(crate) fn is_changed_by(action: &Action<'_>) -> bool {
    let name = &*action.name;
    match &*action.service {
        "iam" => {
            let provider = name.contains("OpenIDConnectProvider") || name.ends_with("SAMLProvider");
            let takes_away = name.starts_with("Delete") || name.starts_with("Remove") || name.contains("Tag");
            name == "UpdateAssumeRolePolicy" || (provider && !takes_away)
        }
        "rolesanywhere" => matches!(name, "CreateTrustAnchor" | "EnableTrustAnchor" | "UpdateTrustAnchor"),
        _ => false,
    }
}
