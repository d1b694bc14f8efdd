//! `handsoff grant`: the event that approves one use of an emergency identity.

use std::io::{self, Write};

use handsoff_case::grant::{Detail, GRANT};
use handsoff_case::person::may_be;
use handsoff_trail::Time;

use super::{event, shown};
use crate::Exit;
use crate::args::Grant;

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Grant, out: &mut dyn Write) -> io::Result<Exit> {
    match detail(args, Time(chrono::Utc::now().timestamp())) {
        Ok(detail) => {
            event::print(GRANT, &detail, out)?;
            let _ = writeln!(
                io::stderr(),
                "This event approves {} for {} by {}, {} until {}.\n{}",
                shown(&detail.role),
                shown(&detail.ticket),
                shown(&detail.requester),
                detail.from,
                detail.until,
                event::SEND,
            );
            Ok(Exit::Fine)
        }
        Err(why) => {
            let _ = writeln!(io::stderr(), "no grant: {why}");
            Ok(Exit::Wrong)
        }
    }
}

fn detail(args: &Grant, now: Time) -> Result<Detail, String> {
    let from = args.from.unwrap_or(now);
    let end = args.duration.map(|seconds| Time(from.0.saturating_add(seconds)));
    let detail = Detail {
        ticket: args.ticket.clone(),
        requester: args.requester.clone(),
        approver: args.approver.clone(),
        role: args.role.clone(),
        account: args.account.clone(),
        from,
        until: args.until.or(end).unwrap_or(from),
    };
    detail.check()?;
    if may_be(&detail.requester, &detail.approver) {
        let who = shown(&detail.approver);
        return Err(format!(
            "{who} asks for it, or may be who does, and can't approve it: somebody else has to"
        ));
    }
    Ok(detail)
}
