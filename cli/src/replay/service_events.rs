//! Events that services send to EventBridge themselves, among saved ones.

use handsoff_cloudtrail::json::Raw;
use handsoff_core::Engine;
use handsoff_core::detector::{Related, ServiceEvent};

/// What detectors keep of an object, if it is such an event.
pub(super) fn related(engine: &Engine<'_>, object: Raw<'_>) -> Vec<Related> {
    let text = |key| object.get(key).and_then(Raw::text).unwrap_or_default();
    // Only AWS sends with such a source.
    if !text("source").starts_with("aws.") {
        return Vec::new();
    }
    let (kind, account, time) = (text("detail-type"), text("account"), text("time"));
    let detail = object.get("detail").unwrap_or_default();
    engine.relates_event(&ServiceEvent { kind: &kind, account: &account, time: &time, detail }).collect()
}
