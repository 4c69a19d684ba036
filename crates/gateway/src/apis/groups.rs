//! Consumer groups: their members' requests, listings, descriptions, deletion.

use std::time::Duration;

use bytes::Bytes;
use kastellan_core::authorize::Permit;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::Request;
use wire::error::ErrorCode;
use wire::message::describe_groups_response::DescribedGroup;
use wire::message::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, DeleteGroupsRequest,
    DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse, HeartbeatRequest,
    HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
    ListGroupsRequest, SyncGroupRequest, SyncGroupResponse,
};
use wire::text::Str;

use super::changes::{self, Change, NOTHING, UNRECORDED};
use super::judge::Judge;
use super::merge::{once, split, take_repeated};
use super::{Asked, PLAIN, Plan, Treatment, decode, own_time};
use crate::cause::Cause;
use crate::uses::Use;

/// Of events in the trail.
pub(super) const KIND: &str = "admin.group";
const GROUP_DENIED: i16 = ErrorCode::GROUP_AUTHORIZATION_FAILED.code();
/// A sync waits for the leader as long as its rebalance may take.
const SYNC: Duration = Duration::from_secs(30 * 60);

/// A request about one group: Read on it, then the bytes go on as they came.
async fn pass<R: Request>(
    judge: &mut Judge<'_>,
    frame: Bytes,
    asked: &Asked<R>,
    group: &str,
    deadline: Duration,
    refusal: &R::Response,
) -> Result<Treatment, Cause> {
    let permit = judge.may(Operation::Read, Resource::group(group));
    if let Some(permit) = &permit {
        let client_id = asked.header.client_id.as_ref();
        let counts = judge.used(Use::Group, &Str::from(group), permit.basis(), client_id);
        counts.request(0);
    }
    judge.record(asked.header.client_id.as_ref()).await;
    match permit {
        None => asked.answer(refusal),
        Some(permit) if asked.was_stripped => asked.forward(permit, deadline),
        Some(permit) => Ok(Treatment::Forward {
            request: frame.into(),
            permit,
            plan: Plan::pass(deadline),
        }),
    }
}

pub(super) async fn join(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<JoinGroupRequest>(frame.clone())?;
    let version = asked.header.api_version;
    let refusal = JoinGroupResponse {
        error_code: GROUP_DENIED,
        generation_id: -1,
        protocol_name: if version >= 7 { None } else { Some(Str::EMPTY) },
        ..Default::default()
    };
    let group = asked.body.group_id.clone();
    let deadline = join_time(version, &asked.body);
    pass(&mut judge, frame, &asked, &group, deadline, &refusal).await
}

/// A join is answered when every member is there, which may take as long as a rebalance.
fn join_time(version: i16, request: &JoinGroupRequest) -> Duration {
    own_time(if version == 0 {
        request.session_timeout_ms
    } else {
        request.rebalance_timeout_ms
    })
}

pub(super) async fn sync(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<SyncGroupRequest>(frame.clone())?;
    let misses_protocol = asked.body.protocol_type.is_none() || asked.body.protocol_name.is_none();
    if asked.header.api_version >= 5 && misses_protocol {
        let error_code = ErrorCode::INCONSISTENT_GROUP_PROTOCOL.code();
        return asked.answer(&SyncGroupResponse {
            error_code,
            ..Default::default()
        });
    }
    let refusal = SyncGroupResponse {
        error_code: GROUP_DENIED,
        ..Default::default()
    };
    let group = asked.body.group_id.clone();
    pass(&mut judge, frame, &asked, &group, SYNC, &refusal).await
}

pub(super) async fn heartbeat(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<HeartbeatRequest>(frame.clone())?;
    let refusal = HeartbeatResponse {
        error_code: GROUP_DENIED,
        ..Default::default()
    };
    let group = asked.body.group_id.clone();
    pass(&mut judge, frame, &asked, &group, PLAIN, &refusal).await
}

pub(super) async fn leave(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<LeaveGroupRequest>(frame.clone())?;
    let refusal = LeaveGroupResponse {
        error_code: GROUP_DENIED,
        ..Default::default()
    };
    let group = asked.body.group_id.clone();
    pass(&mut judge, frame, &asked, &group, PLAIN, &refusal).await
}

/// A member of a group as KIP-848 has them: not here, in the words of Apache Kafka with `group.version` 0 and, as there,
/// whoever asks. Offered nevertheless, since librdkafka tells its application of this answer and not of a missing API;
/// franz-go joins as before when it hears it.
pub(super) async fn newer_heartbeat(_judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<ConsumerGroupHeartbeatRequest>(frame)?;
    asked.answer(&ConsumerGroupHeartbeatResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION.code(),
        ..Default::default()
    })
}

pub(super) async fn describe(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<DescribeGroupsRequest>(frame)?;
    let wants_operations = std::mem::take(&mut asked.body.include_authorized_operations);
    let mut groups = std::mem::take(&mut asked.body.groups);
    once(&mut groups, |group| Some(group.clone()));
    let groups = split(&mut judge, Operation::Describe, groups, |group| {
        Resource::group(group)
    });
    judge.record(asked.header.client_id.as_ref()).await;
    let refused: Vec<DescribedGroup> = groups
        .refused
        .into_iter()
        .map(|group_id| DescribedGroup {
            error_code: GROUP_DENIED,
            group_id,
            authorized_operations: i32::MIN,
            ..Default::default()
        })
        .collect();
    let permit = groups
        .permit
        .or_else(|| refused.is_empty().then(Permit::unprotected));
    let Some(permit) = permit else {
        return asked.answer(&DescribeGroupsResponse {
            groups: refused,
            ..Default::default()
        });
    };
    asked.body.groups = groups.allowed;
    let eyes = judge.eyes();
    asked.forward_and(permit, PLAIN, move |response| {
        for group in &mut response.groups {
            group.authorized_operations = if wants_operations && group.error_code == 0 {
                eyes.operations(Resource::group(&group.group_id))
            } else {
                i32::MIN
            };
        }
        response.groups.splice(0..0, refused);
    })
}

pub(super) async fn list(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<ListGroupsRequest>(frame)?;
    if let Some(permit) = judge.probe(Operation::Describe, Resource::CLUSTER) {
        return asked.forward(permit, PLAIN);
    }
    let eyes = judge.eyes();
    let filtered = judge.filtered(asked.header.client_id.as_ref());
    asked.forward_and(Permit::unprotected(), PLAIN, move |response| {
        let found = response.groups.len();
        response
            .groups
            .retain(|group| eyes.may_see(Operation::Describe, Resource::group(&group.group_id)));
        filtered.left_out(found - response.groups.len());
    })
}

pub(super) async fn delete(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    use wire::message::delete_groups_response::DeletableGroupResult;
    let mut asked = decode::<DeleteGroupsRequest>(frame)?;
    let mut groups = std::mem::take(&mut asked.body.groups_names);
    // One that is named twice is answered once.
    let twice = take_repeated(&mut groups, Str::clone);
    groups.extend(twice);
    let groups = split(&mut judge, Operation::Delete, groups, |group| {
        Resource::group(group)
    });
    let client_id = asked.header.client_id.clone();
    judge.record(client_id.as_ref()).await;
    let not_deleted = |group_id: Str, code: i16| DeletableGroupResult {
        group_id,
        error_code: code,
        ..Default::default()
    };
    let refused = groups.refused.into_iter();
    let mut refused: Vec<DeletableGroupResult> = refused
        .map(|group| not_deleted(group, GROUP_DENIED))
        .collect();
    let mut allowed = groups.allowed;
    let gone = allowed.iter().map(|group| Change {
        on: Resource::group(group),
        after: "deleted".to_owned(),
    });
    let announced =
        changes::announce(&judge, client_id.as_ref(), KIND, Operation::Delete, gone).await;
    let announced = announced.unwrap_or_else(|_| {
        let unrecorded = allowed.drain(..);
        refused.extend(unrecorded.map(|group| not_deleted(group, UNRECORDED.code())));
        NOTHING
    });
    let permit = groups
        .permit
        .filter(|_| !allowed.is_empty())
        .or_else(|| refused.is_empty().then(Permit::unprotected));
    let Some(permit) = permit else {
        return asked.answer(&DeleteGroupsResponse {
            results: refused,
            ..Default::default()
        });
    };
    asked.body.groups_names = allowed;
    asked.forward_and(permit, PLAIN, move |response| {
        announced.done(response.results.iter().map(|group| group.error_code));
        response.results.extend(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn join_group_outlives_default_deadline() {
        let request = JoinGroupRequest {
            session_timeout_ms: 100_000,
            rebalance_timeout_ms: 300_000,
            ..Default::default()
        };
        for version in 0..=9 {
            let own = if version == 0 { 100 } else { 300 };
            let deadline = join_time(version, &request);
            assert!(
                deadline > PLAIN && deadline > Duration::from_secs(own),
                "{version}"
            );
        }
        let wrong = JoinGroupRequest {
            rebalance_timeout_ms: -1,
            ..Default::default()
        };
        assert_eq!(join_time(5, &wrong), own_time(0));
    }
}
