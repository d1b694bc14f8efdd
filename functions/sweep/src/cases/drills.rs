//! Emergency identities that nobody has tried for too long.

use handsoff_case::drill;
use handsoff_cloudtrail::Time;
use handsoff_core::Reported;
use handsoff_core::group::digest;
use handsoff_core::policy::BreakGlass;
use handsoff_runtime::{Clock, Document, Held, Report, RuntimeError, World, keep_and_tell};

use crate::context::Sweep;

const PARTITION: &str = "drills";

/// Tells of each identity that is due for a drill. `refresh` writes anew what is remembered, or it would expire.
pub(crate) async fn drills<W: World>(
    sweep: &Sweep<'_, W>,
    refresh: bool,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let Sweep { world, policy, settings, now, .. } = *sweep;
    let mut due: Vec<Reported> = Vec::new();
    let mut failed = Ok(());
    for entry in &policy.break_glass {
        if entry.drill_every.is_none() {
            continue;
        }
        let document = LastUse(entry);
        let mut held = Held::of(world, &document).await?;
        // Before the first session that handsoff saw, the time counts from its first look.
        let last = match held.state {
            Some(last) if !refresh => last,
            None if held.exists() => {
                let what =
                    format!("`{}` of partition {PARTITION} is not a time: correct or delete it", sort(entry));
                failed = Err(RuntimeError::stored("reading when an identity was last in use", what));
                continue;
            }
            last => {
                let last = last.unwrap_or(now);
                held.state = Some(last);
                // If somebody else was faster, they have written the same.
                held.write(world).await?;
                last
            }
        };
        due.extend(drill::due(entry, &settings.account, last, now).map(Reported::from));
    }
    keep_and_tell(world, sweep.telling(&()), &due, report).await.and(failed)
}

fn sort(entry: &BreakGlass) -> String {
    digest(&[entry.identity.as_str()])
}

/// The document of when an identity was last in use: a bare time, to which no version can add anything. What is none is
/// reported by [`drills`], and isn't written over.
#[derive(Clone, Debug)]
struct LastUse<'e>(&'e BreakGlass);

impl Document for LastUse<'_> {
    type State = Option<Time>;

    const CHANGE: &'static str = "writing when an identity was last in use";

    fn keys(&self) -> (String, String) {
        (PARTITION.to_owned(), sort(self.0))
    }

    fn parse(&self, _: &impl Clock, text: &str) -> Result<Option<Time>, RuntimeError> {
        Ok(Time::parse(text))
    }

    fn text(&self, last: &Option<Time>) -> Result<String, RuntimeError> {
        Ok(last.map(|last| last.to_string()).unwrap_or_default())
    }
}

/// Remembers that an identity was used at a time.
pub(crate) async fn exercised(world: &impl World, entry: &BreakGlass, at: Time) -> Result<(), RuntimeError> {
    let document = LastUse(entry);
    let mut held = Held::of(world, &document).await?;
    if held.state.map_or(!held.exists(), |last| last < at) {
        held.state = Some(at);
        // If somebody else was faster, the next look at the session writes it.
        held.write(world).await?;
    }
    Ok(())
}
