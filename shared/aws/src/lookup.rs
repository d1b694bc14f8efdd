//! CloudTrail's own memory of events.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Region;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use handsoff_runtime::{Ask, Lookup, RuntimeError};
use tokio::time::Instant;

use crate::world::{Aws, failure};

const WHAT: &str = "CloudTrail LookupEvents";

/// The most events of a page.
const PAGE: i32 = 50;

impl Lookup for Aws {
    async fn lookup(
        &self,
        ask: &Ask,
        page: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), RuntimeError> {
        let config = aws_sdk_cloudtrail::config::Builder::from(self.config().await);
        let client = Client::from_conf(config.region(Region::new(ask.region.clone())).build());
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::from(ask.attribute))
            .attribute_value(&ask.value)
            .build()
            .map_err(failure(WHAT))?;
        if let Some(next) = self.asked.get().map(|asked| asked + self.pace) {
            tokio::time::sleep_until(next).await;
        }
        self.asked.set(Some(Instant::now()));
        let answer = client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(DateTime::from_secs(ask.from.timestamp()))
            .end_time(DateTime::from_secs(ask.to.timestamp()))
            .max_results(PAGE)
            .set_next_token(page)
            .send()
            .await
            .map_err(failure(WHAT))?;
        let events = answer.events().iter().filter_map(|event| event.cloud_trail_event().map(str::to_owned));
        Ok((events.collect(), answer.next_token().map(str::to_owned)))
    }
}
