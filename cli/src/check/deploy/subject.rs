//! Subjects of web identities whose `*` lets in jobs that anyone with a smaller right than to deploy can start.

/// What a form of subjects warns about, by what is behind the form's first word.
type Form = fn(&str) -> Option<String>;

const FORMS: [(&str, Form); 4] = [
    ("repo:", github),
    ("project_path:", gitlab),
    ("organization:", terraform),
    ("system:serviceaccount:", kubernetes),
];

/// What a subject with a `*` lets in besides, and what to write instead.
pub(super) fn warning(subject: &str) -> Option<String> {
    if !subject.contains('*') {
        return None;
    }
    FORMS.iter().find_map(|(start, of)| of(subject.strip_prefix(start)?))
}

/// The warning on what is let in.
fn lets_in(what: &str, instead: &str) -> String {
    format!("lets in {what}; write {instead}")
}

/// `OWNER/REPO:ref:refs/heads/BRANCH`, `OWNER/REPO:environment:NAME`.
fn github(rest: &str) -> Option<String> {
    let (repository, context) = rest.split_once(':').unwrap_or((rest, ""));
    let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
    let whole = "the repository out, and its branch or environment: `repo:OWNER/REPO:ref:refs/heads/main`";
    if owner.contains('*') {
        return Some(lets_in("repositories of other owners, which anyone on GitHub can make", whole));
    }
    if name.contains('*') {
        return Some(lets_in("other repositories of the owner", whole));
    }
    let (what, right) = match context {
        "ref:refs/heads/*" => ("every branch", "push"),
        "ref:refs/tags/*" => ("every tag", "push"),
        "environment:*" => ("every environment", "run a workflow"),
        "ref:*" | "ref:refs/*" => ("every branch and tag", "push"),
        // `*`, and what begins no word of GitHub's.
        any if any.starts_with('*') => ("every branch, tag and environment", "push"),
        _ => return None,
    };
    Some(lets_in(
        &format!("jobs of {what} of the repository, so that whoever may {right} there may deploy"),
        &format!("`repo:{repository}:ref:refs/heads/main` or `repo:{repository}:environment:production`"),
    ))
}

/// `GROUP/PROJECT:ref_type:branch:ref:BRANCH`. A merge request's job has the branch that it wants merged.
fn gitlab(rest: &str) -> Option<String> {
    let (project, context) = rest.split_once(':').unwrap_or((rest, ""));
    if project.contains('*') {
        let whole = "the project out, and its branch: `project_path:GROUP/PROJECT:ref_type:branch:ref:main`";
        return Some(lets_in("other projects, on gitlab.com those that anyone can make", whole));
    }
    let what = match context {
        "ref_type:branch:ref:*" => "every branch, merge requests among them,",
        "ref_type:tag:ref:*" => "every tag",
        "*" | "ref_type:*" | "ref_type:*:ref:*" => "every branch and tag, merge requests among them,",
        _ => return None,
    };
    Some(lets_in(
        &format!("jobs of {what} of the project"),
        &format!("`project_path:{project}:ref_type:branch:ref:main`, and protect that branch"),
    ))
}

/// `ORGANIZATION:project:PROJECT:workspace:WORKSPACE:run_phase:PHASE`.
fn terraform(rest: &str) -> Option<String> {
    let fields: Vec<&str> = rest.split(':').collect();
    let organization = fields.first().copied().unwrap_or_default();
    let value =
        |key: &str| fields.iter().position(|it| *it == key).and_then(|at| fields.get(at + 1).copied());
    let whole = "the workspace out: `organization:NAME:project:PROJECT:workspace:WORKSPACE:run_phase:apply`";
    if organization.contains('*') {
        return Some(lets_in("other organizations, which anyone can make", whole));
    }
    let [project, workspace, phase] = ["project", "workspace", "run_phase"].map(value);
    if [project, workspace].iter().any(|value| value.is_none_or(|value| value.contains('*'))) {
        return Some(lets_in("other workspaces of the organization", whole));
    }
    phase.is_none_or(|phase| phase.contains('*')).then_some(())?;
    Some(lets_in(
        "plans, which a pull request starts before it is reviewed",
        "`run_phase:apply`, and let plans assume a role of their own that only reads",
    ))
}

/// `NAMESPACE:NAME`.
fn kubernetes(rest: &str) -> Option<String> {
    let (namespace, name) = rest.split_once(':').unwrap_or((rest, "*"));
    let what = match (namespace.contains('*'), name.contains('*')) {
        (true, _) => "service accounts of other namespaces of the cluster",
        (_, true) => "other service accounts of the namespace",
        _ => return None,
    };
    Some(lets_in(what, "the one that deploys: `system:serviceaccount:NAMESPACE:NAME`"))
}
