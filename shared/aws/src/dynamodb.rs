//! The memory: one table. `pk` and `sk` are its keys, `text` what is kept, `version` that of a document, `v` that of an
//! observation's form, `open` is there on what index `open` lists, `due` what it says of it, `expires` when the item may be
//! deleted, in seconds since 1970.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use handsoff_runtime::stored::FORMAT;
use handsoff_runtime::{Clock, ConditionalWrite, Memory, Open, Range, RuntimeError};

use crate::world::{Aws, failure};

const PUT: &str = "DynamoDB PutItem";
const GET: &str = "DynamoDB GetItem";
const QUERY: &str = "DynamoDB Query";

type Item = HashMap<String, AttributeValue>;

impl Aws {
    pub(crate) async fn dynamodb(&self) -> &Client {
        self.dynamodb.get_or_init(|| async { Client::new(self.config().await) }).await
    }

    /// Whether an item is still to be seen: expired ones are deleted days late.
    fn is_fresh(&self, item: &Item) -> bool {
        number(item, "expires").is_none_or(|expires| expires > self.now().timestamp())
    }

    fn expires(&self) -> AttributeValue {
        AttributeValue::N((self.now() + self.keep).timestamp().to_string())
    }
}

fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn text<'i>(what: &'static str, item: &'i Item, name: &'static str) -> Result<&'i str, RuntimeError> {
    let found = item.get(name).and_then(|value| value.as_s().ok());
    found
        .map(String::as_str)
        .ok_or_else(|| RuntimeError::stored(what, format!("an item has no text in `{name}`")))
}

impl Memory for Aws {
    async fn put(&self, partition: &str, sort: &str, text: &str) -> Result<bool, RuntimeError> {
        let put = self.dynamodb().await.put_item().table_name(&self.table);
        let put = put.item("pk", string(partition)).item("sk", string(sort)).item("text", string(text));
        let put = put.item("v", AttributeValue::N(FORMAT.to_string())).item("expires", self.expires());
        let put = put
            .condition_expression("NOT (#v > :v) OR #expires <= :now")
            .expression_attribute_names("#v", "v")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":v", AttributeValue::N(FORMAT.to_string()))
            .expression_attribute_values(":now", AttributeValue::N(self.now().timestamp().to_string()))
            .return_values(ReturnValue::AllOld);
        match put.send().await {
            Ok(put) => Ok(put.attributes().is_none()),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(false)
            }
            Err(error) => Err(failure(PUT)(error)),
        }
    }

    async fn range(&self, range: Range<'_>) -> Result<Vec<String>, RuntimeError> {
        let query = self.dynamodb().await.query().table_name(&self.table).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", string(range.partition))
            .expression_attribute_values(":from", string(range.from))
            .expression_attribute_values(":to", string(range.to))
            .scan_index_forward(!range.backwards)
            .limit(i32::try_from(range.most).unwrap_or(i32::MAX));
        let mut items = query.into_paginator().items().send();
        let mut texts = Vec::new();
        while texts.len() < range.most
            && let Some(item) = items.next().await
        {
            let item = item.map_err(failure(QUERY))?;
            if self.is_fresh(&item) {
                texts.push(text(QUERY, &item, "text")?.to_owned());
            }
        }
        Ok(texts)
    }

    async fn read(&self, partition: &str, sort: &str) -> Result<Option<(u64, String)>, RuntimeError> {
        let get = self.dynamodb().await.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", string(partition)).key("sk", string(sort));
        let got = get.send().await.map_err(failure(GET))?;
        let Some(item) = got.item().filter(|item| self.is_fresh(item)) else { return Ok(None) };
        let version = number(item, "version").and_then(|version| u64::try_from(version).ok());
        let version =
            version.ok_or_else(|| RuntimeError::stored(GET, "an item has no number in `version`"))?;
        Ok(Some((version, text(GET, item, "text")?.to_owned())))
    }

    async fn swap(&self, write: ConditionalWrite<'_>) -> Result<bool, RuntimeError> {
        let ConditionalWrite { partition, sort, seen, text, due } = write;
        let put = self.dynamodb().await.put_item().table_name(&self.table);
        let next = seen.map_or(1, |seen| seen + 1).to_string();
        let mut put = put
            .item("pk", string(partition))
            .item("sk", string(sort))
            .item("text", string(text))
            .item("version", AttributeValue::N(next))
            .item("expires", self.expires());
        if let Some(due) = due {
            put = put.item("open", string("y")).item("due", string(&due.to_string()));
        }
        put = match seen {
            Some(seen) => put
                .condition_expression("#version = :seen")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":seen", AttributeValue::N(seen.to_string())),
            // One that has expired isn't there, whether it was deleted or not.
            None => put
                .condition_expression("attribute_not_exists(pk) OR #expires <= :now")
                .expression_attribute_names("#expires", "expires")
                .expression_attribute_values(":now", AttributeValue::N(self.now().timestamp().to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(false)
            }
            Err(error) => Err(failure(PUT)(error)),
        }
    }

    async fn open(&self) -> Result<Vec<Open>, RuntimeError> {
        let query = self.dynamodb().await.query().table_name(&self.table).index_name("open");
        let query = query
            .key_condition_expression("#open = :yes")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":yes", string("y"));
        let mut items = query.into_paginator().items().send();
        let mut open = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(failure(QUERY))?;
            // The index of a table that an earlier stack has left doesn't have it.
            let due = item.get("due").and_then(|due| due.as_s().ok()).and_then(|due| due.parse().ok());
            let (partition, sort) =
                (text(QUERY, &item, "pk")?.to_owned(), text(QUERY, &item, "sk")?.to_owned());
            open.push(Open { partition, sort, due });
        }
        Ok(open)
    }
}
