//! Entries of the catalog journal: bytes and back. An unknown type is refused: a newer format wrote it.

use bytes::Bytes;
use kastellan_core::time::Timestamp;
use uuid::Uuid;

use crate::bytes_io::{Fields, Malformed, Out};
use crate::offsets::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Cluster {
        id: String,
        node: i32,
    },
    Started {
        incarnation: u32,
    },
    /// End offset and length of the newest file, for each partition that has one.
    Stopped(Vec<(Place, i64, u64)>),
    TopicCreated {
        id: Uuid,
        name: String,
        partitions: i32,
        created: Timestamp,
    },
    TopicDeleted {
        id: Uuid,
    },
    PartitionsAdded {
        id: Uuid,
        count: i32,
    },
    /// Resource type as in Kafka's config APIs: topic 2, broker 4, group 32.
    Setting {
        scope: i8,
        name: String,
        key: String,
        value: Option<String>,
    },
    LogStart {
        place: Place,
        offset: i64,
        is_request: bool,
    },
    /// First producer id that was never handed out in a block.
    ProducerIds {
        next: i64,
    },
    Anchor {
        place: Place,
        base: i64,
        incarnation: u32,
        synced_end: i64,
    },
}

impl Entry {
    pub(crate) fn encode(&self) -> (u16, Bytes) {
        let mut out = Out::default();
        let kind = match self {
            Self::Cluster { id, node } => {
                out.text(id).put(node.to_be_bytes());
                1
            }
            Self::Started { incarnation } => {
                out.put(incarnation.to_be_bytes());
                2
            }
            Self::Stopped(list) => {
                out.count(list.len());
                for (place, end, len) in list {
                    put_place(&mut out, *place)
                        .put(end.to_be_bytes())
                        .put(len.to_be_bytes());
                }
                3
            }
            Self::TopicCreated {
                id,
                name,
                partitions,
                created,
            } => {
                out.uuid(*id)
                    .text(name)
                    .put(partitions.to_be_bytes())
                    .put(created.millis().to_be_bytes());
                4
            }
            Self::TopicDeleted { id } => {
                out.uuid(*id);
                5
            }
            Self::PartitionsAdded { id, count } => {
                out.uuid(*id).put(count.to_be_bytes());
                6
            }
            Self::Setting {
                scope,
                name,
                key,
                value,
            } => {
                out.put(scope.to_be_bytes())
                    .text(name)
                    .text(key)
                    .optional_text(value.as_deref());
                7
            }
            Self::LogStart {
                place,
                offset,
                is_request,
            } => {
                put_place(&mut out, *place)
                    .put(offset.to_be_bytes())
                    .put([u8::from(*is_request)]);
                8
            }
            Self::ProducerIds { next } => {
                out.put(next.to_be_bytes());
                9
            }
            Self::Anchor {
                place,
                base,
                incarnation,
                synced_end,
            } => {
                put_place(&mut out, *place)
                    .put(base.to_be_bytes())
                    .put(incarnation.to_be_bytes())
                    .put(synced_end.to_be_bytes());
                10
            }
        };
        (kind, out.0.into())
    }

    pub(crate) fn decode(kind: u16, body: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields(body);
        let entry = match kind {
            1 => Self::Cluster {
                id: fields.text()?,
                node: fields.i32()?,
            },
            2 => Self::Started {
                incarnation: fields.u32()?,
            },
            3 => {
                let mut list = Vec::new();
                for _ in 0..fields.count(36)? {
                    list.push((place(&mut fields)?, fields.i64()?, fields.u64()?));
                }
                Self::Stopped(list)
            }
            4 => Self::TopicCreated {
                id: fields.uuid()?,
                name: fields.text()?,
                partitions: fields.i32()?,
                created: Timestamp(fields.i64()?),
            },
            5 => Self::TopicDeleted { id: fields.uuid()? },
            6 => Self::PartitionsAdded {
                id: fields.uuid()?,
                count: fields.i32()?,
            },
            7 => Self::Setting {
                scope: fields.i8()?,
                name: fields.text()?,
                key: fields.text()?,
                value: fields.optional_text()?,
            },
            8 => Self::LogStart {
                place: place(&mut fields)?,
                offset: fields.i64()?,
                is_request: fields.u8()? != 0,
            },
            9 => Self::ProducerIds {
                next: fields.i64()?,
            },
            10 => Self::Anchor {
                place: place(&mut fields)?,
                base: fields.i64()?,
                incarnation: fields.u32()?,
                synced_end: fields.i64()?,
            },
            _ => return Err(Malformed),
        };
        fields.finish()?;
        Ok(entry)
    }
}

fn put_place(out: &mut Out, place: Place) -> &mut Out {
    out.uuid(place.topic).put(place.partition.to_be_bytes())
}

fn place(fields: &mut Fields<'_>) -> Result<Place, Malformed> {
    Ok(Place {
        topic: fields.uuid()?,
        partition: fields.i32()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_back() {
        let place = Place {
            topic: Uuid::from_u128(9),
            partition: 3,
        };
        let entries = [
            Entry::Cluster {
                id: "abc".to_owned(),
                node: 1,
            },
            Entry::Started { incarnation: 7 },
            Entry::Stopped(vec![(place, 5, 96), (place, 6, 400)]),
            Entry::TopicCreated {
                id: place.topic,
                name: "t".to_owned(),
                partitions: 4,
                created: Timestamp(1),
            },
            Entry::TopicDeleted { id: place.topic },
            Entry::PartitionsAdded {
                id: place.topic,
                count: 9,
            },
            Entry::Setting {
                scope: 2,
                name: "t".to_owned(),
                key: "k".to_owned(),
                value: None,
            },
            Entry::Setting {
                scope: 2,
                name: "t".to_owned(),
                key: "k".to_owned(),
                value: Some(String::new()),
            },
            Entry::LogStart {
                place,
                offset: 11,
                is_request: true,
            },
            Entry::ProducerIds { next: 1_000 },
            Entry::Anchor {
                place,
                base: 1,
                incarnation: 2,
                synced_end: 3,
            },
        ];
        for entry in entries {
            let (kind, body) = entry.encode();
            assert_eq!(Entry::decode(kind, &body), Ok(entry));
            for end in 0..body.len() {
                assert!(Entry::decode(kind, &body[..end]).is_err());
            }
        }
        assert!(
            Entry::decode(11, b"").is_err(),
            "a newer format is not guessed at"
        );
    }
}
