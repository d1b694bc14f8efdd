//! The archive: a bucket with Object Lock, where nothing can be changed or removed before its time.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use handsoff_runtime::{Archive, RuntimeError};

use crate::world::{Aws, failure};

const PUT: &str = "S3 PutObject";
const LIST: &str = "S3 ListObjectsV2";
const GET: &str = "S3 GetObject";

/// How often a file is stored while others store the same.
const TRIES: u32 = 6;

/// How long to wait after the first try; each pause is longer by as much.
const PAUSE: Duration = Duration::from_millis(100);

impl Aws {
    async fn s3(&self) -> &Client {
        let connect = || async {
            let shared = self.config().await;
            // A service that stands in for S3 has no names for its buckets.
            let path_style = shared.endpoint_url().is_some();
            let config = aws_sdk_s3::config::Builder::from(shared).force_path_style(path_style);
            Client::from_conf(config.build())
        };
        self.s3.get_or_init(connect).await
    }

    fn bucket(&self, what: &'static str) -> Result<&str, RuntimeError> {
        self.cases
            .as_deref()
            .ok_or_else(|| RuntimeError::Unset { what, why: "HANDSOFF_CASES is not set".into() })
    }
}

impl Archive for Aws {
    async fn store(&self, name: &str, text: &str) -> Result<(), RuntimeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let put = self.s3().await.put_object().bucket(self.bucket(PUT)?).key(name);
            let put = put.body(ByteStream::from(text.as_bytes().to_vec())).content_type("application/json");
            // What is there stays: a second version would hide the first.
            let Err(error) = put.if_none_match("*").send().await else { return Ok(()) };
            match error.code() {
                Some("PreconditionFailed") => return Ok(()),
                // Two wrote at once, and it may be that neither has: the SDK doesn't try that again.
                Some("ConditionalRequestConflict") if tries < TRIES => {
                    tokio::time::sleep(PAUSE * tries).await;
                }
                _ => return Err(failure(PUT)(error)),
            }
        }
    }

    async fn list(&self, prefix: &str, behind: &str) -> Result<Vec<String>, RuntimeError> {
        let list = self.s3().await.list_objects_v2().bucket(self.bucket(LIST)?).prefix(prefix).max_keys(1000);
        let list = if behind.is_empty() { list } else { list.start_after(behind) };
        let listed = list.send().await.map_err(failure(LIST))?;
        Ok(listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect())
    }

    async fn load(&self, name: &str) -> Result<String, RuntimeError> {
        let got = self.s3().await.get_object().bucket(self.bucket(GET)?).key(name).send().await;
        let body = got.map_err(failure(GET))?.body.collect().await.map_err(failure(GET))?;
        String::from_utf8(body.to_vec()).map_err(failure(GET))
    }
}
