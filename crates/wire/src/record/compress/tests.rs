use super::*;

const ENCODINGS: [Encoding; 7] = [
    Encoding::None,
    Encoding::Gzip(6),
    Encoding::Snappy(SnappyForm::Raw),
    Encoding::Snappy(SnappyForm::Xerial),
    Encoding::Lz4,
    Encoding::Zstd(3),
    Encoding::Zstd(19),
];

fn squeezed(encoding: Encoding, plain: &[u8]) -> Bytes {
    compress(encoding, plain).expect("level is valid").into()
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * i / 7) % 251) as u8 & 0x3F).collect()
}

#[test]
fn gives_back_what_was_compressed() {
    for encoding in ENCODINGS {
        for len in [0, 1, 15, 16, 17, 1000, 65_535, 65_536, 300_000, 3_000_000] {
            let plain = text(len);
            let section = squeezed(encoding, &plain);
            let back = decompress(encoding.codec(), &section, &ExpansionCaps::default());
            assert_eq!(back.as_deref(), Ok(plain.as_slice()), "{encoding:?} {len}");
        }
    }
}

#[test]
fn refuses_one_byte_above_the_cap_and_allows_the_cap_itself() {
    for encoding in ENCODINGS.into_iter().skip(1) {
        let section = squeezed(encoding, &text(200_000));
        let codec = encoding.codec();
        assert!(
            decompress(codec, &section, &ExpansionCaps::fixed(200_000)).is_ok(),
            "{encoding:?}"
        );
        assert_eq!(
            decompress(codec, &section, &ExpansionCaps::fixed(199_999)),
            Err(DecompressError::TooLarge { limit: 199_999 }),
            "{encoding:?}"
        );
    }
}

#[test]
fn refuses_every_strict_prefix() {
    for encoding in ENCODINGS.into_iter().skip(1) {
        let plain = text(70_000);
        let section = squeezed(encoding, &plain);
        for cut in (0..section.len()).step_by(section.len() / 97 + 1) {
            let back = decompress(
                encoding.codec(),
                &section.slice(..cut),
                &ExpansionCaps::default(),
            );
            assert_ne!(
                back.as_deref(),
                Ok(plain.as_slice()),
                "{encoding:?} cut at {cut}"
            );
            let chunk_boundary = encoding.codec() == Codec::Snappy;
            assert!(back.is_err() || chunk_boundary, "{encoding:?} cut at {cut}");
        }
    }
}

#[test]
fn any_flipped_byte_gives_an_answer() {
    for encoding in ENCODINGS.into_iter().skip(1) {
        let section = squeezed(encoding, &text(5_000));
        for at in 0..section.len() {
            let mut bytes = section.to_vec();
            bytes[at] ^= 0x55;
            let caps = ExpansionCaps::fixed(1 << 20);
            if let Ok(back) = decompress(encoding.codec(), &bytes.into(), &caps) {
                assert!(back.len() <= 1 << 20);
            }
        }
    }
}

#[test]
fn reads_concatenated_gzip_members() {
    let mut section = squeezed(Encoding::Gzip(1), b"first ").to_vec();
    section.extend_from_slice(&squeezed(Encoding::Gzip(9), b"second"));
    let back = decompress(Codec::Gzip, &section.into(), &ExpansionCaps::default());
    assert_eq!(back.as_deref(), Ok(b"first second".as_slice()));
}

#[test]
fn reads_concatenated_xerial_streams() {
    let mut section = squeezed(Encoding::Snappy(SnappyForm::Xerial), &text(40_000)).to_vec();
    section.extend_from_slice(&squeezed(Encoding::Snappy(SnappyForm::Xerial), b"tail"));
    let back = decompress(Codec::Snappy, &section.into(), &ExpansionCaps::default())
        .expect("both streams are whole");
    assert_eq!(back.len(), 40_004);
    assert!(back.ends_with(b"tail"));
}

#[test]
fn refuses_xerial_lengths_that_lie() {
    let good = squeezed(Encoding::Snappy(SnappyForm::Xerial), b"hello").to_vec();
    let caps = ExpansionCaps::default();
    for length in [-1i32, i32::MIN, i32::MAX, 1000] {
        let mut bad = good.clone();
        bad[16..20].copy_from_slice(&length.to_be_bytes());
        assert!(
            decompress(Codec::Snappy, &bad.into(), &caps).is_err(),
            "{length}"
        );
    }
    let mut trailing = good.clone();
    trailing.extend_from_slice(&[0, 0, 0]);
    assert!(decompress(Codec::Snappy, &trailing.into(), &caps).is_err());
}

#[test]
fn refuses_a_snappy_preamble_that_its_bytes_cannot_fill() {
    // Claims 32 MiB, holds two bytes.
    let section = Bytes::from_static(&[0x80, 0x80, 0x80, 0x10, 0x00, 0x41]);
    let error = decompress(Codec::Snappy, &section, &ExpansionCaps::default());
    assert!(
        matches!(error, Err(DecompressError::Malformed { .. })),
        "{error:?}"
    );
    let above_cap = decompress(Codec::Snappy, &section, &ExpansionCaps::fixed(1 << 20));
    assert_eq!(above_cap, Err(DecompressError::TooLarge { limit: 1 << 20 }));
}

#[test]
fn keeps_the_snappy_form() {
    let plain = text(100);
    for form in [SnappyForm::Raw, SnappyForm::Xerial] {
        let section = squeezed(Encoding::Snappy(form), &plain);
        assert_eq!(
            Encoding::like(Codec::Snappy, &section),
            Encoding::Snappy(form)
        );
    }
}

/// `flags` and `block` of the frame descriptor, with a right header checksum.
fn lz4_frame(flags: u8, block: u8, rest: &[u8]) -> Bytes {
    let mut frame = vec![0x04, 0x22, 0x4D, 0x18, flags, block];
    frame.push((xxh32::xxh32(&[flags, block]) >> 8) as u8);
    frame.extend_from_slice(rest);
    frame.into()
}

#[test]
fn reads_lz4_frames_as_kafka_does() {
    let stored = [2, 0, 0, 0x80, b'h', b'i', 0, 0, 0, 0];
    let caps = ExpansionCaps::default();
    let read = |frame: &Bytes| decompress(Codec::Lz4, frame, &caps);

    assert_eq!(
        read(&lz4_frame(0x60, 0x40, &stored)).as_deref(),
        Ok(b"hi".as_slice())
    );
    let mut followed = stored.to_vec();
    followed.extend_from_slice(b"whatever comes after the end mark");
    assert_eq!(
        read(&lz4_frame(0x60, 0x40, &followed)).as_deref(),
        Ok(b"hi".as_slice())
    );

    let mut content_sum = stored.to_vec();
    content_sum.extend_from_slice(&[1, 2, 3, 4]);
    assert_eq!(
        read(&lz4_frame(0x64, 0x40, &content_sum)).as_deref(),
        Ok(b"hi".as_slice())
    );

    let mut block_sum = stored[..6].to_vec();
    block_sum.extend_from_slice(&xxh32::xxh32(b"hi").to_le_bytes());
    block_sum.extend_from_slice(&[0; 4]);
    assert_eq!(
        read(&lz4_frame(0x70, 0x40, &block_sum)).as_deref(),
        Ok(b"hi".as_slice())
    );
    block_sum[6] ^= 1;
    assert!(
        read(&lz4_frame(0x70, 0x40, &block_sum)).is_err(),
        "wrong block checksum"
    );
}

#[test]
fn refuses_lz4_frames_that_kafka_refuses() {
    let stored = [2, 0, 0, 0x80, b'h', b'i', 0, 0, 0, 0];
    let caps = ExpansionCaps::default();
    let cases = [
        ("dependent blocks", 0x40, 0x40),
        ("version 2", 0xA0, 0x40),
        ("dictionary id", 0x61, 0x40),
        ("reserved flag", 0x62, 0x40),
        ("block size 3", 0x60, 0x30),
        ("reserved block bit", 0x60, 0x41),
    ];
    for (name, flags, block) in cases {
        assert!(
            decompress(Codec::Lz4, &lz4_frame(flags, block, &stored), &caps).is_err(),
            "{name}"
        );
    }
    let oversize = [1, 0, 1, 0x80];
    assert!(decompress(Codec::Lz4, &lz4_frame(0x60, 0x40, &oversize), &caps).is_err());
    let mut wrong_check = lz4_frame(0x60, 0x40, &stored).to_vec();
    wrong_check[6] ^= 1;
    assert!(decompress(Codec::Lz4, &wrong_check.into(), &caps).is_err());
}

#[test]
fn refuses_a_zstd_window_above_the_cap() {
    // Frame header without content size: descriptor 0, window descriptor of 16 MiB, then an empty last raw block.
    let window =
        |exponent: u8| Bytes::from(vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, exponent << 3, 1, 0, 0]);
    let caps = ExpansionCaps::default();
    assert_eq!(
        decompress(Codec::Zstd, &window(13), &caps),
        Ok(Bytes::new()),
        "8 MiB"
    );
    assert_eq!(
        decompress(Codec::Zstd, &window(14), &caps),
        Err(DecompressError::Zstd { window_log: 23 }),
        "16 MiB"
    );
}

#[test]
fn caps_grow_with_the_section_between_floor_and_ceiling() {
    let caps = ExpansionCaps::default();
    assert_eq!(caps.output_for(10), 64 << 20);
    assert_eq!(caps.output_for(1 << 20), 100 << 20);
    assert_eq!(caps.output_for(100 << 20), 256 << 20);
}
