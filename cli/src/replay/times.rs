//! Times that are text still.

/// Whether it has the form of `2026-11-22T05:38:00Z`, and a month, day and hour that there are.
pub(super) fn looks_like_time(text: &str) -> bool {
    const FORM: &[u8; 20] = b"0000-19-39T29:59:69Z";
    // Each digit of the form is the highest that may stand there.
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(found, form)| {
            if form.is_ascii_digit() {
                found.is_ascii_digit() && (*form == b'0' || found <= *form)
            } else {
                found == *form
            }
        })
}
