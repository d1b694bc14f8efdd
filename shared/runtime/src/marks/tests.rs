use handsoff_cloudtrail::Time;
use handsoff_core::{Finding, Severity};
use handsoff_testing::finding::START;

use super::*;

/// A change by hand.
fn finding(n: u64, severity: Severity) -> Finding {
    // Codes are read by name.
    handsoff_functions::detectors();
    handsoff_testing::finding::finding(handsoff_drift::codes::DRIFT_WRITE, n, severity)
}

#[test]
fn of_two_findings_on_one_event_the_worse_counts_from_when_the_first_was_known() {
    let spike = Finding { code: handsoff_deny_spike::codes::DENY_SPIKE, ..finding(1, Severity::Medium) };
    let later = Some(Time::from_timestamp(START + 50));
    for better in [
        Finding { severity: Severity::High, known: later, ..spike.clone() },
        Finding { code: handsoff_deny_spike::codes::DENY_PROBING, known: later, ..spike.clone() },
        Finding { reason: "a longer one".into(), known: later, ..spike.clone() },
    ] {
        let wanted = Finding { known: spike.known, ..better.clone() };
        for both in [[spike.clone(), better.clone()], [better.clone(), spike.clone()]] {
            let incident = incident("drift-1", both.map(Reported::from));
            assert_eq!((incident.count(), incident.lead()), (1, Some((&wanted).into())));
        }
    }
    // Probing is the worse of the two whatever they are called and however long their reasons are.
    let probing = Finding { code: handsoff_deny_spike::codes::DENY_PROBING, ..spike.clone() };
    let wordy = Finding { reason: "a longer one".into(), ..spike };
    for both in [[wordy.clone(), probing.clone()], [probing.clone(), wordy]] {
        assert_eq!(incident("drift-1", both.map(Reported::from)).lead(), Some((&probing).into()));
    }
}
