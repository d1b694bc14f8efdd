use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::Trace;
use handsoff_core::Verdict;
use handsoff_core::origins::Origins;

/// A record is judged without a panic; what the fast path says is what would be judged; and to have it explained changes
/// nothing.
pub fn record(data: &[u8]) -> usize {
    let Ok(text) = std::str::from_utf8(data) else { return 0 };
    let Ok((Entry::Record(record), end)) = Record::read(text) else { return 0 };
    assert!(text.get(..end).is_some_and(|own| own.ends_with('}')), "a record ends inside something");
    let policy = crate::sample_policy();
    let engine = handsoff_functions::engine(&policy);
    let call = engine.classify(record, &Origins::default(), &mut Trace::off());
    let verdict = engine.judge(&call, &mut Trace::off());
    if let Some(known) = engine.fast_path().disposition(&record) {
        assert!(
            matches!(verdict, Verdict::Nothing(judged) if judged == known),
            "by the fast path {known}, judged as {verdict:?}"
        );
    }
    let mut trace = Trace::on();
    let call = engine.classify(record, &Origins::default(), &mut trace);
    let explained = engine.judge(&call, &mut trace);
    assert_eq!(format!("{verdict:?}"), format!("{explained:?}"), "explained otherwise than judged");
    assert!(!trace.steps().is_empty(), "explained by nothing");
    1
}
