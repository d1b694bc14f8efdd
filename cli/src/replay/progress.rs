//! A progress bar on a terminal; nothing in a pipe.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::Source;

/// How far the reading has come.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(sources: &[Source]) -> Self {
        let total: u64 = sources.iter().map(Source::size).sum();
        // Draws nothing when standard error isn't a terminal.
        let bar = ProgressBar::with_draw_target(
            (total > 0).then_some(total),
            ProgressDrawTarget::stderr_with_hz(8),
        );
        let style = "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(if total > 0 { style } else { "{spinner} {bytes}" }) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
