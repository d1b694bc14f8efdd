use super::*;

#[test]
fn an_approval_that_is_set_aside_is_high_for_anybody() {
    let asked = r#"{"pullRequestId":"7","revisionId":"r","overrideStatus":"OVERRIDE"}"#;
    for who in [alice(), deploy(), user("bob"), session("app", "x").to_string()] {
        for action in [
            "codecommit:OverridePullRequestApprovalRules",
            "codecommit:DeletePullRequestApprovalRule",
            "codepipeline:OverrideStageCondition",
        ] {
            assert_eq!(
                says(&who, action, asked),
                is(codes::APPROVAL_OVERRIDDEN, Severity::High),
                "{action} {who}"
            );
        }
    }
}

#[test]
fn to_take_an_override_back_overrides_nothing() {
    let asked = r#"{"pullRequestId":"7","overrideStatus":"REVOKE"}"#;
    let (code, _) = says(&alice(), "codecommit:OverridePullRequestApprovalRules", asked);
    assert_eq!(code, "drift-write");
    assert_eq!(says(&deploy(), "codecommit:OverridePullRequestApprovalRules", asked), nothing("expected"));
}

#[test]
fn a_template_is_weakened_by_people_and_managed_by_the_pipeline() {
    let asked =
        r#"{"approvalRuleTemplateName":"two","repositoryName":"orders","repositoryNames":["orders"]}"#;
    for action in [
        "codecommit:DeleteApprovalRuleTemplate",
        "codecommit:DisassociateApprovalRuleTemplateFromRepository",
        "codecommit:BatchDisassociateApprovalRuleTemplateFromRepositories",
    ] {
        assert_eq!(says(&alice(), action, asked), is(codes::APPROVAL_OVERRIDDEN, Severity::High), "{action}");
        assert_eq!(says(&deploy(), action, asked), nothing("expected"), "{action}");
    }
    for strengthens in ["CreateApprovalRuleTemplate", "AssociateApprovalRuleTemplateWithRepository"] {
        assert_eq!(says(&alice(), &format!("codecommit:{strengthens}"), asked).0, "drift-write");
    }
}

#[test]
fn a_rule_that_one_member_alone_satisfies_is_high() {
    let rule = |needed: u64, members: &[&str]| {
        let content = serde_json::json!({"Version": "2018-11-08", "Statements": [{
            "Type": "Approvers", "NumberOfApprovalsNeeded": needed, "ApprovalPoolMembers": members}]});
        let asked =
            serde_json::json!({"approvalRuleTemplateName": "two", "newRuleContent": content.to_string()});
        says(&alice(), "codecommit:UpdateApprovalRuleTemplateContent", &asked.to_string())
    };
    let alice = "arn:aws:sts::111122223333:assumed-role/Review/alice";
    assert_eq!(rule(1, &[alice]), is(codes::APPROVAL_OVERRIDDEN, Severity::High));
    assert_eq!(rule(1, &["arn:aws:sts::111122223333:assumed-role/Review/*"]).1, Severity::Medium);
    assert_eq!(rule(2, &[alice]).1, Severity::Medium);
    assert_eq!(rule(1, &[alice, "arn:aws:iam::111122223333:user/bob"]).1, Severity::Medium);
    let odd = r#"{"newRuleContent":"{\"Statements\":7}"}"#;
    assert_eq!(
        says(&super::alice(), "codecommit:UpdateApprovalRuleTemplateContent", odd).1,
        Severity::Medium
    );
}
