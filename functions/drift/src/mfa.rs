//! Sessions that provably began without MFA.

use handsoff_cloudtrail::partition::is_sign_in;
use handsoff_core::{Call, Kind};

/// Whether a person made a call in a session of an IAM user that AWS says began without MFA: from the console, or with the
/// temporary credentials of `GetSessionToken` (`mfaAuthenticated`: CloudTrail user guide, "CloudTrail userIdentity element").
///
/// Of a role's session "false" proves nothing: the person may have shown MFA where they came from. Nor does it of a call
/// that a service makes with its caller's rights, which says so for a key that doesn't end as well; such a key has no
/// session.
pub(crate) fn is_absent(call: &Call<'_>) -> bool {
    let identity = &call.principal.identity;
    let is_key = || identity.long_lived_key().is_some();
    let by_a_service = || identity.invoked_by.as_deref().is_some_and(|by| !is_sign_in(by));
    call.principal.kind == Kind::Human
        && call.mfa() == Some(false)
        && !by_a_service()
        && (call.is_from_console() || !is_key())
}
