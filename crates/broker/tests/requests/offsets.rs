//! Offsets by time and name; epochs.

use super::*;

#[tokio::test]
async fn offsets_are_listed_by_time_and_by_name() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    assert_eq!(client.offset("t", 0, -3).await, (0, -1, -1));
    let time = now() - 10_000;
    client.produce("t", 0, batch(time, &["a", "b", "c"])).await;
    client.produce("t", 0, batch(time + 100, &["d"])).await;
    for (asked, offset, at) in [
        (-1, 4, -1),
        (-2, 0, -1),
        (-3, 3, time + 100),
        (-4, 0, -1),
        (-5, -1, -1),
        (-6, -1, -1),
        (time + 1, 1, time + 1),
        (time + 50, 3, time + 100),
        (0, 0, time),
        (time + 101, -1, -1),
    ] {
        assert_eq!(
            client.offset("t", 0, asked).await,
            (0, offset, at),
            "{asked}"
        );
    }
    assert_eq!(client.offset("t", 0, -7).await.0, 35);
    assert_eq!(client.offset("t", 3, -1).await.0, 3);
    let partition = |timestamp| list_offsets_request::ListOffsetsPartition {
        timestamp,
        ..Default::default()
    };
    let request = |partitions| ListOffsetsRequest {
        topics: vec![list_offsets_request::ListOffsetsTopic {
            name: "t".into(),
            partitions,
            ..Default::default()
        }],
        ..Default::default()
    };
    let twice = client
        .ask(5, request(vec![partition(-1), partition(-2)]))
        .await;
    assert!(
        twice.topics[0]
            .partitions
            .iter()
            .all(|one| one.error_code == 42)
    );
    let early = client.ask(6, request(vec![partition(-3)])).await;
    assert_eq!(early.topics[0].partitions[0].error_code, 35);
    let old = client.ask(1, request(vec![partition(-1)])).await;
    assert_eq!(old.topics[0].partitions[0].offset, 4);
    bench.finish().await;
}

#[tokio::test]
async fn epoch_ends_at_the_end_of_the_log_until_a_restart() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    client.produce("t", 0, batch(now(), &["v"])).await;
    let epoch = client.ask(12, names(&["t"])).await.topics[0].partitions[0].leader_epoch;
    let ask = |leader_epoch| OffsetForLeaderEpochRequest {
        replica_id: -2,
        topics: vec![offset_for_leader_epoch_request::OffsetForLeaderTopic {
            topic: "t".into(),
            partitions: vec![offset_for_leader_epoch_request::OffsetForLeaderPartition {
                leader_epoch,
                current_leader_epoch: -1,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    async fn end(client: &mut Client, request: OffsetForLeaderEpochRequest) -> (i16, i32, i64) {
        let response = client.ask(4, request).await;
        let one = &response.topics[0].partitions[0];
        (one.error_code, one.leader_epoch, one.end_offset)
    }
    assert_eq!(end(&mut client, ask(epoch)).await, (0, epoch, 1));
    assert_eq!(end(&mut client, ask(epoch + 1)).await, (0, -1, -1));
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    client.produce("t", 0, batch(now(), &["v"])).await;
    assert_eq!(end(&mut client, ask(epoch)).await, (0, epoch, 1));
    assert_eq!(end(&mut client, ask(epoch + 1)).await, (0, epoch + 1, 2));
    bench.finish().await;
}
