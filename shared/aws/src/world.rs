//! The ports on AWS: SNS, SQS, `CloudWatch`, the system's clock; `DynamoDB` is in `dynamodb.rs`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit, StatisticSet};
use aws_sdk_sns::config::http::HttpResponse;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::show::clean;
use handsoff_runtime::{
    CANARY_TAG, CANARY_VALUE, Canary, Clock, DeadLetters, LogLine, Message, Metrics, Notifier, Published,
    Report, RuntimeError, Subscription, Subscriptions, Turns, Unit,
};
use lambda_runtime::tracing;
use tokio::sync::OnceCell;

use crate::settings::Settings;

/// The namespace of all metrics.
const NAMESPACE: &str = "HandsOff";

/// The ports on AWS.
#[derive(Debug)]
pub struct Aws {
    config: OnceCell<SdkConfig>,
    pub(crate) dynamodb: OnceCell<aws_sdk_dynamodb::Client>,
    sns: OnceCell<aws_sdk_sns::Client>,
    sqs: OnceCell<aws_sdk_sqs::Client>,
    cloudwatch: OnceCell<aws_sdk_cloudwatch::Client>,
    pub(crate) s3: OnceCell<aws_sdk_s3::Client>,
    /// When CloudTrail was last asked.
    pub(crate) asked: Cell<Option<tokio::time::Instant>>,
    pub(crate) pace: Duration,
    pub(crate) table: String,
    pub(crate) cases: Option<String>,
    topic: String,
    dead_letters: Option<String>,
    pub(crate) keep: TimeDelta,
    function: &'static str,
    table_arn: Option<String>,
    names: Cell<u64>,
    turns: Turns,
    /// When Lambda ends the invocation, in milliseconds since 1970.
    deadline: Cell<Option<u64>>,
}

impl Aws {
    /// The world of a function. Nothing is built or called yet.
    pub fn new(settings: &Settings, function: &'static str, table_arn: Option<String>) -> Self {
        Self {
            config: OnceCell::new(),
            dynamodb: OnceCell::new(),
            sns: OnceCell::new(),
            sqs: OnceCell::new(),
            cloudwatch: OnceCell::new(),
            s3: OnceCell::new(),
            asked: Cell::new(None),
            pace: settings.lookup_pace,
            cases: settings.cases.clone(),
            table: settings.table.clone(),
            topic: settings.topic.clone(),
            dead_letters: settings.dead_letters.clone(),
            keep: settings.keep,
            function,
            table_arn,
            names: Cell::new(0),
            turns: Turns::default(),
            deadline: Cell::new(None),
        }
    }

    /// An invocation begins, and Lambda ends it at this time, in milliseconds since 1970.
    pub(crate) fn begin(&self, deadline: u64) {
        self.deadline.set(Some(deadline));
    }

    /// One configuration for all clients: they share connections and certificates.
    pub(crate) async fn config(&self) -> &SdkConfig {
        let load = || async {
            let timeouts = TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_attempt_timeout(Duration::from_secs(4))
                .operation_timeout(Duration::from_secs(20))
                .build();
            // The SDK waits with exponential back-off and jitter between tries.
            let retries = RetryConfig::standard()
                .with_max_attempts(6)
                .with_initial_backoff(Duration::from_millis(100))
                .with_max_backoff(Duration::from_secs(4));
            let defaults = aws_config::defaults(BehaviorVersion::latest());
            defaults.timeout_config(timeouts).retry_config(retries).load().await
        };
        self.config.get_or_init(load).await
    }

    async fn sns(&self) -> &aws_sdk_sns::Client {
        let connect = || async {
            // To publish twice is to tell twice: patience comes before another try.
            let retries = RetryConfig::standard().with_max_attempts(3);
            let timeouts = TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_attempt_timeout(Duration::from_secs(12))
                .operation_timeout(Duration::from_secs(25))
                .build();
            let config = aws_sdk_sns::config::Builder::from(self.config().await);
            aws_sdk_sns::Client::from_conf(config.retry_config(retries).timeout_config(timeouts).build())
        };
        self.sns.get_or_init(connect).await
    }
}

/// What a failed call says: the service's own words, where it has any.
pub(crate) fn failure<E>(what: &'static str) -> impl Fn(E) -> RuntimeError
where
    E: std::error::Error,
{
    move |error| {
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            why = format!("{why}: {cause}");
            source = cause.source();
        }
        RuntimeError::call(what, clean(&why, 512))
    }
}

impl Notifier for Aws {
    async fn publish(&self, message: &Message) -> Result<Published, RuntimeError> {
        const WHAT: &str = "SNS Publish";
        let publish = self.sns().await.publish();
        let mut publish = publish
            .topic_arn(&self.topic)
            .subject(&message.subject)
            .message_structure("json")
            .message(message.structure());
        for (name, value) in &message.attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            publish = publish.message_attributes(*name, value.map_err(failure(WHAT))?);
        }
        match publish.send().await {
            Ok(_) => Ok(Published::Taken),
            Err(error) if is_about_form(&error) => Ok(Published::Refused(failure(WHAT)(error))),
            Err(error) => Err(failure(WHAT)(error)),
        }
    }

    fn turns(&self) -> &Turns {
        &self.turns
    }
}

/// Whether SNS refuses a message for what is in it, and would again. What is wrong with the topic, its key or the
/// function's rights may be mended, and throttling passes.
fn is_about_form(error: &SdkError<PublishError, HttpResponse>) -> bool {
    const FORM: [&str; 4] =
        ["InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "Validation"];
    let SdkError::ServiceError(answer) = error else { return false };
    let too_long = answer.raw().status().as_u16() == 413;
    let (code, why) = (answer.err().code().unwrap_or_default(), answer.err().message().unwrap_or_default());
    let code = code.trim_end_matches("Exception").trim_end_matches("Error");
    // A topic that isn't there, or is in another Region, has the same code: another form of the message is no help.
    let topic =
        ["TopicArn", "Topic Name"].iter().any(|name| why.starts_with(&format!("Invalid parameter: {name}")));
    too_long || (FORM.contains(&code) && !topic)
}

impl Subscriptions for Aws {
    async fn subscriptions(&self) -> Result<BTreeSet<Subscription>, RuntimeError> {
        let mut pages =
            self.sns().await.list_subscriptions_by_topic().topic_arn(&self.topic).into_paginator().send();
        let mut all = BTreeSet::new();
        while let Some(page) = pages.next().await {
            for found in page.map_err(failure("SNS ListSubscriptionsByTopic"))?.subscriptions() {
                // One that nobody confirmed, or that is gone, has a word where others have their ARN.
                if let Some(arn) = found.subscription_arn().filter(|arn| arn.starts_with("arn:")) {
                    let protocol = found.protocol().unwrap_or_default().to_owned();
                    all.insert(Subscription { arn: arn.to_owned(), protocol });
                }
            }
        }
        Ok(all)
    }
}

impl DeadLetters for Aws {
    async fn reject(&self, payload: &str, reason: &str) -> Result<(), RuntimeError> {
        const WHAT: &str = "SQS SendMessage";
        let reason = clean(reason, 512);
        tracing::error!(reason, "a payload can't be read");
        let Some(queue) = &self.dead_letters else {
            return Err(RuntimeError::Unset {
                what: WHAT,
                why: format!("there is no queue for dead letters; {reason}"),
            });
        };
        let client = self.sqs.get_or_init(|| async { aws_sdk_sqs::Client::new(self.config().await) }).await;
        let attribute = |value: &str| {
            use aws_sdk_sqs::types::MessageAttributeValue;
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            value.map_err(failure(WHAT))
        };
        let send = client.send_message().queue_url(queue);
        send.message_body(if payload.is_empty() { "(empty)" } else { payload })
            .message_attributes("reason", attribute(&reason)?)
            .message_attributes("function", attribute(self.function)?)
            .send()
            .await
            .map(drop)
            .map_err(failure(WHAT))
    }
}

impl Metrics for Aws {
    async fn send(&self, report: &Report) -> Result<(), RuntimeError> {
        let client = self.cloudwatch.get_or_init(|| async {
            // What can't be counted soon isn't worth an alert's time.
            let retries = RetryConfig::standard().with_max_attempts(2);
            let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(4)).build();
            let config = aws_sdk_cloudwatch::config::Builder::from(self.config().await);
            let config = config.retry_config(retries).timeout_config(timeouts).build();
            aws_sdk_cloudwatch::Client::from_conf(config)
        });
        let mut put = client.await.put_metric_data().namespace(NAMESPACE);
        for (metric, stat) in report.stats() {
            let values = StatisticSet::builder()
                .sample_count(stat.count)
                .sum(stat.sum)
                .minimum(stat.min)
                .maximum(stat.max)
                .build();
            let unit = match metric.unit() {
                Unit::Count => StandardUnit::Count,
                Unit::Seconds => StandardUnit::Seconds,
            };
            let datum = MetricDatum::builder().metric_name(metric.name()).unit(unit).statistic_values(values);
            if let Some((name, value)) = metric.dimension() {
                let dimension = Dimension::builder().name(name).value(value).build();
                put = put.metric_data(datum.clone().dimensions(dimension).build());
            }
            if metric.is_sent_as_a_whole() {
                put = put.metric_data(datum.build());
            }
        }
        put.send().await.map(drop).map_err(failure("CloudWatch PutMetricData"))
    }
}

impl Canary for Aws {
    async fn touch(&self) -> Result<(), RuntimeError> {
        const WHAT: &str = "DynamoDB TagResource";
        let Some(table) = &self.table_arn else {
            return Err(RuntimeError::Unset { what: WHAT, why: "HANDSOFF_CANARY_TABLE is not set".into() });
        };
        let tag = aws_sdk_dynamodb::types::Tag::builder().key(CANARY_TAG).value(CANARY_VALUE).build();
        let tag = tag.map_err(failure(WHAT))?;
        let tagged = self.dynamodb().await.tag_resource().resource_arn(table).tags(tag);
        tagged.send().await.map(drop).map_err(failure(WHAT))
    }
}

impl Clock for Aws {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn name(&self) -> String {
        self.names.set(self.names.get() + 1);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Two processes that start at the same nanosecond have different log streams or process IDs.
        let stream = std::env::var("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_default();
        format!("{stream}/{}/{}/{}", std::process::id(), since.as_nanos(), self.names.get())
    }

    fn log(&self, line: LogLine) {
        tracing::error!(what = line.what, why = line.why, "continued without it");
    }

    fn left(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.deadline.get().map_or(Duration::MAX, |at| Duration::from_millis(at).saturating_sub(now))
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests;
