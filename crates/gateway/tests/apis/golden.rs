//! Refusals byte by byte as Apache Kafka writes them.

use std::collections::BTreeSet;

use crate::support::World;

const RECORDED: &str = include_str!("refusals-kafka-4.3.1.txt");

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn client_without_a_right_reads_what_kafka_would_write() {
    let world = World::new(&[]).await;
    let mut keys = BTreeSet::new();
    for line in RECORDED.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [key, version, request, answer] = words[..] else {
            panic!("{line}");
        };
        let mut client = world.client().await;
        client.send_frame(&bytes(request)).await;
        let ours = client.receive_frame().await.map(|frame| hex(&frame));
        let ours = ours.as_deref().unwrap_or("closed");
        assert_eq!(ours, answer, "key {key} version {version}: {request}");
        keys.insert(key);
    }
    assert_eq!(keys.len(), 25);
}
