//! One CloudTrail event, as CloudTrail wrote it.

use std::borrow::Cow;

use crate::json::{Malformed, Members, Raw};

/// A CloudTrail record, borrowed from the text it stands in.
///
/// Every field is optional and none is parsed before it is asked for, so that nothing but broken JSON on
/// the top level can make a record unreadable. Field names and meaning: "`CloudTrail` record contents for
/// management, data, and network activity events" in the CloudTrail user guide.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// The whole record.
    pub text: &'a str,
    /// `addendum`: what a late or corrected record says of itself.
    pub addendum: Raw<'a>,
    /// `additionalEventData`: an object that differs from service to service.
    pub additional_event_data: Raw<'a>,
    /// `awsRegion`.
    pub aws_region: Raw<'a>,
    /// `errorCode`; CloudTrail leaves it out when the call succeeded.
    pub error_code: Raw<'a>,
    /// `errorMessage`, cut at 1 KB. A failed `ConsoleLogin` has it without an `errorCode`.
    pub error_message: Raw<'a>,
    /// `eventCategory`: Management, Data, `NetworkActivity` or Insight.
    pub event_category: Raw<'a>,
    /// `eventID`: identifies the event. The same event may be delivered more than once.
    pub event_id: Raw<'a>,
    /// `eventName`: the API operation, now and then with a version suffix.
    pub event_name: Raw<'a>,
    /// `eventSource`: the service, as in `ec2.amazonaws.com`.
    pub event_source: Raw<'a>,
    /// `eventTime`: when the call was completed, UTC.
    pub event_time: Raw<'a>,
    /// `eventType`: `AwsApiCall`, `AwsServiceEvent`, `AwsConsoleAction`, `AwsConsoleSignIn`, `AwsVpceEvents`,
    /// `AwsAggregatedEvent` …
    pub event_type: Raw<'a>,
    /// `eventVersion`: of the record's format.
    pub event_version: Raw<'a>,
    /// `managementEvent`.
    pub management_event: Raw<'a>,
    /// `readOnly`: what the service says of the call; not always what one would say of its verb.
    pub read_only: Raw<'a>,
    /// `recipientAccountId`: the account that the record was delivered to.
    pub recipient_account_id: Raw<'a>,
    /// `requestParameters`: may hold secrets.
    pub request_parameters: Raw<'a>,
    /// `resources`: a list of what the call touched, with ARNs.
    pub resources: Raw<'a>,
    /// `responseElements`: may hold live session credentials.
    pub response_elements: Raw<'a>,
    /// `sessionCredentialFromConsole`: set for calls from a console session, by some services only.
    pub session_credential_from_console: Raw<'a>,
    /// `requestID`: what the service that was called gave the request.
    pub request_id: Raw<'a>,
    /// `sharedEventID`: the same for the copies that went to several accounts.
    pub shared_event_id: Raw<'a>,
    /// `sourceIPAddress`: an address, or the DNS name of a service.
    pub source_ip_address: Raw<'a>,
    /// `userAgent`: chosen by the caller.
    pub user_agent: Raw<'a>,
    /// `userIdentity`: see [`crate::Identity`].
    pub user_identity: Raw<'a>,
    /// `vpcEndpointAccountId`: the account that owns the endpoint.
    pub vpc_endpoint_account_id: Raw<'a>,
    /// `vpcEndpointId`.
    pub vpc_endpoint_id: Raw<'a>,
}

/// What stands at one place of a log.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for one record; a box would be an allocation for each"
)]
pub enum Entry<'a> {
    /// A record.
    Record(Record<'a>),
    /// The object is a container: its `Records` array starts at this byte of the text.
    Records(usize),
    /// An object that has none of a record's fields: a wrapper, or something else.
    Other(Raw<'a>),
}

impl<'a> Record<'a> {
    /// Reads the object at the start of `text`, of which more may follow, and says where it ends.
    ///
    /// A container ends, for the caller, where its array of records starts.
    ///
    /// # Errors
    /// When the object's top level is not JSON, or the text ends inside it.
    pub fn read(text: &'a str) -> Result<(Entry<'a>, usize), Malformed> {
        let mut record = Self::default();
        let mut members = Members::of(text);
        while let Some(key) = members.key() {
            let key = key?;
            let value = members.value_or_array(&key)?;
            let Some(value) = value else {
                return Ok((Entry::Records(members.position()), members.position()));
            };
            if let Some(field) = record.field(&key) {
                *field = value;
            }
        }
        let end = members.position();
        record.text = text.get(..end).unwrap_or_default();
        if record.is_record() {
            return Ok((Entry::Record(record), end));
        }
        let (raw, _) = Raw::at(record.text, 0)?;
        Ok((Entry::Other(raw), end))
    }

    fn field(&mut self, key: &str) -> Option<&mut Raw<'a>> {
        Some(match key {
            "addendum" => &mut self.addendum,
            "additionalEventData" => &mut self.additional_event_data,
            "awsRegion" => &mut self.aws_region,
            "errorCode" => &mut self.error_code,
            "errorMessage" => &mut self.error_message,
            "eventCategory" => &mut self.event_category,
            "eventID" => &mut self.event_id,
            "eventName" => &mut self.event_name,
            "eventSource" => &mut self.event_source,
            "eventTime" => &mut self.event_time,
            "eventType" => &mut self.event_type,
            "eventVersion" => &mut self.event_version,
            "managementEvent" => &mut self.management_event,
            "readOnly" => &mut self.read_only,
            "recipientAccountId" => &mut self.recipient_account_id,
            "requestID" => &mut self.request_id,
            "requestParameters" => &mut self.request_parameters,
            "resources" => &mut self.resources,
            "responseElements" => &mut self.response_elements,
            "sessionCredentialFromConsole" => &mut self.session_credential_from_console,
            "sharedEventID" => &mut self.shared_event_id,
            "sourceIPAddress" => &mut self.source_ip_address,
            "userAgent" => &mut self.user_agent,
            "userIdentity" => &mut self.user_identity,
            "vpcEndpointAccountId" => &mut self.vpc_endpoint_account_id,
            "vpcEndpointId" => &mut self.vpc_endpoint_id,
            _ => return None,
        })
    }

    fn is_record(&self) -> bool {
        // SQS, SNS and S3 messages to a Lambda function have an event source too, of another kind.
        if self.event_source.as_str().starts_with("\"aws:") {
            return false;
        }
        // EventBridge's envelope and other wrappers share fields such as `resources`, but none of these.
        [self.event_name, self.event_source, self.event_id, self.user_identity, self.event_version]
            .iter()
            .any(|field| !field.is_absent())
    }

    /// Looks for the record inside a wrapper: an EventBridge envelope, a line of a log shipper, an SQS or
    /// SNS message whose body is JSON text, an entry of `aws cloudtrail lookup-events`.
    ///
    /// `found` is called for each record, with the text that it is borrowed from. Returns whether there
    /// was one. Looks five wrappers deep, and no deeper than one record's own fields.
    pub fn unwrap(wrapper: Raw<'_>, found: &mut dyn FnMut(Record<'_>)) -> bool {
        Self::unwrap_to(wrapper, 5, found)
    }

    fn unwrap_to(wrapper: Raw<'_>, depth: u8, found: &mut dyn FnMut(Record<'_>)) -> bool {
        if depth == 0 {
            return false;
        }
        let mut any = false;
        for (_, value) in wrapper.members().flatten() {
            if value.is_object() {
                any |= Self::enter(value.as_str(), depth, found);
            } else if value.is_array() {
                for element in value.elements().flatten().filter(|element| element.is_object()) {
                    any |= Self::enter(element.as_str(), depth, found);
                }
            } else if let Some(inner) = value.text().filter(|text| text.contains('{')) {
                any |= Self::enter_all(&inner, depth, found);
            }
        }
        any
    }

    /// Text that holds one value behind the other.
    fn enter_all(text: &str, depth: u8, found: &mut dyn FnMut(Record<'_>)) -> bool {
        let mut any = false;
        let mut rest = text.trim_start();
        while let Ok((value, end)) = Raw::at(rest, 0) {
            if value.is_object() {
                any |= Self::enter(value.as_str(), depth, found);
            } else {
                for element in value.elements().flatten().filter(|element| element.is_object()) {
                    any |= Self::enter(element.as_str(), depth, found);
                }
            }
            rest = rest
                .get(end..)
                .unwrap_or_default()
                .trim_start_matches(|char: char| char == ',' || char.is_whitespace());
        }
        any
    }

    fn enter(text: &str, depth: u8, found: &mut dyn FnMut(Record<'_>)) -> bool {
        match Record::read(text) {
            Ok((Entry::Record(record), _)) => {
                found(record);
                true
            }
            Ok((Entry::Other(_) | Entry::Records(_), _)) => match Raw::at(text, 0) {
                Ok((inner, _)) => Self::unwrap_to(inner, depth - 1, found),
                Err(_) => false,
            },
            Err(_) => false,
        }
    }

    /// Whether CloudTrail or the service says that the call failed.
    ///
    /// A failed step of a sign-in has no `errorCode`, but an answer such as `responseElements.ConsoleLogin` =
    /// `Failure`, named like the event. Only of the sign-in's own records: elsewhere such a word means something else.
    pub fn failed(&self) -> bool {
        self.error_code.text().is_some() || self.sign_in_failed()
    }

    fn sign_in_failed(&self) -> bool {
        let failure =
            |answer: Raw<'_>| answer.text().is_some_and(|text| text.eq_ignore_ascii_case("Failure"));
        self.is_sign_in()
            && self.response_elements.is_object()
            && self.response_elements.members().flatten().any(|(_, answer)| failure(answer))
    }

    /// Whether it is a sum of data events of some minutes: it has no `eventName`, no `eventID` and no caller.
    pub fn is_sum(&self) -> bool {
        self.event_type.as_str() == r#""AwsAggregatedEvent""#
    }

    /// Whether it says that something is unusual, and is no call: it has no caller, and may have no `eventName`.
    pub fn is_insight(&self) -> bool {
        self.event_type.as_str() == r#""AwsCloudTrailInsight""#
    }

    /// Whether it is of a kind that has no caller: what a service did by itself, an insight, a sum of calls.
    pub fn is_nobodys(&self) -> bool {
        self.is_sum() || self.is_insight() || self.event_type.as_str() == r#""AwsServiceEvent""#
    }

    /// Whether the record only repeats what another record of this account tells: the endpoint's record of a call that
    /// went through it and succeeded, or a sum of calls.
    ///
    /// A call that the endpoint's policy refused has no other record, nor has one that another account's caller made.
    pub fn is_told_elsewhere(&self) -> bool {
        let is_endpoints = || {
            let caller = self.user_identity.get("accountId").and_then(Raw::text);
            !self.failed() && caller.is_some() && caller == self.recipient_account_id.text()
        };
        self.is_sum() || (self.event_type.as_str() == r#""AwsVpceEvents""# && is_endpoints())
    }

    /// Whether a sign-in service wrote the record. Others' answers may have fields of the same names, of whatever
    /// meaning, and of the caller's choice.
    fn is_sign_in(&self) -> bool {
        self.event_source.text().is_some_and(|source| crate::partition::is_sign_in(&source))
    }

    /// The account that a call reached into from another, of the records that CloudTrail writes for both: its
    /// resources are all of that one.
    pub fn reached_account(&self) -> Option<Cow<'a, str>> {
        if !self.shared_event_id.has_text() {
            return None;
        }
        let mut accounts =
            self.resources.elements().flatten().map(|it| it.get("accountId").and_then(Raw::text));
        let first = accounts.next()??;
        accounts.all(|other| other.as_ref() == Some(&first)).then_some(first).filter(|it| !it.is_empty())
    }

    /// Whether it is the copy of a call's record that a VPC endpoint's owner gets: a network activity event.
    pub fn is_endpoint_copy(&self) -> bool {
        self.event_type.text().is_some_and(|kind| kind == "AwsVpceEvents")
    }

    /// Whether a session showed a second factor at sign-in: `additionalEventData.MFAUsed`, of sign-ins only.
    pub fn mfa_used(&self) -> Option<bool> {
        if !self.is_sign_in() {
            return None;
        }
        let used = self.additional_event_data.get("MFAUsed")?.text()?;
        if used.eq_ignore_ascii_case("yes") {
            Some(true)
        } else if used.eq_ignore_ascii_case("no") {
            Some(false)
        } else {
            None
        }
    }

    /// The resource that a denied call asked for, from AWS's own sentence in `errorMessage`: most services
    /// leave `requestParameters` out of denials.
    ///
    /// The sentence starts with the caller's ARN; the session's name in it can hold no blanks, so it can't
    /// forge what follows.
    pub fn denied_resource(&self) -> Option<String> {
        let message = self.error_message.text()?;
        let (_, action) = message.split_once(" is not authorized to perform: ")?;
        let (_, resource) = action.split_once(" on resource: ")?;
        let ends = [" because ", " with an explicit deny", "\n"];
        let end = ends.iter().filter_map(|end| resource.find(end)).min().unwrap_or(resource.len());
        resource
            .get(..end)
            .map(|resource| resource.trim().to_owned())
            .filter(|resource| !resource.is_empty() && resource != "*")
    }

    /// Whether `errorMessage` is AWS's sentence for a missing permission, whatever the code.
    ///
    /// A message may quote what the caller chose, the very words too. So the sentence counts only at the message's
    /// start: `User: ARN is not authorized to perform: ACTION`, or EC2's own. No blank stands in an ARN.
    pub fn is_denied_by_sentence(&self) -> bool {
        let Some(message) = self.error_message.text() else { return false };
        if message.starts_with("You are not authorized to perform this operation") {
            return true;
        }
        let Some((user, rest)) = message.strip_prefix("User: ").and_then(|rest| rest.split_once(' ')) else {
            return false;
        };
        let action = rest.strip_prefix("is not authorized to perform: ").unwrap_or_default();
        let is_user = user.starts_with("arn:") || user == "anonymous";
        is_user && action.split(' ').next().is_some_and(|action| action.contains(':'))
    }

    /// The ARN of the session that a `CreateOAuth2Token` granted (`aws login`): the first time, not when its keys are renewed
    /// (grant types in "`CreateOAuth2Token`", AWS Sign-In API reference). Of any other call it says nothing.
    pub fn granted_sign_in(&self) -> Option<Cow<'a, str>> {
        let renews = [self.request_parameters, self.additional_event_data]
            .into_iter()
            .flat_map(|raw| [raw, raw.get("tokenInput").unwrap_or_default()])
            .flat_map(|raw| [raw.get("grantType"), raw.get("grant_type")])
            .flatten()
            .any(|kind| kind.text().is_some_and(|kind| kind == "refresh_token"));
        let session = self.additional_event_data.get("signInSessionArn").and_then(Raw::text);
        let is_grant = self.error_code.is_absent() && !self.failed() && !renews;
        session.filter(|arn| is_grant && !arn.is_empty())
    }

    /// The role that an `AssumeRole*` call asked for: from the request, from the answer, or from what it was
    /// denied.
    pub fn assumed_role_arn(&self) -> Option<Cow<'a, str>> {
        self.named_role_arn().or_else(|| self.denied_resource().map(Cow::Owned))
    }

    fn named_role_arn(&self) -> Option<Cow<'a, str>> {
        self.request_parameters.get("roleArn").and_then(Raw::text).or_else(|| {
            self.resources.elements().flatten().find_map(|resource| {
                let arn = resource.get("ARN")?.text()?;
                crate::identity::Arn::split(&arn)
                    .is_some_and(|arn| arn.resource.starts_with("role/"))
                    .then_some(arn)
            })
        })
    }
}

#[cfg(test)]
mod tests;
