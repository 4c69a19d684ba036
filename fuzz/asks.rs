//! Whether a request that got through asks for anything in particular.
//!
//! A request whose list is empty names nothing that could be refused: the upstream answers it, whoever asks.

use wire::Message;
use wire::codec::Reader;
use wire::header::RequestHeader;
use wire::message::*;

/// `true` also for what cannot be read: the gateway reads what it lets through.
pub fn names_something(header: &RequestHeader, reader: &mut Reader) -> bool {
    macro_rules! is_empty {
        ($request:ty, $($list:ident),+) => {
            <$request>::decode(reader, header.api_version).is_ok_and(|asked| true $(&& asked.$list.is_empty())+)
        };
    }
    let is_empty = match header.api_key {
        0 => is_empty!(ProduceRequest, topic_data),
        1 => is_empty!(FetchRequest, topics),
        9 => is_empty!(OffsetFetchRequest, groups, group_id),
        15 => is_empty!(DescribeGroupsRequest, groups),
        19 => is_empty!(CreateTopicsRequest, topics),
        20 => is_empty!(DeleteTopicsRequest, topics, topic_names),
        32 => is_empty!(DescribeConfigsRequest, resources),
        33 => is_empty!(AlterConfigsRequest, resources),
        37 => is_empty!(CreatePartitionsRequest, topics),
        42 => is_empty!(DeleteGroupsRequest, groups_names),
        44 => is_empty!(IncrementalAlterConfigsRequest, resources),
        _ => false,
    };
    !is_empty
}
