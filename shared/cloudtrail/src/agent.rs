//! Agents that make calls for people: programs that write and run commands on their own.
//!
//! The person stays responsible: an agent has the person's credentials, and no record shows more than that it was used. So this
//! marks and may raise, and never exempts.

use crate::identity::Identity;
use crate::partition::service_name;
use crate::record::Record;

/// How a record shows that an agent made its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agent {
    /// AWS's MCP server made it, with the caller's rights: AWS writes so.
    McpServer,
    /// The command line says that this one runs it. That is the caller's to choose.
    Says(&'static str),
}

/// The codes of agents in the list `m/` of the AWS CLI's user agent, from 2.35.24 on (`useragent` of the AWS CLI's botocore).
const CODES: [(&str, &str); 10] = [
    ("AN", "Claude Code"),
    ("AO", "Gemini CLI"),
    ("AP", "Codex"),
    ("AQ", "Kiro"),
    ("AR", "OpenCode"),
    ("AS", "Antigravity"),
    ("AT", "Amp"),
    ("AU", "Pi"),
    ("AV", "Copilot CLI"),
    ("AW", "Cursor"),
];

impl Agent {
    /// What a record shows.
    pub fn of(record: &Record<'_>, identity: &Identity<'_>) -> Option<Self> {
        if is_through_mcp_server(record, identity) {
            return Some(Self::McpServer);
        }
        said(&record.user_agent.text()?).map(Self::Says)
    }
}

/// Whether AWS's MCP server made a call with the caller's rights. AWS writes both names; the user agent, which has it too, is
/// anybody's to choose.
pub fn is_through_mcp_server(record: &Record<'_>, identity: &Identity<'_>) -> bool {
    let is = |host: &str| service_name(host) == Some("aws-mcp");
    identity.invoked_by.as_deref().is_some_and(is)
        && record.source_ip_address.text().is_some_and(|it| is(&it))
}

fn said(user_agent: &str) -> Option<&'static str> {
    let agent = user_agent.trim_start_matches('[').trim_end_matches(']');
    if !agent.starts_with("aws-cli/") {
        return None;
    }
    let lists = agent.split_ascii_whitespace().filter_map(|part| part.strip_prefix("m/"));
    let mut codes = lists.flat_map(|list| list.split(','));
    codes.find_map(|code| CODES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name))
}

impl std::fmt::Display for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::McpServer => f.write_str("through AWS's MCP server"),
            Self::Says(name) => write!(f, "says it is {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Entry;

    fn agent(invoked_by: &str, from: &str, user_agent: &str) -> Option<Agent> {
        let json = format!(
            r#"{{"userIdentity":{{"type":"AssumedRole"{invoked_by}}},"sourceIPAddress":"{from}","userAgent":"{user_agent}"}}"#
        );
        let Ok((Entry::Record(record), _)) = Record::read(&json) else { panic!("no record: {json}") };
        Agent::of(&record, &Identity::read(record.user_identity))
    }

    #[test]
    fn only_what_aws_writes_shows_its_mcp_server() {
        let mcp = "aws-mcp.amazonaws.com";
        let by = format!(r#","invokedBy":"{mcp}""#);
        assert_eq!(agent(&by, mcp, mcp), Some(Agent::McpServer));
        for (invoked_by, from, user_agent, why) in [
            ("", "203.0.113.5", mcp, "the user agent alone is the caller's"),
            (&*by, "203.0.113.5", mcp, "the address says otherwise"),
            ("", mcp, mcp, "nobody passed the call on"),
            (r#","invokedBy":"cloudformation.amazonaws.com""#, mcp, mcp, "another service"),
            (&by.replace("aws-mcp.", "x.aws-mcp."), mcp, mcp, "another name"),
        ] {
            assert_eq!(agent(invoked_by, from, user_agent), None, "{why}");
        }
    }

    #[test]
    fn the_command_line_says_which_agent_runs_it() {
        let says = |user_agent: &str| agent("", "203.0.113.5", user_agent);
        let cli = "aws-cli/2.35.30 md/awscrt#0.29.2 ua/2.1 os/linux lang/python#3.13 m/E,AN,b,AC cfg/retry-mode#standard";
        assert_eq!(says(cli), Some(Agent::Says("Claude Code")));
        assert_eq!(says(&format!("[{}]", cli.replace("AN", "AW"))), Some(Agent::Says("Cursor")));
        for (other, why) in [
            (cli.replace(",AN", ""), "no agent"),
            (cli.replace("AN", "an"), "other metrics"),
            (cli.replace("m/E,AN", "md/E,AN"), "another list"),
            (cli.replace("aws-cli", "Boto3"), "another program's list"),
        ] {
            assert_eq!(says(&other), None, "{why}");
        }
    }
}
