//! What a sweep works with.

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::policy::Line;
use handsoff_core::{Detectors, Policy};
use handsoff_runtime::{Lease, Metric, Report, Telling};

/// How the sweep is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account that it runs in: messages about what no record tells name it.
    pub account: String,
    /// The detectors: they judge what CloudTrail is asked for.
    pub detectors: Detectors,
    /// After how long each the canary is written, and the subscriptions are compared: whole minutes.
    pub canary_every: TimeDelta,
    /// Entries of the policy that the rules' event patterns don't let through.
    pub out_of_step: Vec<Line>,
    /// After how long an alert counts as not sent.
    pub lease: Lease,
    /// Regions in which CloudTrail is asked for a session's calls, beside those that it is known to have called and
    /// its partition's global one.
    pub lookup_regions: Vec<String>,
}

/// What a sweep works with.
pub(crate) struct Sweep<'s, W> {
    pub(crate) world: &'s W,
    pub(crate) policy: &'s Policy,
    pub(crate) settings: &'s Settings,
    pub(crate) now: Time,
    /// After how long a session is looked at again, though nothing came.
    pub(crate) pause: TimeDelta,
}

impl<W> Sweep<'_, W> {
    /// How messages are sent.
    pub(crate) fn telling<'t, N>(&'t self, notes: &'t N) -> Telling<'t, N> {
        Telling { policy: &self.policy.alerts, lease: self.settings.lease, notes }
    }
}

/// Whether a text is a Region's name: it becomes part of a host's.
pub(crate) fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}

/// Adds what there is of something. Nothing isn't added: a metric is billed for each hour in which it gets a value, and
/// to the alarms no value is as good as zero.
pub(crate) fn add(report: &mut Report, metric: Metric, count: usize) {
    if count > 0 {
        add_also_zero(report, metric, count);
    }
}

/// Adds a number of which zero is what matters.
pub(crate) fn add_also_zero(report: &mut Report, metric: Metric, count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "counts of what one sweep has seen")]
    report.add(metric, count as f64);
}
