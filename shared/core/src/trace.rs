//! The way to a verdict, for `handsoff explain`.

/// One step on the way to a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was looked at: `principal`, `action`, a rule.
    pub what: &'static str,
    /// What came of it.
    pub found: String,
}

/// Takes the steps. The detectors run the same code with and without one, so that an explanation can't
/// differ from the verdict; with `()` the text is never made.
pub trait Trace {
    /// Notes a step.
    fn step(&mut self, what: &'static str, found: impl FnOnce() -> String);
}

impl Trace for () {
    fn step(&mut self, _: &'static str, _: impl FnOnce() -> String) {}
}

impl Trace for Vec<Step> {
    fn step(&mut self, what: &'static str, found: impl FnOnce() -> String) {
        self.push(Step { what, found: found() });
    }
}
