//! The sweep function.

use handsoff_aws::{Aws, Error, Settings, number, text};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    let world = Aws::new(&settings, "sweep", text("HANDSOFF_CANARY_TABLE"));
    let set = handsoff_sweep::Settings {
        canary_minutes: number("HANDSOFF_CANARY_MINUTES", 5)?,
        out_of_step: 0,
        lease: settings.lease,
    };
    let (policy, set) = (&settings.policy, &set);
    handsoff_aws::sweep(&world, async |world: &Aws, now| {
        handsoff_sweep::sweep(world, policy, *set, now).await
    })
    .await
}
