//! The mistakes in a policy, each with its line and what is wrong in it.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use handsoff_core::policy::PolicyError;
use handsoff_core::show::clean;

/// So many characters of a line are shown on either side of what is wrong, and of that.
const LONGEST: usize = 60;

/// The mistakes, ready to be printed. The head line of each is `error: FILE:LINE:COLUMN: MESSAGE`, which editors find.
pub(crate) fn mistakes(text: &str, errors: &[PolicyError]) -> String {
    errors.iter().map(|error| mistake(text, error)).collect()
}

fn mistake(text: &str, error: &PolicyError) -> String {
    let PolicyError { file, line, column, message, .. } = error;
    let title = Level::ERROR.primary_title(format!("{file}:{line}:{column}: {message}"));
    let [before, wrong, after] = line_of(text, error);
    let span = before.len()..before.len() + wrong.len();
    let annotation = AnnotationKind::Primary.span(span).label(error.hint());
    let snippet = Snippet::source(format!("{before}{wrong}{after}")).line_start(*line).annotation(annotation);
    let renderer = Renderer::plain().decor_style(DecorStyle::Ascii);
    format!("{}\n", renderer.render(&[title.element(snippet)]))
}

/// The line of a mistake: before it, the mistake itself as far as it is on the line, and after it. A policy may come
/// from somebody's pull request, so the line is made harmless, and short.
fn line_of(text: &str, error: &PolicyError) -> [String; 3] {
    let start = error.span.start.min(text.len());
    let (before, rest) = text.split_at_checked(start).unwrap_or((text, ""));
    let before = before.rsplit('\n').next().unwrap_or_default();
    let rest = rest.lines().next().unwrap_or_default();
    let (wrong, after) = rest.split_at_checked(error.span.len()).unwrap_or((rest, ""));
    let cut = before.char_indices().rev().nth(LONGEST - 1).map_or(0, |(at, _)| at);
    let shown = before.get(cut..).unwrap_or_default();
    let dots = if cut > 0 { "…" } else { "" };
    // A tab would be as wide as the terminal likes.
    let harmless = |text: &str| clean(&text.replace('\t', "    "), LONGEST);
    [format!("{dots}{}", harmless(shown)), harmless(wrong), harmless(after)]
}

#[cfg(test)]
mod tests {
    use handsoff_core::Policy;

    use super::*;

    fn reported(text: &str) -> String {
        mistakes(text, &Policy::parse("p.toml", text).unwrap_err())
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        insta::assert_snapshot!(reported("[denials]\nwindw = \"5m\"\ncount = \"ä\"  # twenty\n[alerts\n"), @r#"
        error: p.toml:2:1: unknown key `windw` in [denials]: it has window, count, actions, targets, principals, sign_ins, daily_actions, daily_targets, daily_count, codes, guardrails
          |
        2 | windw = "5m"
          | ^^^^^ did you mean `window`?
        error: p.toml:3:9: `count` should be a whole number above 0
          |
        3 | count = "ä"  # twenty
          |         ^^^
        error: p.toml:4:8: unclosed table, expected `]`
          |
        4 | [alerts
          |        ^
        "#);
    }

    /// An emoji is wide, a tab as wide as it likes, and a line as long as its writer wants.
    #[test]
    fn a_mistake_is_shown_where_it_is_on_any_line() {
        let long = "\"111122223333\", ".repeat(20);
        insta::assert_snapshot!(reported(&format!("[cases]\napprovals_from = [{long}\"x\", {long}]")), @r#"
        error: p.toml:2:339: `x`: an account's ID has twelve digits
          |
        2 | …122223333", "111122223333", "111122223333", "111122223333", "x", "111122223333", "111122223333", "111122223333", "111122223…
          |                                                              ^^^
        "#);
        insta::assert_snapshot!(reported("[cases]\napprovers = [\t\"日本\", \"*\u{202e}\"]"), @r#"
        error: p.toml:2:21: `*\u{202e}`: write a person's name, in at most 256 printable characters
          |
        2 | approvers = [    "日本", "*\u{202e}"]
          |                          ^^^^^^^^^^^
        "#);
    }

    #[test]
    fn a_text_that_ends_early_or_is_no_toml_at_all_is_shown() {
        for text in [
            "[[deploy]]",
            "=",
            "a",
            "\u{0}",
            "[denials]\nwindow =",
            "\n\n[[deploy]]\nidentity = \"\"\"\n",
            "'",
        ] {
            let told = reported(text);
            assert!(told.starts_with("error: p.toml:") && told.contains('^'), "{text:?}: {told}");
            assert!(!told.chars().any(|char| char.is_control() && char != '\n'), "{told:?}");
        }
    }
}
