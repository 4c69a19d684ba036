//! Asks the policy for one request, and writes refusals down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kastellan_core::authorize::{
    Basis, Permit, Question, Refusal, authorize, authorize_any, authorized_operations,
};
use kastellan_core::event::{ApiFacts, Class, ClientFacts, Event, Outcome};
use kastellan_core::host::Host;
use kastellan_core::operation::Operation;
use kastellan_core::policy::Policy;
use kastellan_core::ports::{PolicySource, Requester};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::{Resource, ResourceType};
use kastellan_core::rule::Effect;
use wire::api;
use wire::header::RequestStart;
use wire::text::Str;

use crate::gateway::Core;
use crate::meters::{self, WHOLE};
use crate::session::Session;
use crate::uses::{Counts, Held, SEVERAL, Use, Who};

/// Topics that brokers keep for themselves.
const INTERNAL: [&str; 3] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
];

pub(super) fn is_internal(topic: &str) -> bool {
    INTERNAL.contains(&topic)
}

/// What is known of a request when its judge is gone.
#[derive(Default)]
pub(super) struct Tally {
    refused: AtomicBool,
    timed: AtomicBool,
}

impl Tally {
    /// The policy refused something.
    pub(super) fn refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// One request's view of the policy: one snapshot from the first check to the last.
pub(super) struct Judge<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) session: Arc<Session>,
    pub(super) start: RequestStart,
    policy: Arc<Policy>,
    began: tokio::time::Instant,
    tally: &'a Tally,
    held: &'a mut Held,
    refused: Vec<(Operation, ResourceType, String, Basis)>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        core: &'a Arc<Core>,
        session: Arc<Session>,
        start: RequestStart,
        tally: &'a Tally,
        held: &'a mut Held,
    ) -> Self {
        let policy = core.ports.policy.current();
        Self {
            core,
            session,
            start,
            policy,
            began: tokio::time::Instant::now(),
            tally,
            held,
            refused: Vec::new(),
        }
    }

    /// What may look at answers later, on the newest policy.
    pub(super) fn eyes(&self) -> Eyes {
        Eyes {
            policy: self.core.ports.policy.clone(),
            principal: self.session.principal.name().clone(),
            host: self.session.host.clone(),
            judged_at: self.policy.clone(),
        }
    }

    /// The name of a topic id. An id without one is never forwarded: the upstream may know it by then.
    pub(super) async fn name_of(&self, id: uuid::Uuid) -> Option<Str> {
        self.core.topology.name_of(id, self.began).await
    }

    fn ask(&self, operation: Operation, resource: Resource<'_>) -> Result<Permit, Basis> {
        let question = Question {
            principal: self.session.principal.name(),
            host: &self.session.host,
            operation,
            resource,
        };
        let permit = self.decide(&question).map_err(|refusal| refusal.basis())?;
        if resource.kind == ResourceType::Topic
            && !self.may_touch_internal(operation, resource.name, permit.basis())
        {
            return Err(Basis::Default);
        }
        Ok(permit)
    }

    /// The first decision of a request is timed: one look at the clock a request, not one a topic.
    fn decide(&self, question: &Question<'_>) -> Result<Permit, Refusal> {
        if self.tally.timed.swap(true, Ordering::Relaxed) {
            return authorize(&self.policy, question);
        }
        let since = tokio::time::Instant::now();
        let decision = authorize(&self.policy, question);
        WHOLE.authorize.record(since.elapsed());
        decision
    }

    /// Writing to a broker's own topics, and reading two of them, takes a rule that names the topic.
    fn may_touch_internal(&self, operation: Operation, topic: &str, basis: Basis) -> bool {
        let is_guarded = match operation {
            Operation::Write => is_internal(topic),
            Operation::Read => is_internal(topic) && topic != "__consumer_offsets",
            _ => false,
        };
        let names_it = |id| {
            self.policy.rule(id).is_some_and(|rule| {
                rule.definition.effect == Effect::Allow && *rule.definition.resource.name == *topic
            })
        };
        !is_guarded
            || match basis {
                Basis::SuperUser => true,
                Basis::Rule(id) => names_it(id),
                _ => false,
            }
    }

    /// Whether the operation is allowed; a refusal is written down.
    pub(super) fn may(&mut self, operation: Operation, resource: Resource<'_>) -> Option<Permit> {
        match self.ask(operation, resource) {
            Ok(permit) => Some(permit),
            Err(basis) => {
                self.refused
                    .push((operation, resource.kind, resource.name.to_owned(), basis));
                None
            }
        }
    }

    /// Whether it is allowed; a refusal is only a filter and is not written down.
    pub(super) fn probe(&self, operation: Operation, resource: Resource<'_>) -> Option<Permit> {
        self.ask(operation, resource).ok()
    }

    /// Whether it is allowed on at least one resource of the type.
    pub(super) fn may_somewhere(
        &mut self,
        operation: Operation,
        kind: ResourceType,
    ) -> Option<Permit> {
        let (principal, host) = (self.session.principal.name(), &self.session.host);
        match authorize_any(&self.policy, principal, host, operation, kind) {
            Ok(permit) => Some(permit),
            Err(refusal) => {
                self.refused
                    .push((operation, kind, "*".to_owned(), refusal.basis()));
                None
            }
        }
    }

    /// Where a use is counted. The first one of a topic in a session is written down by itself.
    pub(super) fn used(
        &mut self,
        what: Use,
        name: &Str,
        basis: Basis,
        client_id: Option<&Str>,
    ) -> Arc<Counts> {
        let session = &self.session;
        let who = |client| Who {
            principal: session.principal.name().clone(),
            proof: session.principal.proof().mechanism(),
            ip: session.peer.ip().to_canonical(),
            listener: session.listener.name.clone(),
            client,
        };
        let uses = &self.core.uses;
        let found = self.held.find(uses, what, name, basis, client_id, who);
        if found.is_first && matches!(what, Use::Produce | Use::Fetch) && *name != SEVERAL {
            let mut event = self.event("first_use", Class::Info, Outcome::Allowed, client_id);
            event.rule = Some(basis.to_string());
            event.op = Some(what.operation().name().to_owned());
            let event = event.on(ResourceType::Topic.keyword(), name);
            self.core.ports.trail.note(event);
        }
        found.counts
    }

    /// Where names are counted that a listing leaves out.
    pub(super) fn filtered(&mut self, client_id: Option<&Str>) -> Arc<Counts> {
        let name = Str::from_static(api::name(self.start.api_key));
        self.used(Use::Filtered, &name, Basis::Default, client_id)
    }

    /// Who asks, for a change.
    pub(super) fn requester(&self) -> Requester {
        Requester {
            principal: self.session.principal.name().clone(),
            proof: self.session.principal.proof().mechanism(),
            peer: Some(self.session.peer),
            listener: self.session.listener.name.to_string(),
        }
    }

    /// An event about this request: who, from where, with what.
    pub(super) fn event(
        &self,
        kind: &str,
        class: Class,
        outcome: Outcome,
        client_id: Option<&Str>,
    ) -> Event {
        use kastellan_core::event::cut;
        let Session {
            principal,
            peer,
            listener,
            software,
            ..
        } = self.session.as_ref();
        let mut event = Event::new(kind, class, outcome)
            .by(principal.name(), Some(principal.proof().mechanism()))
            .from_peer(*peer, &listener.name);
        event.session = Some(self.session.id);
        event.client = Some(ClientFacts {
            id: client_id.map(|id| cut(id)),
            software: software.name.as_deref().map(cut),
            version: software.version.as_deref().map(cut),
        });
        event.api = Some(ApiFacts {
            name: api::name(self.start.api_key).to_owned(),
            key: self.start.api_key,
            version: self.start.api_version,
            correlation: self.start.correlation_id,
        });
        event
    }

    /// Writes refusals to the trail. Called before the answer goes out; the refusal stands even if it cannot be written.
    pub(super) async fn record(&mut self, client_id: Option<&Str>) {
        let refused = std::mem::take(&mut self.refused);
        let Some((operation, _, _, basis)) = refused.first() else {
            return;
        };
        self.tally.refused.store(true, Ordering::Relaxed);
        let why = if matches!(basis, Basis::Rule(_)) {
            "deny_rule"
        } else {
            "no_rule"
        };
        let mut event = self
            .event(
                "authz.refused",
                Class::Critical,
                Outcome::Refused,
                client_id,
            )
            .why(why);
        event.rule = Some(basis.to_string());
        event.op = Some(operation.name().to_owned());
        for (_, kind, name, _) in &refused {
            event = event.on(kind.keyword(), name);
        }
        meters::of(self.start.api_key).refusals.add(1);
        if let Err(error) = self.core.ports.trail.record(event).await {
            tracing::warn!(%error, "Refusal could not be written to the trail");
        }
    }
}

/// Looks at answers for a principal, with the policy as it is then.
#[derive(Clone)]
pub(super) struct Eyes {
    policy: Arc<dyn PolicySource>,
    principal: PrincipalName,
    host: Host,
    judged_at: Arc<Policy>,
}

impl Eyes {
    pub(super) fn may_see(&self, operation: Operation, resource: Resource<'_>) -> bool {
        let policy = self.policy.current();
        let question = Question {
            principal: &self.principal,
            host: &self.host,
            operation,
            resource,
        };
        authorize(&policy, &question).is_ok()
    }

    /// Whether the policy is still the one that the request was judged by.
    pub(super) fn is_current(&self) -> bool {
        self.policy.current().epoch() == self.judged_at.epoch()
    }

    /// Kafka's bit field of granted operations.
    pub(super) fn operations(&self, resource: Resource<'_>) -> i32 {
        authorized_operations(
            &self.policy.current(),
            &self.principal,
            &self.host,
            resource,
        )
    }
}

/// Adds a permit to those collected so far.
pub(super) fn collect(all: &mut Option<Permit>, one: Option<Permit>) -> bool {
    match one {
        None => false,
        Some(one) => {
            *all = Some(match all.take() {
                None => one,
                Some(before) => before.and(one),
            });
            true
        }
    }
}
