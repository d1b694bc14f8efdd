use super::*;

fn push(references: &str, transferred: bool) -> String {
    format!(
        r#","requestParameters":{references},"additionalEventData":{{"protocol":"HTTP","dataTransferred":{transferred},
        "repositoryName":"orders"}}"#
    )
}

fn pushed(references: &str) -> (String, Severity) {
    let found = verdict_by(POLICY, &alice(), "codecommit:GitPush", &push(references, true));
    found.map_or_else(|why| (why, Severity::Info), |it| (it.code.to_string(), it.severity))
}

#[test]
fn a_push_to_a_protected_branch_is_high_whichever_of_its_references_it_is() {
    let high = is(codes::DIRECT_PUSH, Severity::High);
    assert_eq!(pushed(r#"{"references":[{"commit":"1","ref":"refs/heads/main"}]}"#), high);
    let several =
        r#"{"references":[{"commit":"1","ref":"refs/heads/x"},{"commit":"2","ref":"refs/heads/release/7"}]}"#;
    assert_eq!(pushed(several), high);
    // What CloudTrail left out may be that branch.
    for unknown in ["null", "{}"] {
        assert_eq!(pushed(unknown), high, "{unknown}");
    }
}

#[test]
fn other_branches_and_tags_are_pushed_to_as_before() {
    for reference in ["refs/heads/mainline", "refs/tags/main", "refs/heads/x/main"] {
        let references = format!(r#"{{"references":[{{"commit":"1","ref":"{reference}"}}]}}"#);
        assert_eq!(pushed(&references).0, "drift-write", "{reference}");
    }
    let asked = push("null", false);
    assert_eq!(
        verdict_by(POLICY, &alice(), "codecommit:GitPush", &asked).unwrap().code.as_str(),
        "drift-write"
    );
    let main = push(r#"{"references":[{"ref":"refs/heads/main"}]}"#, true);
    let none = POLICY.replace("protected_branches", "# protected_branches");
    assert_eq!(
        verdict_by(&none, &alice(), "codecommit:GitPush", &main).unwrap().code.as_str(),
        "drift-write"
    );
}

#[test]
fn every_way_to_write_to_a_branch_counts_and_a_pull_request_is_the_way_that_is_meant() {
    let asked = r#"{"branchName":"main","targetBranch":"main","destinationCommitSpecifier":"x"}"#;
    for name in [
        "CreateCommit",
        "PutFile",
        "DeleteFile",
        "DeleteBranch",
        "CreateBranch",
        "MergeBranchesByFastForward",
        "MergeBranchesBySquash",
        "MergeBranchesByThreeWay",
    ] {
        let action = format!("codecommit:{name}");
        assert_eq!(says(&alice(), &action, asked), is(codes::DIRECT_PUSH, Severity::High), "{name}");
        assert_eq!(says(&deploy(), &action, asked), is(codes::DIRECT_PUSH, Severity::Medium), "{name}");
        let other = asked.replace("main", "x");
        assert_eq!(says(&deploy(), &action, &other), nothing("expected"), "{name}");
    }
    let without_target = r#"{"destinationCommitSpecifier":"refs/heads/main","sourceCommitSpecifier":"x"}"#;
    let (code, _) = says(&alice(), "codecommit:MergeBranchesBySquash", without_target);
    assert_eq!(code, codes::DIRECT_PUSH.as_str());
    assert_eq!(says(&alice(), "codecommit:MergePullRequestBySquash", asked).0, "drift-write");
}

#[test]
fn an_exception_covers_a_push_by_its_identity_alone() {
    let asked = r#"{"branchName":"main"}"#;
    let release = session("AWSReservedSSO_Release_0123456789abcdef", "x").to_string();
    assert_eq!(says(&release, "codecommit:PutFile", asked), nothing("excepted by pipeline"));
    let seeming = session("x", "AWSReservedSSO_Release_0123456789abcdef").to_string();
    assert_eq!(says(&seeming, "codecommit:PutFile", asked).0, codes::DIRECT_PUSH.as_str());
}
