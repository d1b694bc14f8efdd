//! What is called: tables of API calls with what CloudTrail records about them.

pub(crate) mod changes;
pub(crate) mod deploy;
pub(crate) mod reads;

/// One API call as records show it.
#[derive(Debug)]
pub(crate) struct Call {
    /// How often, among its table.
    pub(crate) weight: u32,
    /// `eventSource` without `.amazonaws.com`.
    pub(crate) source: &'static str,
    /// `eventName`.
    pub(crate) name: &'static str,
    /// `requestParameters`.
    pub(crate) request: &'static str,
    /// `responseElements`.
    pub(crate) response: &'static str,
    /// `additionalEventData`, if any.
    pub(crate) additional: &'static str,
    /// The resource the record names, if any: type and ARN.
    pub(crate) resource: Option<(&'static str, &'static str)>,
    /// The service that calls and its service-linked role, where only that one does.
    pub(crate) by: (&'static str, &'static str),
    /// Whether it is a data event.
    pub(crate) data: bool,
    /// Whether it is recorded in us-east-1 only.
    pub(crate) global: bool,
}

/// A call with nothing to say yet.
pub(crate) const fn call(weight: u32, source: &'static str, name: &'static str) -> Call {
    Call {
        weight,
        source,
        name,
        request: "null",
        response: "null",
        additional: "",
        resource: None,
        by: ("", ""),
        data: false,
        global: false,
    }
}

impl Call {
    pub(crate) const fn asks(mut self, request: &'static str) -> Self {
        self.request = request;
        self
    }

    pub(crate) const fn gets(mut self, response: &'static str) -> Self {
        self.response = response;
        self
    }

    pub(crate) const fn adds(mut self, additional: &'static str) -> Self {
        self.additional = additional;
        self
    }

    pub(crate) const fn on(mut self, kind: &'static str, arn: &'static str) -> Self {
        self.resource = Some((kind, arn));
        self
    }

    pub(crate) const fn by(mut self, service: &'static str, role: &'static str) -> Self {
        self.by = (service, role);
        self
    }

    pub(crate) const fn data(mut self) -> Self {
        self.data = true;
        self
    }

    pub(crate) const fn global(mut self) -> Self {
        self.global = true;
        self
    }

    /// The name without the version that some services put behind it.
    pub(crate) fn plain_name(&self) -> &'static str {
        self.name.find("20").and_then(|at| self.name.get(..at)).unwrap_or(self.name)
    }
}

/// One call of `table`, by weight; in other regions than us-east-1 none of the global ones.
pub(crate) fn choose(table: &'static [Call], region: &str, rng: &mut fastrand::Rng) -> &'static Call {
    const NOTHING: &Call = &call(1, "sts", "GetCallerIdentity");
    let here = || table.iter().filter(|call| region == "us-east-1" || !call.global);
    let total: u32 = here().map(|call| call.weight).sum();
    let mut roll = rng.u32(..total.max(1));
    here()
        .find(|call| {
            let found = roll < call.weight;
            roll = roll.saturating_sub(call.weight);
            found
        })
        .unwrap_or(NOTHING)
}
