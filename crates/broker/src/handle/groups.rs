//! Groups: join, sync, heartbeat, leave, and what administrators ask of them.
//!
//! Translates between messages and the group machine. Some answers differ by version: those rules are here.

use std::collections::HashSet;

use wire::error::ErrorCode;
use wire::message::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use wire::message::join_group_response::JoinGroupResponseMember;
use wire::message::leave_group_response::MemberResponse;
use wire::message::list_groups_response::ListedGroup;
use wire::message::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse, SyncGroupRequest, SyncGroupResponse,
    delete_groups_response::DeletableGroupResult,
};
use wire::text::Str;

use super::Ask;
use crate::groups::{
    Answer, Beat, Described, Event, Identity, Join, Joined, Leave, Left, Sync, Synced,
};

/// Type of every group here, as ListGroups calls it.
const CLASSIC: &str = "classic";
const GONE: ErrorCode = ErrorCode::COORDINATOR_NOT_AVAILABLE;

fn identity(member: Str, instance: Option<Str>) -> Identity {
    Identity { member, instance }
}

pub(super) async fn join(ask: &Ask, request: JoinGroupRequest) -> JoinGroupResponse {
    let version = ask.version();
    let member = request.member_id.clone();
    let rebalance_timeout_ms = match version {
        0 => request.session_timeout_ms,
        _ => request.rebalance_timeout_ms,
    };
    let protocols = request
        .protocols
        .into_iter()
        .map(|protocol| (protocol.name, protocol.metadata));
    let join = Join {
        group: request.group_id,
        who: identity(request.member_id, request.group_instance_id),
        client_id: ask.client_id(),
        host: Str::from(format!("/{}", ask.peer.host.to_canonical())),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms,
        protocol_type: request.protocol_type,
        protocols: protocols.collect(),
        version,
        fresh: uuid::Uuid::new_v4(),
    };
    let answer = ask
        .shared
        .coordinator
        .ask(move |waiter| Event::Join(waiter, join))
        .await;
    let joined = match answer {
        Some(Answer::Join(joined)) => joined,
        _ => Joined {
            error: GONE,
            generation: -1,
            member,
            ..Joined::default()
        },
    };
    JoinGroupResponse {
        error_code: joined.error.0,
        generation_id: joined.generation,
        protocol_type: joined.protocol_type,
        // Null only from version 7 on.
        protocol_name: joined
            .protocol
            .or_else(|| (version < 7).then_some(Str::EMPTY)),
        leader: joined.leader,
        skip_assignment: joined.skip_assignment,
        member_id: joined.member,
        members: joined
            .members
            .into_iter()
            .map(|member| JoinGroupResponseMember {
                member_id: member.who.member,
                group_instance_id: member.who.instance,
                metadata: member.metadata,
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

pub(super) async fn sync(ask: &Ask, request: SyncGroupRequest) -> SyncGroupResponse {
    // Named and needed from version 5 on (KIP-559).
    if ask.version() >= 5 && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
        return SyncGroupResponse {
            error_code: ErrorCode::INCONSISTENT_GROUP_PROTOCOL.0,
            ..Default::default()
        };
    }
    let assignments = request
        .assignments
        .into_iter()
        .map(|one| (one.member_id, one.assignment));
    let sync = Sync {
        group: request.group_id,
        who: identity(request.member_id, request.group_instance_id),
        generation: request.generation_id,
        protocol_type: request.protocol_type,
        protocol: request.protocol_name,
        assignments: assignments.collect(),
    };
    let answer = ask
        .shared
        .coordinator
        .ask(move |waiter| Event::Sync(waiter, sync))
        .await;
    let synced = match answer {
        Some(Answer::Sync(synced)) => synced,
        _ => Synced {
            error: GONE,
            ..Synced::default()
        },
    };
    SyncGroupResponse {
        error_code: synced.error.0,
        protocol_type: synced.protocol_type,
        protocol_name: synced.protocol,
        assignment: synced.assignment,
        ..Default::default()
    }
}

pub(super) async fn heartbeat(ask: &Ask, request: HeartbeatRequest) -> HeartbeatResponse {
    let beat = Beat {
        group: request.group_id,
        who: identity(request.member_id, request.group_instance_id),
        generation: request.generation_id,
    };
    let answer = ask
        .shared
        .coordinator
        .ask(move |waiter| Event::Heartbeat(waiter, beat))
        .await;
    let code = match answer {
        Some(Answer::Heartbeat(code)) => code,
        _ => GONE,
    };
    HeartbeatResponse {
        error_code: code.0,
        ..Default::default()
    }
}

pub(super) async fn leave(ask: &Ask, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let names_many = ask.version() >= 3;
    let who = match names_many {
        true => request
            .members
            .into_iter()
            .map(|member| identity(member.member_id, member.group_instance_id))
            .collect(),
        false => vec![identity(request.member_id, None)],
    };
    let leave = Leave {
        group: request.group_id,
        who,
    };
    let answer = ask
        .shared
        .coordinator
        .ask(move |waiter| Event::Leave(waiter, leave))
        .await;
    let left = match answer {
        Some(Answer::Leave(left)) => left,
        _ => Left {
            error: GONE,
            members: Vec::new(),
        },
    };
    if !names_many {
        let first = left
            .members
            .first()
            .map_or(ErrorCode::NONE, |(_, code)| *code);
        let code = if left.error == ErrorCode::NONE {
            first
        } else {
            left.error
        };
        return LeaveGroupResponse {
            error_code: code.0,
            ..Default::default()
        };
    }
    LeaveGroupResponse {
        error_code: left.error.0,
        members: left
            .members
            .into_iter()
            .map(|(who, code)| MemberResponse {
                member_id: who.member,
                group_instance_id: who.instance,
                error_code: code.0,
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

pub(super) async fn describe(ask: &Ask, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let wanted = request.groups;
    let found = ask
        .shared
        .coordinator
        .look(move |groups| {
            let describe = |id: Str| match groups.describe(&id) {
                Some(group) => Ok(group),
                None => Err(id),
            };
            wanted.into_iter().map(describe).collect::<Vec<_>>()
        })
        .await;
    let described = found
        .unwrap_or_default()
        .into_iter()
        .map(|group| match group {
            Ok(group) => described(group),
            Err(id) => unknown(id, ask.version()),
        });
    DescribeGroupsResponse {
        groups: described.collect(),
        ..Default::default()
    }
}

fn described(group: Described) -> DescribedGroup {
    DescribedGroup {
        group_id: group.group,
        group_state: Str::from_static(group.state),
        protocol_type: group.protocol_type,
        protocol_data: group.protocol,
        members: group
            .members
            .into_iter()
            .map(|member| DescribedGroupMember {
                member_id: member.who.member,
                group_instance_id: member.who.instance,
                client_id: member.client_id,
                client_host: member.host,
                member_metadata: member.metadata,
                member_assignment: member.assignment,
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

/// A group that does not exist is an error from version 6 on (KIP-1043) and was a dead group before.
fn unknown(group_id: Str, version: i16) -> DescribedGroup {
    let error_message = (version >= 6).then(|| Str::from(format!("Group {group_id} not found.")));
    DescribedGroup {
        error_code: match version {
            6.. => ErrorCode::GROUP_ID_NOT_FOUND.0,
            _ => ErrorCode::NONE.0,
        },
        error_message,
        group_id,
        group_state: Str::from_static("Dead"),
        ..Default::default()
    }
}

pub(super) async fn list(ask: &Ask, request: ListGroupsRequest) -> ListGroupsResponse {
    let lower = |texts: &[Str]| {
        texts
            .iter()
            .map(|text| text.to_lowercase())
            .collect::<HashSet<_>>()
    };
    let (states, types) = (lower(&request.states_filter), lower(&request.types_filter));
    let Some(groups) = ask.shared.coordinator.look(|groups| groups.list()).await else {
        return ListGroupsResponse {
            error_code: GONE.0,
            ..Default::default()
        };
    };
    let wanted = groups
        .into_iter()
        .filter(|group| states.is_empty() || states.contains(&group.state.to_lowercase()))
        .filter(|_| types.is_empty() || types.contains(CLASSIC));
    let listed = wanted.map(|group| ListedGroup {
        group_id: group.group,
        protocol_type: group.protocol_type,
        group_state: Str::from_static(group.state),
        group_type: Str::from_static(CLASSIC),
        ..Default::default()
    });
    ListGroupsResponse {
        groups: listed.collect(),
        ..Default::default()
    }
}

pub(super) async fn delete(ask: &Ask, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut names = request.groups_names;
    // One that is named twice is answered once.
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let asked = names.clone();
    let answer = ask
        .shared
        .coordinator
        .ask(move |waiter| Event::DeleteGroups(waiter, asked))
        .await;
    let codes = match answer {
        Some(Answer::DeleteGroups(codes)) => codes,
        _ => names.into_iter().map(|name| (name, GONE)).collect(),
    };
    let results = codes
        .into_iter()
        .map(|(group_id, code)| DeletableGroupResult {
            group_id,
            error_code: code.0,
            ..Default::default()
        });
    DeleteGroupsResponse {
        results: results.collect(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_group_is_dead_before_version_6_and_an_error_from_it_on() {
        let old = unknown("g".into(), 5);
        assert_eq!(
            (old.error_code, &*old.group_state, old.error_message),
            (0, "Dead", None)
        );
        let new = unknown("g".into(), 6);
        assert_eq!(
            (new.error_code, new.error_message.as_deref()),
            (69, Some("Group g not found."))
        );
    }
}
