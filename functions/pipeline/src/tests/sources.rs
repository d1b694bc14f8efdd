use super::*;

#[test]
fn a_build_of_an_unlisted_repository_is_high_for_anybody() {
    for asked in [
        r#"{"projectName":"orders","sourceLocationOverride":"https://github.com/evil/orders"}"#,
        r#"{"projectName":"orders","secondarySourcesOverride":[{"type":"GITHUB","location":"https://example.com/x"}]}"#,
    ] {
        for who in [alice(), deploy()] {
            for action in ["codebuild:StartBuild", "codebuild:StartBuildBatch"] {
                assert_eq!(says(&who, action, asked), is(codes::UNTRUSTED_SOURCE, Severity::High), "{asked}");
            }
        }
    }
    let own = r#"{"projectName":"orders","sourceLocationOverride":"https://github.com/acme/orders"}"#;
    assert_eq!(says(&deploy(), "codebuild:StartBuild", own), nothing("expected"));
}

#[test]
fn a_build_of_an_unlisted_branch_is_medium_and_of_a_commit_too() {
    for version in ["feature", "refs/heads/feature", "pr/7", "0123456789abcdef0123456789abcdef01234567"] {
        let asked = format!(r#"{{"projectName":"orders","sourceVersion":"{version}"}}"#);
        for who in [alice(), deploy()] {
            let found = says(&who, "codebuild:StartBuild", &asked);
            assert_eq!(found, is(codes::UNTRUSTED_SOURCE, Severity::Medium), "{version}");
        }
    }
    for version in ["main", "refs/heads/main", ""] {
        let asked = format!(r#"{{"projectName":"orders","sourceVersion":"{version}"}}"#);
        assert_eq!(says(&deploy(), "codebuild:StartBuild", &asked), nothing("expected"), "{version}");
    }
    let secondary = r#"{"secondarySourcesVersionOverride":[{"sourceIdentifier":"a","sourceVersion":"x"}]}"#;
    assert_eq!(says(&deploy(), "codebuild:StartBuild", secondary).0, codes::UNTRUSTED_SOURCE.as_str());
}

#[test]
fn a_pipeline_builds_its_own_artifact_and_nobody_else_does() {
    let asked =
        r#"{"projectName":"orders","sourceVersion":"arn:aws:s3:::codepipeline-eu/orders/Source/x.zip"}"#;
    assert_eq!(says(&deploy(), "codebuild:StartBuild", asked), nothing("expected"));
    assert_eq!(says(&alice(), "codebuild:StartBuild", asked).0, codes::UNTRUSTED_SOURCE.as_str());
}

#[test]
fn a_pipeline_that_is_started_with_a_revision_of_the_callers_choice_is_one() {
    let asked = r#"{"name":"orders","sourceRevisions":[{"actionName":"Source","revisionType":"COMMIT_ID","revisionValue":"abc"}]}"#;
    let found = says(&alice(), "codepipeline:StartPipelineExecution", asked);
    assert_eq!(found, is(codes::UNTRUSTED_SOURCE, Severity::Medium));
}

#[test]
fn without_a_list_nothing_is_untrusted() {
    let asked = r#","requestParameters":{"sourceVersion":"x","sourceRevisions":[{"revisionValue":"a"}]}"#;
    for action in ["codebuild:StartBuild", "codepipeline:StartPipelineExecution"] {
        let policy = POLICY.replace("trusted_", "# trusted_");
        assert_eq!(verdict_by(&policy, &alice(), action, asked).unwrap().code.as_str(), "drift-write");
    }
}
