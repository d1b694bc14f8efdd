//! A function's life: take a payload, judge its events, answer.

use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse};
use handsoff_cloudtrail::Time;
use handsoff_runtime::{Answer, Clock, Delivery, EnvelopeError, Function, RuntimeError, World, handle};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::intake::{self, Envelope, Event};
use crate::settings::Settings;
use crate::world::Aws;

/// What is left of the sweep's time for its answer.
const MARGIN: Duration = Duration::from_millis(1500);

/// Serves a function until the environment ends.
///
/// # Errors
/// When the Lambda Runtime API can't be reached.
pub async fn serve<F: Function>(settings: &Settings, function: &F) -> Result<(), Error> {
    tracing::init_default_subscriber();
    let world = Aws::new(settings, function.name(), None);
    let (world, function) = (&world, function);
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        world.begin(event.context.deadline);
        let events = intake::events(&event.payload);
        // Its state is kilobytes: not to be moved from future to future.
        answer(&events, Box::pin(answers(world, function, &events)).await)
    }))
    .await
}

async fn answers<F: Function>(world: &impl World, function: &F, events: &[Event<'_>]) -> Vec<Answer> {
    let envelopes: Vec<Result<Envelope<'_>, EnvelopeError>> = events.iter().map(Event::envelope).collect();
    let both = events.iter().zip(&envelopes);
    let deliveries: Vec<Delivery<'_>> = both
        .map(|(event, envelope)| Delivery {
            payload: &event.body,
            detail: envelope.as_ref().map(Envelope::detail),
            envelope: envelope.as_ref().map(|it| it.about(event)).unwrap_or_default(),
        })
        .collect();
    handle(world, function, &deliveries).await
}

/// The answer to a batch names what is to be delivered again, and that alone.
/// An event that came by itself has no such answer, and fails.
fn answer(events: &[Event<'_>], answers: Vec<Answer>) -> Result<Value, Error> {
    let mut response = SqsBatchResponse::default();
    for (event, answer) in events.iter().zip(answers) {
        let Answer::Again(failure) = answer else { continue };
        tracing::error!(
            what = failure.what(),
            why = &*failure.why(),
            message = event.id.as_deref(),
            "to be delivered again"
        );
        let Some(id) = &event.id else { return Err(failure.into()) };
        let mut again = BatchItemFailure::default();
        again.item_identifier = id.to_string();
        response.batch_item_failures.push(again);
    }
    Ok(serde_json::to_value(response)?)
}

/// Serves the sweep until the environment ends. `sweep` is handed the time of the schedule.
///
/// # Errors
/// When the Lambda Runtime API can't be reached.
pub async fn sweep<S>(world: &Aws, sweep: S) -> Result<(), Error>
where
    S: AsyncFn(&Aws, Time) -> Result<(), Vec<RuntimeError>>,
{
    tracing::init_default_subscriber();
    let sweep = &sweep;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        world.begin(event.context.deadline);
        let scheduled = event.payload.get("time").and_then(Value::as_str).and_then(Time::parse);
        // A sweep may be late, and never comes early: a time to come would close what goes on.
        let now = scheduled.unwrap_or_else(|| world.now()).min(world.now());
        let left = world.left().saturating_sub(MARGIN);
        let swept = tokio::time::timeout(left, sweep(world, now)).await;
        let failures = match swept {
            Ok(Ok(())) => return Ok(json!({})),
            Ok(Err(failures)) => failures,
            Err(_) => vec![RuntimeError::Late { what: "the sweep" }],
        };
        for failure in &failures {
            tracing::error!(what = failure.what(), why = &*failure.why(), "the next sweep tries again");
        }
        // Lambda invokes it again, and its errors raise an alarm.
        Err::<Value, Error>(
            failures.first().map_or_else(|| "unknown".into(), |failure| failure.clone().into()),
        )
    }))
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finished_is_not_delivered_again() {
        let batch =
            r#"{"Records":[{"messageId":"a","body":"{}"},{"messageId":"b","body":"{}"},{"messageId":"c"}]}"#;
        let payload = RawValue::from_string(batch.to_owned()).unwrap();
        let events = intake::events(&payload);
        let again = || Answer::Again(RuntimeError::Late { what: "the function" });
        let answered = answer(&events, vec![Answer::Done, again(), Answer::Done]).unwrap();
        assert_eq!(answered, json!({"batchItemFailures": [{"itemIdentifier": "b"}]}));
        let single = RawValue::from_string("{}".to_owned()).unwrap();
        let alone = intake::events(&single);
        assert!(
            answer(&alone, vec![again()]).unwrap_err().to_string().contains("its time limit was reached")
        );
    }
}
