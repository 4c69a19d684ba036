//! DescribeUserScramCredentials and AlterUserScramCredentials: answered from our own store, so that
//! `kafka-configs.sh --entity-type users` manages the gateway. Only derived keys arrive, never a password.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use kastellan_core::credential::{ITERATIONS, ScramMechanism};
use kastellan_core::operation::Operation;
use kastellan_core::ports::{ChangeError, ScramChange};
use kastellan_core::resource::Resource;
use kastellan_core::secret::Secret;
use wire::error::ErrorCode;
use wire::message::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use wire::message::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use wire::message::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use wire::message::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse,
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
};
use wire::sasl::scram::keys;
use wire::text::Str;

use super::judge::Judge;
use super::{Treatment, decode};
use crate::cause::Cause;

const DENIED: ErrorCode = ErrorCode::CLUSTER_AUTHORIZATION_FAILED;
const DENIED_TEXT: Str = Str::from_static("Cluster authorization failed.");

type Refusal = (ErrorCode, String);

pub(super) async fn describe(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<DescribeUserScramCredentialsRequest>(frame)?;
    let wanted: Vec<Str> = asked
        .body
        .users
        .iter()
        .flatten()
        .map(|user| user.name.clone())
        .collect();
    if judge.may(Operation::Describe, Resource::CLUSTER).is_none() {
        judge.record(asked.header.client_id.as_ref()).await;
        let results = wanted.iter().map(|_| DescribeUserScramCredentialsResult {
            error_code: DENIED.code(),
            error_message: None,
            ..Default::default()
        });
        return asked.answer(&DescribeUserScramCredentialsResponse {
            error_code: DENIED.code(),
            error_message: None,
            results: results.collect(),
            ..Default::default()
        });
    }
    let known: HashMap<String, Vec<(ScramMechanism, u32)>> =
        judge.core.ports.scram.list().into_iter().collect();
    let mut names = wanted;
    if names.is_empty() {
        names = known.keys().map(Str::from).collect();
        names.sort();
    }
    let mut times: HashMap<Str, usize> = HashMap::new();
    for name in &names {
        *times.entry(name.clone()).or_default() += 1;
    }
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let results = names.into_iter().map(|name| {
        if times.get(&name).is_some_and(|times| *times > 1) {
            let text = format!("Cannot describe SCRAM credentials for the same user twice in a single request: {name}");
            return described(name, Err((ErrorCode::DUPLICATE_RESOURCE, text)));
        }
        match known.get(name.as_str()) {
            Some(credentials) => described(name, Ok(credentials)),
            None => {
                let text = format!("Attempt to describe a user credential that does not exist: {name}");
                described(name, Err((ErrorCode::RESOURCE_NOT_FOUND, text)))
            }
        }
    });
    asked.answer(&DescribeUserScramCredentialsResponse {
        results: results.collect(),
        ..Default::default()
    })
}

fn described(
    user: Str,
    outcome: Result<&Vec<(ScramMechanism, u32)>, Refusal>,
) -> DescribeUserScramCredentialsResult {
    match outcome {
        Ok(credentials) => DescribeUserScramCredentialsResult {
            user,
            credential_infos: credentials
                .iter()
                .map(|(mechanism, iterations)| CredentialInfo {
                    mechanism: mechanism.code(),
                    iterations: i32::try_from(*iterations).unwrap_or(i32::MAX),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        },
        Err((code, text)) => DescribeUserScramCredentialsResult {
            user,
            error_code: code.code(),
            error_message: Some(text.into()),
            ..Default::default()
        },
    }
}

pub(super) async fn alter(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<AlterUserScramCredentialsRequest>(frame)?;
    let mut wanted: BTreeMap<Str, Vec<Wanted<'_>>> = BTreeMap::new();
    for deletion in &asked.body.deletions {
        let of_user = wanted.entry(deletion.name.clone()).or_default();
        of_user.push(Wanted::Deletion(deletion));
    }
    for upsertion in &asked.body.upsertions {
        let of_user = wanted.entry(upsertion.name.clone()).or_default();
        of_user.push(Wanted::Upsertion(upsertion));
    }
    if judge.may(Operation::Alter, Resource::CLUSTER).is_none() {
        judge.record(asked.header.client_id.as_ref()).await;
        let results = wanted
            .into_keys()
            .map(|name| altered(name, Err((DENIED, DENIED_TEXT.to_string()))));
        return asked.answer(&AlterUserScramCredentialsResponse {
            results: results.collect(),
            ..Default::default()
        });
    }
    let mut results = Vec::new();
    let mut changes = Vec::new();
    let mut changed_names = Vec::new();
    for (name, of_user) in wanted {
        match the_change(&of_user) {
            Ok(change) => {
                changes.push(change);
                changed_names.push(name);
            }
            Err(refusal) => results.push(altered(name, Err(refusal))),
        }
    }
    let outcomes = judge
        .core
        .ports
        .scram
        .change(changes, &judge.requester())
        .await;
    for (name, outcome) in changed_names.into_iter().zip(outcomes) {
        results.push(altered(
            name,
            outcome.map_err(|error| (change_code(&error), error.to_string())),
        ));
    }
    asked.answer(&AlterUserScramCredentialsResponse {
        results,
        ..Default::default()
    })
}

/// What a request wants done to one user's credential.
enum Wanted<'a> {
    Deletion(&'a ScramCredentialDeletion),
    Upsertion(&'a ScramCredentialUpsertion),
}

/// One user twice, also for two mechanisms: none of that user's changes happen. What is wrong with one of them is told
/// first, as by Kafka's `ScramControlManager`.
fn the_change(wanted: &[Wanted<'_>]) -> Result<ScramChange, Refusal> {
    let mut changes = Vec::with_capacity(wanted.len());
    for one in wanted {
        changes.push(match one {
            Wanted::Deletion(deletion) => deletion_of(deletion)?,
            Wanted::Upsertion(upsertion) => upsertion_of(upsertion)?,
        });
    }
    match (changes.pop(), changes.is_empty()) {
        (Some(change), true) => Ok(change),
        _ => Err((
            ErrorCode::DUPLICATE_RESOURCE,
            "A user credential cannot be altered twice in the same request".to_owned(),
        )),
    }
}

fn change_code(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::UnknownUser(_) | ChangeError::UnknownCredential(_) => {
            ErrorCode::RESOURCE_NOT_FOUND
        }
        ChangeError::Invalid(_) | ChangeError::TooMany(_) => ErrorCode::UNACCEPTABLE_CREDENTIAL,
        ChangeError::Unavailable(_) => ErrorCode::POLICY_VIOLATION,
    }
}

fn altered(user: Str, outcome: Result<(), Refusal>) -> AlterUserScramCredentialsResult {
    match outcome {
        Ok(()) => AlterUserScramCredentialsResult {
            user,
            error_message: None,
            ..Default::default()
        },
        Err((code, text)) => AlterUserScramCredentialsResult {
            user,
            error_code: code.code(),
            error_message: Some(text.into()),
            ..Default::default()
        },
    }
}

fn user_and_mechanism(name: &Str, code: i8) -> Result<(String, ScramMechanism), Refusal> {
    if name.is_empty() {
        return Err((
            ErrorCode::UNACCEPTABLE_CREDENTIAL,
            "Username must not be empty".to_owned(),
        ));
    }
    let mechanism = ScramMechanism::from_code(code).ok_or_else(|| {
        (
            ErrorCode::UNSUPPORTED_SASL_MECHANISM,
            "Unknown SCRAM mechanism".to_owned(),
        )
    })?;
    Ok((name.to_string(), mechanism))
}

fn deletion_of(deletion: &ScramCredentialDeletion) -> Result<ScramChange, Refusal> {
    let (user, mechanism) = user_and_mechanism(&deletion.name, deletion.mechanism)?;
    Ok(ScramChange::Delete { user, mechanism })
}

fn upsertion_of(upsertion: &ScramCredentialUpsertion) -> Result<ScramChange, Refusal> {
    let (user, mechanism) = user_and_mechanism(&upsertion.name, upsertion.mechanism)?;
    let unacceptable = |text: &str| (ErrorCode::UNACCEPTABLE_CREDENTIAL, text.to_owned());
    let iterations = u32::try_from(upsertion.iterations).unwrap_or(0);
    if iterations < *ITERATIONS.start() {
        return Err(unacceptable("Too few iterations"));
    }
    if iterations > *ITERATIONS.end() {
        return Err(unacceptable("Too many iterations"));
    }
    let salted = Secret::from(upsertion.salted_password.as_ref());
    let verifier = keys::verifier_from_salted(mechanism, &salted, &upsertion.salt, iterations)
        .map_err(|error| unacceptable(&error.to_string()))?;
    Ok(ScramChange::Set { user, verifier })
}
