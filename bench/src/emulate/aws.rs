//! The AWS calls that the functions make, answered at once: a table in memory, and yes to everything else.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::http::{Connection, Request};
use super::listen::{listen, on_each_connection};
use crate::error::Error;

/// The server. It ends with the program.
#[derive(Clone, Debug)]
pub(super) struct Aws {
    address: SocketAddr,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// The table, by partition and sort key.
    items: BTreeMap<(String, String), Value>,
    calls: BTreeMap<String, usize>,
}

/// What is answered: content type and body.
type Answer = (&'static str, Vec<u8>);

impl Aws {
    /// Serves on loopback.
    pub(super) fn serve(port: u16) -> Result<Self, Error> {
        let listener = listen(port)?;
        let address = listener.local_addr().map_err(|source| Error::Network { source })?;
        let known = Arc::<Mutex<Known>>::default();
        let server = Arc::clone(&known);
        on_each_connection(listener, move |connection| converse(connection, &server));
        Ok(Self { address, known })
    }

    /// Where it serves.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forgets all items and calls: what the next event finds, it finds first.
    pub(super) fn forget(&self) {
        *lock(&self.known) = Known::default();
    }

    /// The calls since then.
    pub(super) fn calls(&self) -> BTreeMap<String, usize> {
        lock(&self.known).calls.clone()
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn converse(mut connection: Connection<TcpStream>, known: &Mutex<Known>) -> io::Result<()> {
    while let Some(request) = connection.request()? {
        let (kind, body) = lock(known).call(&request);
        // The SDK takes nothing for CBOR that doesn't say so here.
        let head = format!("content-type: {kind}\r\nsmithy-protocol: rpc-v2-cbor\r\n");
        connection.answer("200 OK", &head, &body)?;
    }
    Ok(())
}

impl Known {
    fn call(&mut self, request: &Request) -> Answer {
        let (name, answer) = match request.header("x-amz-target") {
            Some(target) => {
                let name = target.rsplit('.').next().unwrap_or(target);
                let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                (name, ("application/x-amz-json-1.0", self.table(name, &asked).to_string().into_bytes()))
            }
            // `/service/NAME/operation/OPERATION`
            None if request.path.starts_with("/service/") => {
                const EMPTY_MAP: u8 = 0xa0;
                (request.path.rsplit('/').next().unwrap_or_default(), ("application/cbor", vec![EMPTY_MAP]))
            }
            // The bucket that bench/lambda.py names.
            None if request.path.starts_with("/handsoff-cases/") => ("PutObject", ("text/xml", Vec::new())),
            None => {
                let form = std::str::from_utf8(&request.body).unwrap_or_default();
                let name =
                    form.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap_or_default();
                (name, ("text/xml", sns(name).into_bytes()))
            }
        };
        *self.calls.entry(name.to_owned()).or_default() += 1;
        answer
    }

    /// Every condition is met: there is one function only.
    fn table(&mut self, name: &str, asked: &Value) -> Value {
        let text = |value: &Value, at: &str| {
            value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let key = |item: &Value| (text(item, "/pk/S"), text(item, "/sk/S"));
        let part = |name: &str| asked.get(name).cloned().unwrap_or_default();
        match name {
            "PutItem" => {
                let item = part("Item");
                match self.items.insert(key(&item), item) {
                    Some(old) if part("ReturnValues") == "ALL_OLD" => json!({ "Attributes": old }),
                    _ => json!({}),
                }
            }
            "GetItem" => match self.items.get(&key(&part("Key"))) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            },
            "Query" => {
                let value = |name: &str| text(&part("ExpressionAttributeValues"), &format!("/{name}/S"));
                let (partition, from, to) = (value(":pk"), value(":from"), value(":to"));
                let range = (partition.clone(), from)..=(partition, to);
                let items = self.items.iter().filter(|(key, _)| range.contains(key));
                let items: Vec<&Value> = items.map(|(_, item)| item).collect();
                json!({ "Count": items.len(), "ScannedCount": items.len(), "Items": items })
            }
            _ => json!({}),
        }
    }
}

fn sns(name: &str) -> String {
    let result = match name {
        "Publish" => "<MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId>",
        "ListSubscriptionsByTopic" => "<Subscriptions/>",
        _ => "",
    };
    format!(
        "<{name}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{name}Result>{result}</{name}Result>\
         <ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata>\
         </{name}Response>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(known: &mut Known, name: &str, asked: &Value) -> Value {
        let headers = vec![("x-amz-target".to_owned(), format!("DynamoDB_20120810.{name}"))];
        let body = asked.to_string().into_bytes();
        let (_, answer) = known.call(&Request { headers, body, ..Request::default() });
        serde_json::from_slice(&answer).unwrap()
    }

    #[test]
    fn the_table_remembers() {
        let mut known = Known::default();
        let key = json!({ "pk": { "S": "p" }, "sk": { "S": "s" } });
        let put = json!({ "Item": key, "ReturnValues": "ALL_OLD" });
        let get = json!({ "Key": key });
        assert_eq!(table(&mut known, "GetItem", &get), json!({}));
        assert_eq!(table(&mut known, "PutItem", &put), json!({}));
        assert_eq!(table(&mut known, "PutItem", &put), json!({ "Attributes": key }));
        assert_eq!(table(&mut known, "GetItem", &get), json!({ "Item": key }));
        let query = |from: &str| {
            let values = json!({ ":pk": { "S": "p" }, ":from": { "S": from }, ":to": { "S": "z" } });
            json!({ "ExpressionAttributeValues": values })
        };
        assert_eq!(table(&mut known, "Query", &query("a"))["Count"], 1);
        assert_eq!(table(&mut known, "Query", &query("t"))["Count"], 0);
        assert_eq!(known.calls["PutItem"], 2);
    }

    #[test]
    fn what_the_others_answer_is_of_their_kind() {
        let mut known = Known::default();
        let path = "/service/X/operation/PutMetricData".to_owned();
        assert_eq!(known.call(&Request { path, ..Request::default() }).0, "application/cbor");
        let body = b"Action=Publish&Version=2010-03-31".to_vec();
        let (kind, text) = known.call(&Request { body, ..Request::default() });
        assert!(kind == "text/xml" && String::from_utf8(text).unwrap().contains("<MessageId>"));
        assert_eq!(known.calls.keys().collect::<Vec<_>>(), ["Publish", "PutMetricData"]);
    }
}
