//! The first start: an `admin` account, what it may do, and what is said to whoever started it.

use kastellan_core::host::HostPattern;
use kastellan_core::operation::Operation;
use kastellan_core::ports::{Requester, RuleStore};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::{ResourcePattern, ResourceType};
use kastellan_core::rule::{Effect, RuleDefinition};
use kastellan_core::secret::Secret;
use store::{Store, UserName};

use crate::admin::api::Ready;

pub const ADMIN: &str = "admin";

/// Makes the account with everything allowed by rules that can be taken away again. Returns the password if it was made
/// here.
pub async fn make_admin(store: &Store, password: Option<String>) -> anyhow::Result<Option<String>> {
    let by = Requester {
        principal: PrincipalName::user(ADMIN),
        proof: "FIRST-START",
        peer: None,
        listener: "first start".to_owned(),
    };
    let (secret, told) = match password {
        Some(password) => (Secret::from(password), None),
        None => {
            let made = Store::random_password()?;
            let text = String::from_utf8_lossy(made.expose()).into_owned();
            (made, Some(text))
        }
    };
    store
        .add_person(&UserName::parse(ADMIN)?, secret, &by)
        .await?;
    let everything = [
        ResourceType::Topic,
        ResourceType::Group,
        ResourceType::TransactionalId,
    ]
    .map(|kind| ResourcePattern::literal(kind, "*"));
    let rules = everything
        .into_iter()
        .chain([ResourcePattern::cluster()])
        .map(|resource| RuleDefinition {
            effect: Effect::Allow,
            subject: PrincipalName::user(ADMIN),
            host: HostPattern::Any,
            operation: Operation::All,
            resource,
        });
    store.add(rules.collect(), &by).await?;
    Ok(told)
}

/// What the first start says: addresses, the password, three commands to try.
pub fn welcome(ready: &Ready, data: &str, password: Option<&str>) -> String {
    let mut out = listening(ready);
    match password {
        Some(password) => out.push_str(&format!(
            "\nuser admin, password (shown this once):\n  {password}\n"
        )),
        None => out.push_str("\nuser admin, with the password from the file\n"),
    }
    out.push_str(&format!(
        "\nnext:\n  \
         kastellan client add orders-app --kafka --data {data}\n  \
         kastellan rule add allow User:orders-app Create,Read,Write topic:orders --data {data}\n  \
         kastellan status --data {data}\n"
    ));
    out
}

/// What every start says.
pub fn listening(ready: &Ready) -> String {
    let mut out = String::from("kastellan is ready\n");
    if let Some(address) = &ready.kafka {
        out.push_str(&format!("  Kafka, SASL over TLS         {address}\n"));
    }
    if let Some(address) = &ready.kafka_mtls {
        out.push_str(&format!("  Kafka, client certificates   {address}\n"));
    }
    out.push_str(&format!(
        "  metrics and health           http://{}\n",
        ready.ops
    ));
    out.push_str(&format!("  clients trust                {}\n", ready.ca));
    out
}
