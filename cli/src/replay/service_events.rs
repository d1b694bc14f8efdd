//! Events that services send to EventBridge themselves, among saved ones.

use handsoff_cloudtrail::json::Raw;
use handsoff_core::detector::{Related, ServiceEvent};
use handsoff_core::{Disposition, Engine};

use super::tally::{Tally, class};

/// What detectors keep of an object, if it is such an event.
fn related(engine: &Engine<'_>, object: Raw<'_>) -> Vec<Related> {
    let text = |key| object.get(key).and_then(Raw::text).unwrap_or_default();
    // Only AWS sends with such a source.
    if !text("source").starts_with("aws.") {
        return Vec::new();
    }
    let (kind, account, time) = (text("detail-type"), text("account"), text("time"));
    let detail = object.get("detail").unwrap_or_default();
    engine.relates_event(&ServiceEvent { kind: &kind, account: &account, time: &time, detail }).collect()
}

impl Tally {
    /// Keeps what detectors want of an object that is such an event. Whether one wanted it.
    pub(super) fn service_event(&mut self, engine: &Engine<'_>, object: Raw<'_>) -> bool {
        let related = related(engine, object);
        let wanted = !related.is_empty();
        self.read += u64::from(wanted);
        for one in related {
            self.nothing.add(one.finding.key, class(Disposition::Service));
            self.related.add(one);
        }
        wanted
    }
}
