//! The same records for several policies: each judges all, and they are read once.

use handsoff_cloudtrail::Record;
use handsoff_cloudtrail::json::Raw;

use crate::input::{Place, Position, Sink};

/// Hands all that is found to each of several.
pub(super) struct Each<S>(pub(super) Vec<S>);

impl<S: Sink> Sink for Each<S> {
    fn record(&mut self, record: &Record<'_>, place: &Place<'_>) {
        self.0.iter_mut().for_each(|sink| sink.record(record, place));
    }

    fn other(&mut self, object: Raw<'_>, place: &Place<'_>) -> bool {
        // Each keeps what it is given, so none is left out.
        self.0.iter_mut().map(|sink| sink.other(object, place)).fold(false, std::ops::BitOr::bitor)
    }

    fn known(&mut self) {
        self.0.iter_mut().for_each(Sink::known);
    }

    // Is said once: it has nothing to do with a policy.
    fn incomplete(&mut self, place: &Place<'_>) {
        if let Some(sink) = self.0.first_mut() {
            sink.incomplete(place);
        }
    }

    fn problem(&mut self, position: Option<Position>, message: String) {
        self.0.iter_mut().for_each(|sink| sink.problem(position, message.clone()));
    }

    fn failed(&mut self, position: Option<Position>, message: String) {
        self.0.iter_mut().for_each(|sink| sink.failed(position, message.clone()));
    }
}
