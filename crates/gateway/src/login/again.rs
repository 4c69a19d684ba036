//! Re-authentication (KIP-368): a session proves itself again, on the connection it has.
//!
//! In: the SaslHandshake that begins it. Out: the principal, proven anew. Mechanism and principal stay what they were;
//! the session is found by revocations of the new credential from here on, and by none of the old one.

use bytes::Bytes;
use kastellan_core::principal::{Principal, Proof};
use wire::sasl::Mechanism;

use super::line::Line;
use super::sasl::{Dialogue, Wrong};
use super::{Denied, Knock, Round, by_credential, confirm};
use crate::cause::Cause;
use crate::config::{Listener, LoginKind};
use crate::gateway::Core;
use crate::session::Session;

const OTHER_PRINCIPAL: &str = "Cannot change principals during re-authentication";

/// Proves a session again, within the time of a login.
pub async fn log_in_again<L: Line>(
    core: &Core,
    session: &Session,
    line: &mut L,
    handshake: Bytes,
) -> Result<Principal, Cause> {
    let listener = session.listener.now();
    let knock = Knock {
        core,
        listener: &listener,
        peer: session.peer,
        chain: None,
        chain_ends: session.chain_ends,
    };
    let dialogue = Dialogue::new(&knock, Round::Again, line);
    let limit = core.deadlines().login;
    tokio::time::timeout(limit, converse(dialogue, session, handshake))
        .await
        .map_err(|_| Cause::LoginDeadline)?
}

async fn converse<L: Line>(
    mut dialogue: Dialogue<'_, '_, L>,
    session: &Session,
    handshake: Bytes,
) -> Result<Principal, Cause> {
    let offered = same_mechanism(dialogue.knock.listener, session);
    let mechanism = dialogue.handshake(handshake, &offered).await?;
    let proven = dialogue.prove(mechanism).await?;
    let knock = dialogue.knock;
    let principal = by_credential(knock, &proven.user, mechanism.name(), proven.credential);
    if principal.name() != session.principal.name() {
        let error = format!("session belongs to {}", session.principal);
        let wrong = Wrong::after_proof(&proven.user, &error, "other_principal", OTHER_PRINCIPAL);
        return Err(dialogue.refuse(&proven.header, mechanism, wrong).await);
    }
    knock.core.registry.replace(session.id, &principal);
    match confirm(knock, Round::Again, &principal, session.id).await {
        Ok(()) => {}
        Err(Denied::Unavailable) => return Err(Cause::Overload),
        Err(denied) => {
            let wrong = Wrong::denied(&proven.user, &denied);
            return Err(dialogue.refuse(&proven.header, mechanism, wrong).await);
        }
    }
    dialogue.accept(proven, &principal).await?;
    Ok(principal)
}

/// What may be chosen: the mechanism of the session, as long as the listener offers it.
fn same_mechanism(listener: &Listener, session: &Session) -> Vec<Mechanism> {
    let LoginKind::Sasl(offered) = &listener.login else {
        return Vec::new();
    };
    let Proof::Credential { mechanism, .. } = session.principal.proof() else {
        return Vec::new();
    };
    let same = offered.iter().filter(|one| one.name() == *mechanism);
    same.copied().collect()
}
