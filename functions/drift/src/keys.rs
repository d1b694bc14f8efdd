//! Credentials without an end: who has one can come back until somebody takes it away.

use handsoff_cloudtrail::json::Raw;
use handsoff_core::Call;

/// What a call made, if it is a credential of an IAM user that doesn't end by itself ("IAM API Reference"; "AWS security
/// credentials", IAM user guide).
pub(crate) fn made(call: &Call<'_>) -> Option<&'static str> {
    if call.action.service != "iam" {
        return None;
    }
    // Of service-specific credentials only those of Bedrock can have one.
    let ends = || call.record.request_parameters.get("credentialAgeDays").and_then(Raw::text).is_some();
    Some(match &*call.action.name {
        "CreateAccessKey" => "an access key of an IAM user",
        "CreateLoginProfile" => "a console password of an IAM user",
        "CreateServiceSpecificCredential" if !ends() => "an IAM user's credential for a service",
        "UploadSSHPublicKey" => "an IAM user's SSH key for CodeCommit",
        "UploadSigningCertificate" => "an IAM user's signing certificate",
        _ => return None,
    })
}
