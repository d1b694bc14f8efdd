//! What `[images]` warns about.

use handsoff_core::policy::Policy;
use handsoff_core::show::clean;

/// Entries of `approved` that match nothing, or everything.
pub(super) fn warnings(policy: &Policy) -> Vec<String> {
    let Some(images) = &policy.images else { return Vec::new() };
    if images.approved.is_empty() {
        return vec![format!("{}: `approved` lists no image, so each launch is reported", images.line)];
    }
    let warned = images.approved.iter().filter_map(|pattern| {
        let why = if pattern.is_of_none() {
            "matches no image: an ID is `ami-` and 8 or 17 hexadecimal digits in lower case"
        } else if pattern.is_of_all() {
            "matches every image, or every parameter that anybody may write"
        } else {
            return None;
        };
        Some(format!("{}: `{}` of `approved` {why}", images.line, clean(pattern.as_str(), 128)))
    });
    warned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(lines: &str) -> Vec<String> {
        warnings(&Policy::parse("p", lines).unwrap())
    }

    #[test]
    fn an_entry_that_matches_nothing_or_everything_is_a_warning() {
        let none: Vec<String> = Vec::new();
        assert_eq!(warned(""), none);
        assert_eq!(
            warned("[images]\napproved = ['ami-0aaaabbbbccccdddd', 'ami-0a*', 'ssm:/aws/service/*']"),
            none
        );
        assert_eq!(
            warned("[images]\napproved = ['ami-0AAAABBBBCCCCDDDD', 'ami-*', 'ssm:*']"),
            [
                "p:1 [images]: `ami-0AAAABBBBCCCCDDDD` of `approved` matches no image: an ID is `ami-` and 8 or 17 hexadecimal digits in lower case",
                "p:1 [images]: `ami-*` of `approved` matches every image, or every parameter that anybody may write",
                "p:1 [images]: `ssm:*` of `approved` matches every image, or every parameter that anybody may write",
            ]
        );
        assert_eq!(
            warned("[images]"),
            ["p:1 [images]: `approved` lists no image, so each launch is reported"]
        );
    }
}
