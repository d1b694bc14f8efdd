//! What the policy's types need to have a JSON schema, in tests alone.

use schemars::Schema;
use serde_json::json;

/// A table needs none of its keys.
pub(super) fn nothing(schema: &mut Schema) {
    needs(schema, &[]);
}

/// A table needs an identity.
pub(super) fn identity(schema: &mut Schema) {
    needs(schema, &["identity"]);
}

/// An exception needs somebody who answers for it, a reason and an end, too.
pub(super) fn identity_and_end(schema: &mut Schema) {
    needs(schema, &["identity", "owner", "reason", "until"]);
}

/// Which keys a table needs: most that a type has, a policy may leave out.
fn needs(schema: &mut Schema, keys: &[&str]) {
    schema.remove("required");
    if !keys.is_empty() {
        schema.insert("required".into(), json!(keys));
    }
}

/// Types that a policy writes in a way of its own.
macro_rules! written {
    ($($type:ident: $schema:tt),* $(,)?) => {$(
        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!($schema)
            }
        }
    )*};
}

pub(super) use written;

pub(super) struct Duration;
pub(super) struct Day;

written! {
    Duration: {"type": "string", "description": "A duration: 30m, 1h30m, 7d."},
    Day: {"type": "string", "format": "date", "description": "A day, without quotes: 2027-01-31."},
}
