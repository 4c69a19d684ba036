//! Headers and frames: what was written comes back, and bytes of any kind give an answer rather than a panic or data.

use kastellan_core::secret::Secret;
use kastellan_core::time::Timestamp;
use proptest::prelude::*;
use seal::at_rest::{
    FileHeader, FileIdentity, FileKind, FrameHeader, HEADER_LEN, Keyring, Padding, Suite,
};
use seal::master::LocalKey;
use uuid::Uuid;

fn ring(suite: Suite) -> Keyring {
    let master = LocalKey::new(&Secret::new(vec![1; 32])).unwrap();
    Keyring::create("cluster", suite, &master, Timestamp(5)).unwrap()
}

fn suites() -> impl Strategy<Value = Suite> {
    prop_oneof![Just(Suite::Aes256Gcm), Just(Suite::Aes256GcmSiv)]
}

fn paddings() -> impl Strategy<Value = Padding> {
    prop_oneof![Just(Padding::Fine), Just(Padding::Coarse)]
}

fn identities() -> impl Strategy<Value = FileIdentity> {
    let kinds = prop_oneof![
        Just(FileKind::Segment),
        Just(FileKind::Catalog),
        Just(FileKind::Groups)
    ];
    (kinds, any::<u128>(), any::<u32>(), any::<u64>()).prop_map(|(kind, topic, partition, base)| {
        FileIdentity {
            kind,
            topic: Uuid::from_u128(topic),
            partition,
            base,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn header_comes_back_and_opens_at_its_own_place_only(
        suite in suites(), own in identities(), other in identities(),
    ) {
        let ring = ring(suite);
        let (header, _) = ring.create_file(own).unwrap();
        let bytes = header.to_bytes();
        prop_assert_eq!(FileHeader::parse(&bytes).unwrap(), header);
        prop_assert!(ring.open_expected(&bytes, own).is_ok());
        prop_assert_eq!(ring.open_expected(&bytes, other).is_ok(), own == other);
    }

    #[test]
    fn header_with_any_other_bytes_opens_nothing(
        own in identities(), at in 0..252_usize, change in 1..=255_u8, repairs in any::<bool>(),
    ) {
        let ring = ring(Suite::default());
        let (header, _) = ring.create_file(own).unwrap();
        let mut bytes = header.to_bytes();
        bytes[at] ^= change;
        if repairs {
            let checksum = crc32c::crc32c(&bytes[..252]);
            bytes[252..].copy_from_slice(&checksum.to_be_bytes());
        }
        prop_assert!(ring.open_expected(&bytes, own).is_err());
    }

    #[test]
    fn frames_come_back_in_their_order_at_their_places_only(
        suite in suites(),
        padding in paddings(),
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 1..6),
        mark in any::<u32>(),
        kind in any::<u8>(),
        moved in 1..64_u64,
    ) {
        let ring = ring(suite).with_padding(padding);
        let (header, mut key) = ring.create_file(FileIdentity {
            kind: FileKind::Segment, topic: Uuid::nil(), partition: 0, base: 0,
        }).unwrap();
        let reader = ring.open_file(&header).unwrap();
        let mut position = HEADER_LEN as u64;
        for (number, content) in contents.iter().enumerate() {
            let mut frame = Vec::new();
            key.seal(kind, mark, position, &[content], &mut frame).unwrap();
            let known = FrameHeader::parse(&frame, u32::MAX).unwrap();
            prop_assert_eq!((known.number as usize, known.kind, known.durable_mark), (number, kind, mark));
            prop_assert_eq!(known.len as usize, frame.len());
            prop_assert_eq!(frame.len(), padding.frame_len(content.len()));
            prop_assert!(reader.open(position + 16 * moved, &mut frame.clone()).is_err());
            let mut opened = frame.clone();
            let place = reader.open(position, &mut opened).unwrap();
            prop_assert_eq!(&opened[place.content], &content[..]);
            position += frame.len() as u64;
        }
    }

    #[test]
    fn changed_frame_gives_no_content(
        suite in suites(), content in prop::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(), change in 1..=255_u8,
    ) {
        let ring = ring(suite);
        let (header, mut key) = ring.create_file(FileIdentity {
            kind: FileKind::Segment, topic: Uuid::nil(), partition: 0, base: 0,
        }).unwrap();
        let mut frame = Vec::new();
        key.seal(2, 0, 256, &[&content], &mut frame).unwrap();
        let at = at.index(frame.len());
        frame[at] ^= change;
        prop_assert!(ring.open_file(&header).unwrap().open(256, &mut frame).is_err());
    }

    #[test]
    fn bytes_of_any_kind_open_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..600), position in any::<u64>(), cap in any::<u32>(),
    ) {
        let ring = ring(Suite::default());
        let own = FileIdentity { kind: FileKind::Segment, topic: Uuid::nil(), partition: 0, base: 0 };
        prop_assert!(ring.open_expected(&bytes, own).is_err());
        let (_, key) = ring.create_file(own).unwrap();
        prop_assert!(key.reader().open(position, &mut bytes.clone()).is_err());
        if let Ok(header) = FrameHeader::parse(&bytes, cap) {
            prop_assert!(header.len <= cap && header.len % 16 == 0);
        }
        let master = LocalKey::new(&Secret::new(vec![1; 32])).unwrap();
        prop_assert!(Keyring::open(&bytes, &master).is_err());
    }
}
