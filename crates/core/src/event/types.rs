//! Every type of event: what it says and which fields it may have. The reference page is made from this table, and
//! whatever writes an event that is not in it fails its tests.

use super::{Class, Event, Outcome};

use Class::{Aggregate, Critical, Decision, Info};
use Outcome::{Allowed, Failed, Filtered, Ok as Done, Refused, Unknown};

/// A type of event.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    pub name: &'static str,
    pub class: Class,
    pub outcomes: &'static [Outcome],
    /// Fields that an event of this type may have, beside its type, class and outcome.
    pub fields: &'static [&'static str],
    pub counts: &'static [&'static str],
    pub detail: &'static [&'static str],
    pub meaning: &'static str,
}

const REQUEST: &[&str] = &[
    "why",
    "rule",
    "principal",
    "session",
    "peer",
    "client",
    "api",
    "op",
    "resources",
    "resources_more",
    "counts",
    "change",
    "ref",
];
const LOCAL: &[&str] = &[
    "principal",
    "peer",
    "resources",
    "resources_more",
    "change",
    "ref",
    "detail",
];
const LOGIN: &[&str] = &["why", "principal", "session", "peer", "detail"];
const USE: &[&str] = &[
    "rule",
    "principal",
    "peer",
    "client",
    "op",
    "resources",
    "counts",
];
const CHANGE: &[Outcome] = &[Allowed, Done, Failed, Unknown];

const fn request(name: &'static str, meaning: &'static str) -> Type {
    Type {
        name,
        class: Critical,
        outcomes: CHANGE,
        fields: REQUEST,
        counts: &["done", "failed"],
        detail: &[],
        meaning,
    }
}

const fn local(name: &'static str, detail: &'static [&'static str], meaning: &'static str) -> Type {
    Type {
        name,
        class: Critical,
        outcomes: CHANGE,
        fields: LOCAL,
        counts: &[],
        detail,
        meaning,
    }
}

const fn own(
    name: &'static str,
    outcomes: &'static [Outcome],
    fields: &'static [&'static str],
    counts: &'static [&'static str],
    detail: &'static [&'static str],
    meaning: &'static str,
) -> Type {
    Type {
        name,
        class: Critical,
        outcomes,
        fields,
        counts,
        detail,
        meaning,
    }
}

const fn used(name: &'static str, counts: &'static [&'static str], meaning: &'static str) -> Type {
    Type {
        name,
        class: Aggregate,
        outcomes: &[Allowed],
        fields: USE,
        counts,
        detail: &[],
        meaning,
    }
}

/// Types by name.
#[rustfmt::skip]
pub const TYPES: &[Type] = &[
    request("admin.config", "Settings of a topic, a group or the cluster: the names of the settings, never their values."),
    request("admin.group", "A consumer group or its committed offsets are deleted."),
    request("admin.records", "Records of a topic are deleted."),
    request("admin.topic", "A topic is created (also by being asked for), deleted, or gets more partitions."),
    own("auth.flood", &[Failed], &["why"], &[], &[], "Many failed logins: sources that never logged in are turned away for a while."),
    own("auth.handshake", &[Failed], &["why", "peer", "detail"], &[], &["error"], "A TLS handshake failed, or something else than Kafka knocked."),
    Type { name: "auth.login", class: Decision, outcomes: &[Done, Failed], fields: LOGIN, counts: &[], detail: &["mechanism"], meaning: "A client logged in and its session began; or it was refused, and this is then critical." },
    Type { name: "auth.reauthenticated", class: Decision, outcomes: &[Done, Failed], fields: LOGIN, counts: &[], detail: &["mechanism"], meaning: "A session proved itself again on its connection; or failed to, and this is then critical." },
    Type { name: "auth.session_ended", class: Info, outcomes: &[Done], fields: &["why", "principal", "session", "peer"], counts: &[], detail: &[], meaning: "A session ended. Why: `client_closed`, `idle`, `revoked`, `expired`, `draining`, `hidden_api`, and the other causes that the metric `gateway_disconnects_total` names." },
    Type { name: "authz.filtered", class: Aggregate, outcomes: &[Filtered], fields: &["principal", "peer", "client", "counts", "detail"], counts: &["from", "to", "requests", "left_out"], detail: &["api"], meaning: "Names that were left out of listings, by the minute." },
    own("authz.refused", &[Refused], REQUEST, &[], &[], "The policy refused something of a request."),
    local("client.certificate", &["listener", "serial"], "A certificate is issued to a service, or those of a service are revoked."),
    used("data.fetch", &["from", "to", "requests", "partitions", "bytes"], "Reading a topic, by the minute. Bytes are those of answers; where one answer held several topics they stand under the name `(several)`."),
    used("data.produce", &["from", "to", "requests", "partitions", "records", "bytes"], "Writing to a topic, by the minute."),
    Type { name: "first_use", class: Info, outcomes: &[Allowed], fields: REQUEST, counts: &[], detail: &[], meaning: "The first allowed read or write of a topic in a session. The only event that may be dropped when the queue is full; a `trail.gap` then counts it." },
    used("group.use", &["from", "to", "requests"], "Requests of members of a consumer group, by the minute."),
    own("log.anchor", &[Done], &["detail"], &[], &["bytes", "digest", "sequence"], "Where the embedded log's record of itself stands, so that a directory that was put back is noticed."),
    own("log.corruption", &[Failed], &["resources", "detail"], &[], &["file", "partition", "position", "reason"], "A partition of the embedded log cannot be trusted and is not served."),
    own("log.failed", &[Failed], &["detail"], &[], &["reason"], "The embedded log promises nothing any more; the server ends."),
    own("log.quarantined", &[Done], &["detail"], &[], &["file"], "Something that the embedded log does not know of was set aside."),
    own("log.repair", &[Done], &["resources", "detail"], &[], &["from", "journal", "lost", "partition", "position"], "Damage of the embedded log is about to be repaired by hand, and what is lost by it."),
    own("log.rolled_back", &[Failed], &["detail"], &[], &["reason"], "The embedded log's directory is older than the trail says."),
    own("log.root_forgotten", &[Done], &["detail"], &[], &["version"], "A root key that nothing is sealed with any more was forgotten."),
    own("log.root_rotated", &[Done], &["detail"], &[], &["version"], "The embedded log seals with another root key from here on."),
    local("policy.rule", &["listener"], "A rule is added or removed."),
    local("policy.super_users", &["listener"], "Whom no rule binds, as the configuration file says it."),
    own("system.config", &[Done, Failed], &["why"], &[], &[], "The configuration was read again; `failed`: the old one stays in force."),
    own("system.listener", &[Done], &["why", "detail"], &[], &["listener"], "A listener is opened, changed or closed."),
    own("system.start", &[Done], &[], &[], &[], "The server answers from here on."),
    own("system.stop", &[Done], &[], &[], &[], "The server ended in order."),
    own("trail.clock_step", &[Done], &["detail"], &[], &["milliseconds"], "The clock of the machine was set. Times may repeat from here, numbers never do."),
    own("trail.folded", &[Refused], &["counts", "detail"], &["events"], &["key"], "Refusals of one type from one address beyond those written in full, within one second."),
    own("trail.gap", &[Failed], &["counts"], &["events"], &[], "Events that could not be written."),
    own("trail.opened", &[Done], &[], &[], &[], "A process began to write."),
    own("trail.recovered", &[Done], &["why", "counts"], &["cut_bytes", "last_seq"], &[], "The last entry had been cut in the writing and was removed."),
    local("user.create", &["listener"], "A person or service is added."),
    local("user.delete", &["listener"], "A person or service is deleted."),
    local("user.disable", &["listener"], "Logins of a person or service are refused, or let in again."),
    local("user.secret", &["listener", "mechanism"], "A password or secret is set or taken away."),
];

/// The type of that name.
pub fn find(name: &str) -> Option<&'static Type> {
    TYPES
        .binary_search_by_key(&name, |one| one.name)
        .ok()
        .and_then(|at| TYPES.get(at))
}

/// Whether an event is as its type says; else what is wrong with it.
pub fn check(event: &Event) -> Result<(), String> {
    let kind = find(&event.kind).ok_or_else(|| format!("there is no event {:?}", event.kind))?;
    let is_failed_login = event.outcome == Failed && event.class == Critical;
    if event.class != kind.class && !is_failed_login {
        return Err(format!("{} is not {:?}", kind.name, event.class));
    }
    if !kind.outcomes.contains(&event.outcome) {
        return Err(format!("{} is never {:?}", kind.name, event.outcome));
    }
    let present = [
        ("why", event.why.is_some()),
        ("rule", event.rule.is_some()),
        ("principal", event.principal.is_some()),
        ("session", event.session.is_some()),
        ("peer", event.peer.is_some()),
        ("client", event.client.is_some()),
        ("api", event.api.is_some()),
        ("op", event.op.is_some()),
        ("resources", !event.resources.is_empty()),
        ("resources_more", event.resources_more.is_some()),
        ("counts", !event.counts.is_empty()),
        ("change", event.change.is_some()),
        ("ref", event.refers.is_some()),
        ("detail", !event.detail.is_empty()),
    ];
    let known = |among: &[&str], name: &str| among.contains(&name);
    let odd = present
        .iter()
        .find(|(name, is_there)| *is_there && !known(kind.fields, name))
        .map(|(name, _)| (*name).to_owned())
        .or_else(|| {
            event
                .counts
                .keys()
                .find(|key| !known(kind.counts, key))
                .cloned()
        })
        .or_else(|| {
            event
                .detail
                .keys()
                .find(|key| !known(kind.detail, key))
                .cloned()
        });
    match odd {
        Some(field) => Err(format!("{} has no {field:?}", kind.name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/trail-events.md"
    );

    fn word<T: serde::Serialize>(value: T) -> String {
        serde_json::to_string(&value)
            .unwrap()
            .trim_matches('"')
            .to_owned()
    }

    /// The reference page, from the table.
    fn page() -> String {
        let mut page = String::from(include_str!("page.md"));
        let list = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|one| format!("`{one}`")).collect();
            if words.is_empty() {
                "-".to_owned()
            } else {
                words.join(" ")
            }
        };
        for one in TYPES {
            let outcomes: Vec<String> = one.outcomes.iter().map(word).collect();
            let outcomes: Vec<&str> = outcomes.iter().map(String::as_str).collect();
            let fields: Vec<&str> = one
                .fields
                .iter()
                .copied()
                .filter(|field| !["counts", "detail"].contains(field))
                .collect();
            page.push_str(&format!("\n## `{}`\n\n{}\n\n", one.name, one.meaning));
            page.push_str(
                "| class | outcomes | fields | counts | detail |\n|---|---|---|---|---|\n",
            );
            page.push_str(&format!(
                "| {} | {} | {} | {} | {} |\n",
                word(one.class),
                list(&outcomes),
                list(&fields),
                list(one.counts),
                list(one.detail)
            ));
        }
        page
    }

    #[test]
    fn trail_page_is_current() {
        assert!(
            std::fs::read_to_string(PATH).unwrap_or_default() == page(),
            "write it anew: cargo test -p kastellan-core write_trail_page -- --ignored"
        );
    }

    #[test]
    #[ignore = "writes docs/reference/trail-events.md"]
    fn write_trail_page() {
        std::fs::write(PATH, page()).unwrap();
    }

    #[test]
    fn types_are_in_the_order_of_their_names() {
        assert!(TYPES.is_sorted_by(|one, other| one.name < other.name));
    }

    #[test]
    fn event_is_what_its_type_says_and_nothing_else() {
        let refused = Event::new("authz.refused", Critical, Refused);
        assert_eq!(check(&refused.clone().why("no_rule")), Ok(()));
        assert!(check(&refused.clone().with("secret", "x")).is_err());
        let other = Event {
            outcome: Done,
            ..refused.clone()
        };
        assert!(check(&other).is_err());
        let other = Event {
            class: Info,
            ..refused
        };
        assert!(check(&other).is_err());
        assert!(check(&Event::new("made.up", Critical, Done)).is_err());
    }
}
