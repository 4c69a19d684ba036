//! Sealed files: what opens, and what is refused by its own name.

use kastellan_core::secret::Secret;
use kastellan_core::time::Timestamp;
use seal::at_rest::{
    FileHeader, FileIdentity, FileKind, FrameError, HEADER_LEN, HeaderError, Keyring, KeyringError,
    Padding, Suite, frame_len,
};
use seal::master::LocalKey;
use uuid::Uuid;

fn master(byte: u8) -> LocalKey {
    LocalKey::new(&Secret::new(vec![byte; 32])).unwrap()
}

fn ring() -> Keyring {
    Keyring::create("cluster-a", Suite::default(), &master(1), Timestamp(5)).unwrap()
}

fn identity(partition: u32) -> FileIdentity {
    FileIdentity {
        kind: FileKind::Segment,
        topic: Uuid::from_u128(7),
        partition,
        base: 40,
    }
}

#[test]
fn keyring_opens_with_its_master_key_and_with_no_other() {
    let ring = ring();
    let bytes = ring.to_bytes();
    assert_eq!(
        Keyring::open(&bytes, &master(1)).unwrap().versions(),
        ring.versions()
    );
    assert!(matches!(
        Keyring::open(&bytes, &master(2)),
        Err(KeyringError::Master(_))
    ));
}

#[test]
fn changed_keyring_byte_is_a_checksum_error_and_a_cut_one_never_opens() {
    let bytes = ring().to_bytes();
    for at in 8..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(
            matches!(
                Keyring::open(&changed, &master(1)),
                Err(KeyringError::Checksum)
            ),
            "{at}"
        );
    }
    for end in 0..bytes.len() {
        assert!(Keyring::open(&bytes[..end], &master(1)).is_err(), "{end}");
    }
}

#[test]
fn rotated_root_still_opens_old_files_until_it_is_forgotten() {
    let mut ring = ring();
    let (old, _) = ring.create_file(identity(0)).unwrap();
    ring.rotate(&master(1), Timestamp(6)).unwrap();
    let (new, _) = ring.create_file(identity(0)).unwrap();
    assert_eq!((old.root_version, new.root_version), (1, 2));
    assert!(ring.open_file(&old).is_ok());
    assert!(!ring.forget(2), "the active root stays");
    assert!(ring.forget(1));
    assert!(matches!(
        ring.open_file(&old),
        Err(HeaderError::RootUnknown(1))
    ));
    assert!(ring.open_file(&new).is_ok());
}

#[test]
fn rewrapped_keyring_opens_with_the_new_master_only() {
    let mut ring = ring();
    let (header, _) = ring.create_file(identity(0)).unwrap();
    ring.rewrap(&master(1), &master(9)).unwrap();
    let bytes = ring.to_bytes();
    assert!(Keyring::open(&bytes, &master(1)).is_err());
    assert!(
        Keyring::open(&bytes, &master(9))
            .unwrap()
            .open_file(&header)
            .is_ok()
    );
}

#[test]
fn header_survives_a_round_trip_and_refuses_each_changed_byte() {
    let ring = ring();
    let (header, _) = ring.create_file(identity(3)).unwrap();
    let bytes = header.to_bytes();
    assert_eq!(FileHeader::parse(&bytes).unwrap(), header);
    for at in 0..HEADER_LEN {
        let mut changed = bytes;
        changed[at] ^= 0x40;
        assert!(FileHeader::parse(&changed).is_err(), "{at}");
        // A hand that also repairs the checksum meets the key.
        let checksum = crc32c::crc32c(&changed[..252]);
        changed[252..].copy_from_slice(&checksum.to_be_bytes());
        if at < 252 {
            let opened =
                FileHeader::parse(&changed).and_then(|header| ring.open_file(&header).map(drop));
            assert!(opened.is_err(), "{at}");
        }
    }
}

#[test]
fn file_is_refused_at_another_place() {
    let ring = ring();
    let (header, _) = ring.create_file(identity(3)).unwrap();
    assert!(ring.open_expected(&header.to_bytes(), identity(3)).is_ok());
    assert!(matches!(
        ring.open_expected(&header.to_bytes(), identity(4)),
        Err(HeaderError::Identity)
    ));
}

#[test]
fn frame_gives_its_content_back_in_both_suites() {
    for suite in [Suite::Aes256Gcm, Suite::Aes256GcmSiv] {
        let ring = Keyring::create("c", suite, &master(1), Timestamp(0)).unwrap();
        let (header, mut key) = ring.create_file(identity(0)).unwrap();
        let reader = ring.open_file(&header).unwrap();
        for content in [&b""[..], b"x", b"twelve bytes", &[7; 1000]] {
            let mut out = Vec::new();
            key.seal(2, 11, 256, &[content], &mut out).unwrap();
            assert_eq!(out.len(), frame_len(content.len()));
            let opened = reader.open(256, &mut out).unwrap();
            assert_eq!(&out[opened.content], content);
            assert_eq!((opened.header.kind, opened.header.durable_mark), (2, 11));
        }
    }
}

#[test]
fn frame_is_refused_when_moved_changed_cut_or_carried_to_another_file() {
    let ring = ring();
    let (_, mut key) = ring.create_file(identity(0)).unwrap();
    let (_, other) = ring.create_file(identity(0)).unwrap();
    let mut frame = Vec::new();
    key.seal(2, 0, 256, &[b"payload"], &mut frame).unwrap();
    assert!(key.reader().open(256, &mut frame.clone()).is_ok());
    assert_eq!(
        key.reader().open(272, &mut frame.clone()),
        Err(FrameError::Forged)
    );
    assert_eq!(
        other.reader().open(256, &mut frame.clone()),
        Err(FrameError::Forged)
    );
    for at in 0..frame.len() {
        let mut changed = frame.clone();
        changed[at] ^= 1;
        assert!(key.reader().open(256, &mut changed).is_err(), "{at}");
    }
    for end in 0..frame.len() {
        assert!(
            key.reader().open(256, &mut frame[..end].to_vec()).is_err(),
            "{end}"
        );
    }
}

#[test]
fn nothing_readable_is_left_in_a_frame() {
    let ring = ring();
    let (_, mut key) = ring.create_file(identity(0)).unwrap();
    let mut frame = Vec::new();
    key.seal(2, 0, 256, &[b"a very recognisable payload"], &mut frame)
        .unwrap();
    assert!(!frame.windows(12).any(|window| window == b"recognisable"));
}

#[test]
fn changed_copy_counts_only_once_it_is_adopted() {
    let ring = ring();
    let mut changed = ring.copy();
    assert_eq!(changed.rotate(&master(1), Timestamp(6)).unwrap(), 2);
    assert_eq!(ring.create_file(identity(0)).unwrap().0.root_version, 1);
    let (newer, _) = changed.create_file(identity(0)).unwrap();
    assert!(matches!(
        ring.open_file(&newer),
        Err(HeaderError::RootUnknown(2))
    ));
    let (older, _) = ring.create_file(identity(0)).unwrap();
    ring.adopt(changed);
    assert_eq!(ring.create_file(identity(0)).unwrap().0.root_version, 2);
    assert!(ring.open_file(&older).is_ok() && ring.open_file(&newer).is_ok());
}

#[test]
fn coarse_frames_have_lengths_in_large_steps_and_open_as_the_others_do() {
    let ring = ring().with_padding(Padding::Coarse);
    for len in [0, 1, 200, 220, 221, 5_000] {
        let content = vec![7; len];
        let (header, mut key) = ring.create_file(identity(0)).unwrap();
        let (mut coarse, mut exact) = (Vec::new(), Vec::new());
        key.seal(2, 0, 256, &[&content], &mut coarse).unwrap();
        key.seal_exact(2, 0, 256, &[&content], &mut exact).unwrap();
        assert_eq!((coarse.len() % 256, exact.len()), (0, frame_len(len)));
        let reader = ring.open_file(&header).unwrap();
        for frame in [&mut coarse, &mut exact] {
            let opened = reader.open(256, frame).unwrap();
            assert_eq!(frame[opened.content], content);
        }
    }
}
