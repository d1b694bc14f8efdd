//! The way to a verdict, for `handsoff explain`.

/// One step on the way to a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was looked at: `principal`, `action`, a rule.
    pub what: &'static str,
    /// What came of it.
    pub found: String,
}

/// Takes the steps. The detectors run the same code whether they are kept or not, so that an explanation can't
/// differ from the verdict.
#[derive(Debug)]
pub struct Trace(Option<Vec<Step>>);

impl Trace {
    /// Keeps nothing: the text of a step is never made.
    pub fn off() -> Self {
        Self(None)
    }

    /// Keeps the steps.
    pub fn on() -> Self {
        Self(Some(Vec::new()))
    }

    /// Notes a step.
    pub fn step(&mut self, what: &'static str, found: impl FnOnce() -> String) {
        if let Some(steps) = &mut self.0 {
            steps.push(Step { what, found: found() });
        }
    }

    /// The steps so far.
    pub fn steps(self) -> Vec<Step> {
        self.0.unwrap_or_default()
    }
}
