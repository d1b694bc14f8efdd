//! The sweep function.

use handsoff_aws::{Aws, Error, Settings, number, text};
use handsoff_cloudtrail::{Arn, TimeDelta};
use handsoff_core::rules::{Names, uncovered};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    let table = text("HANDSOFF_CANARY_TABLE");
    // The table's ARN has the stack's account.
    let account = table.as_deref().and_then(Arn::split).map(|arn| arn.account.to_owned()).unwrap_or_default();
    let world = Aws::new(&settings, "sweep", table);
    let names = Names::parse(&text("HANDSOFF_RULES").unwrap_or_default());
    let out_of_step = uncovered(&settings.policy, &names);
    let regions = text("HANDSOFF_LOOKUP_REGIONS").unwrap_or_default();
    let regions = regions.split(',').map(str::trim).filter(|region| !region.is_empty());
    let set = handsoff_sweep::Settings {
        account,
        detectors: handsoff_functions::detectors(),
        canary_every: TimeDelta::minutes(number("HANDSOFF_CANARY_MINUTES", 5)?),
        out_of_step,
        lease: settings.lease,
        lookup_regions: regions.map(str::to_owned).collect(),
    };
    let policy = &settings.policy;
    handsoff_aws::sweep(&world, async |world: &Aws, now| {
        Box::pin(handsoff_sweep::sweep(world, policy, &set, now)).await
    })
    .await
}
