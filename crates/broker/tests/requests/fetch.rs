//! Fetch: what comes back, long polls, bounds, rows of refusal.

use super::*;

#[tokio::test]
async fn what_was_produced_is_fetched_as_it_was_and_after_a_restart_too() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let records = batch(now(), &["one", "two"]);
    let first = client.produce("t", 0, records.clone()).await;
    assert_eq!(
        (
            first.error_code,
            first.base_offset,
            first.log_append_time_ms
        ),
        (0, 0, -1)
    );
    assert_eq!(client.produce("t", 0, records.clone()).await.base_offset, 2);
    let data = client.fetch("t", 0, 0).await;
    assert_eq!(
        (
            data.error_code,
            data.high_watermark,
            data.last_stable_offset
        ),
        (0, 4, 4)
    );
    let fetched = data.records.unwrap();
    assert_eq!(fetched.len(), 2 * records.len());
    assert_eq!(
        &fetched[16..records.len()],
        &records[16..],
        "only offset and epoch were set"
    );
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    let data = client.fetch("t", 0, 3).await;
    assert_eq!(data.high_watermark, 4);
    assert_eq!(
        data.records.unwrap().len(),
        records.len(),
        "the batch that contains the offset"
    );
    bench.finish().await;
}

#[tokio::test]
async fn long_poll_wakes_at_the_append_and_ends_at_its_deadline() {
    let bench = Bench::start().await;
    let mut reader = bench.client();
    let mut writer = bench.client();
    reader.create("t", 2).await;
    let began = Instant::now();
    let empty = reader
        .ask(12, fetch_request("t", &[(0, 0), (1, 0)], 300, 1))
        .await;
    assert!(began.elapsed() >= Duration::from_millis(290));
    assert!(
        empty.responses[0]
            .partitions
            .iter()
            .all(|one| one.records.as_ref().unwrap().is_empty())
    );

    let began = Instant::now();
    let waiting = tokio::spawn(async move {
        let response = reader
            .ask(12, fetch_request("t", &[(0, 0), (1, 0)], 15_000, 1))
            .await;
        (reader, response)
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    writer.produce("t", 1, batch(now(), &["v"])).await;
    let (mut reader, response) = waiting.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    let partitions = &response.responses[0].partitions;
    assert_eq!(partitions[0].records.as_ref().unwrap().len(), 0);
    assert!(!partitions[1].records.as_ref().unwrap().is_empty());

    // A deleted topic wakes as well.
    let waiting = tokio::spawn(async move {
        let response = reader
            .ask(12, fetch_request("t", &[(0, 0)], 15_000, 1))
            .await;
        response.responses[0].partitions[0].error_code
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".into()],
        ..Default::default()
    };
    assert_eq!(writer.ask(5, request).await.responses[0].error_code, 0);
    assert_eq!(waiting.await.unwrap(), 3);
    bench.finish().await;
}

#[tokio::test]
async fn many_idle_polls_hold_up_no_one() {
    let bench = Bench::start().await;
    bench.client().create("t", 1).await;
    let polls: Vec<_> = (0..200)
        .map(|_| {
            let mut client = bench.client();
            tokio::spawn(async move {
                client
                    .ask(12, fetch_request("t", &[(0, 0)], 10_000, 1))
                    .await
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    bench.client().produce("t", 0, batch(now(), &["v"])).await;
    for poll in polls {
        let response = poll.await.unwrap();
        assert_eq!(response.responses[0].partitions[0].high_watermark, 1);
    }
    bench.finish().await;
}

#[tokio::test]
async fn fetch_is_refused_by_row() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    client.produce("t", 0, batch(now(), &["v"])).await;
    let base = || fetch_request("t", &[(0, 0)], 0, 1);
    let whole = [
        (
            FetchRequest {
                session_id: 5,
                ..base()
            },
            70,
        ),
        (
            FetchRequest {
                session_epoch: 1,
                ..base()
            },
            70,
        ),
        (
            FetchRequest {
                replica_id: 3,
                ..base()
            },
            42,
        ),
        (base(), 0),
    ];
    for (request, code) in whole {
        assert_eq!(client.ask(12, request).await.error_code, code);
    }
    for (index, offset, code) in [(0, 2, 1), (0, -1, 1), (9, 0, 3), (0, 1, 0)] {
        assert_eq!(
            client.fetch("t", index, offset).await.error_code,
            code,
            "{index} {offset}"
        );
    }
    let epoch = client.ask(12, names(&["t"])).await.topics[0].partitions[0].leader_epoch;
    for (asked, code) in [(epoch - 1, 74), (epoch + 1, 75), (epoch, 0), (-1, 0)] {
        let mut request = base();
        request.topics[0].partitions[0].current_leader_epoch = asked;
        let expected = if asked < 0 { 0 } else { code };
        let got = client.ask(12, request).await.responses[0].partitions[0].error_code;
        assert_eq!(got, expected, "{asked}");
    }
    let unknown_id = fetch_request("", &[(0, 0)], 0, 1);
    let got = client.ask(13, unknown_id).await;
    assert_eq!(got.responses[0].partitions[0].error_code, 100);
    let mut committed = base();
    committed.isolation_level = 1;
    let got = client.ask(12, committed).await;
    assert_eq!(
        got.responses[0].partitions[0].aborted_transactions,
        Some(Vec::new())
    );
    assert_eq!(
        client.ask(12, base()).await.responses[0].partitions[0].aborted_transactions,
        None
    );
    bench.finish().await;
}

#[tokio::test]
async fn first_batch_goes_out_whatever_the_bounds_and_later_ones_keep_them() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 2).await;
    let large = "x".repeat(10_000);
    for index in [0, 1] {
        for _ in 0..3 {
            client.produce("t", index, batch(now(), &[&large])).await;
        }
    }
    let mut request = fetch_request("t", &[(0, 0), (1, 0)], 0, 1);
    request.max_bytes = 100;
    let response = client.ask(12, request).await;
    let sizes: Vec<usize> = response.responses[0]
        .partitions
        .iter()
        .map(|one| one.records.as_ref().unwrap().len())
        .collect();
    assert!(
        sizes[0] > 10_000 && sizes[0] < 20_000 && sizes[1] == 0,
        "{sizes:?}"
    );
    bench.finish().await;
}

/// Clients that ask and do not read hold their answers; what others are told becomes less, and comes at once.
#[tokio::test]
async fn answers_that_nobody_takes_bound_what_is_read_for_others() {
    let mut options = options();
    options.fetch_bytes = 1 << 20;
    options.fetch_max = 1 << 20;
    let bench = Bench::with(options).await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let value = "x".repeat(200_000);
    for _ in 0..8 {
        client.produce("t", 0, batch(now(), &[&value])).await;
    }
    let request = fetch_request("t", &[(0, 0)], 0, 1);
    let mut answers = Vec::new();
    for _ in 0..3 {
        client.send(12, &request).await;
        answers.push(client.receiver.receive().await.unwrap());
    }
    let batches: Vec<usize> = answers.iter().map(|frame| frame.len() / 200_000).collect();
    assert_eq!(batches, [5, 1, 1], "as many as fit, then everybody gets on");
    let small = bench.client().fetch("t", 0, 8).await;
    assert_eq!(small.error_code, 0);
    answers.clear();
    client.send(12, &request).await;
    let again = client.receiver.receive().await.unwrap();
    assert_eq!(again.len() / 200_000, 5, "what was sent makes room");
    drop((again, client));
    bench.finish().await;
}
