//! Which session a call was made in, and which it issued: by the access key, which AWS makes, and whose it is.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Arn, Identity, Record};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The session of a role that a call was made in.
pub fn of(identity: &Identity<'_>) -> Option<u64> {
    let (role, _) = identity.assumed_role()?;
    let account = Arn::split(identity.arn.as_deref()?)?.account;
    Some(name(identity.access_key_id.as_deref()?, account, role))
}

/// The session that a call issued.
pub fn issued_by(record: &Record<'_>) -> Option<u64> {
    let key = record.response_elements.get("credentials")?.get("accessKeyId").and_then(Raw::text)?;
    let role = record.assumed_role_arn()?;
    let Arn { account, resource, .. } = Arn::split(&role)?;
    Some(name(&key, account, resource.rsplit('/').next()?))
}

fn name(key: &str, account: &str, role: &str) -> u64 {
    [account, role]
        .into_iter()
        .fold(xxh3_64(key.as_bytes()), |seed, part| xxh3_64_with_seed(part.as_bytes(), seed))
}
