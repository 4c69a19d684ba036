//! Settings of topics, broker and groups; cluster and log directory.

use super::*;

async fn shown(
    client: &mut Client,
    kind: i8,
    name: &str,
    key: &str,
) -> (i16, Option<(String, i8)>) {
    let resource = describe_configs_request::DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configuration_keys: Some(vec![key.into()]),
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        ..Default::default()
    };
    let response = client.ask(4, request).await;
    let result = &response.results[0];
    let config = result.configs.first();
    (
        result.error_code,
        config.map(|one| (one.value.as_ref().unwrap().to_string(), one.config_source)),
    )
}

/// Setting, operation, value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

async fn change(client: &mut Client, kind: i8, name: &str, changes: &[Change<'_>]) -> i16 {
    let config = |(name, op, value): &(&str, i8, Option<&str>)| {
        incremental_alter_configs_request::AlterableConfig {
            name: Str::from(*name),
            config_operation: *op,
            value: value.map(Str::from),
            ..Default::default()
        }
    };
    let resource = incremental_alter_configs_request::AlterConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configs: changes.iter().map(config).collect(),
        ..Default::default()
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    client.ask(1, request).await.responses[0].error_code
}

#[tokio::test]
async fn settings_are_shown_and_changed_for_topics_broker_and_groups() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let default = shown(&mut client, 2, "t", "retention.ms").await;
    assert_eq!(default, (0, Some(("604800000".into(), 5))));
    let rows: [(i8, &str, &[Change<'_>], i16); 13] = [
        (2, "t", &[("retention.ms", 0, Some("1000"))], 0),
        (2, "t", &[("retention.ms", 0, Some("x"))], 40),
        (2, "t", &[("retention.ms", 0, None)], 42),
        (2, "t", &[("no.such", 0, Some("1"))], 40),
        (2, "t", &[("retention.ms", 2, Some("1"))], 40),
        (2, "t", &[("cleanup.policy", 2, Some("compact"))], 0),
        (
            2,
            "t",
            &[("retention.ms", 0, Some("1")), ("retention.ms", 1, None)],
            42,
        ),
        (2, "none", &[("retention.ms", 0, Some("1"))], 3),
        (4, "1", &[("log.cleaner.threads", 0, Some("2"))], 0),
        (4, "7", &[("log.cleaner.threads", 0, Some("2"))], 42),
        (
            32,
            "g",
            &[("consumer.session.timeout.ms", 0, Some("50000"))],
            0,
        ),
        (
            32,
            "",
            &[("consumer.session.timeout.ms", 0, Some("50000"))],
            42,
        ),
        (8, "1", &[("x", 0, Some("1"))], 42),
    ];
    for (at, (kind, name, changes, code)) in rows.into_iter().enumerate() {
        assert_eq!(
            change(&mut client, kind, name, changes).await,
            code,
            "row {at}"
        );
    }
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    assert_eq!(
        shown(&mut client, 2, "t", "retention.ms").await,
        (0, Some(("1000".into(), 1)))
    );
    assert_eq!(
        shown(&mut client, 2, "t", "cleanup.policy").await,
        (0, Some(("delete,compact".into(), 1)))
    );
    assert_eq!(
        shown(&mut client, 4, "1", "log.cleaner.threads").await,
        (0, Some(("2".into(), 2)))
    );
    assert_eq!(
        shown(&mut client, 4, "1", "num.partitions").await,
        (0, Some(("1".into(), 4)))
    );
    assert_eq!(
        shown(&mut client, 32, "g", "consumer.session.timeout.ms").await,
        (0, Some(("50000".into(), 8)))
    );
    assert_eq!(shown(&mut client, 2, "none", "x").await.0, 3);
    assert_eq!(shown(&mut client, 9, "t", "x").await.0, 42);
    assert_eq!(
        change(&mut client, 2, "t", &[("retention.ms", 1, None)]).await,
        0
    );
    assert_eq!(
        shown(&mut client, 2, "t", "retention.ms").await.1,
        Some(("604800000".into(), 5))
    );
    // The older request replaces everything that was set.
    let resource = alter_configs_request::AlterConfigsResource {
        resource_type: 2,
        resource_name: "t".into(),
        configs: vec![alter_configs_request::AlterableConfig {
            name: "segment.ms".into(),
            value: Some("5000".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = AlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    assert_eq!(client.ask(2, request).await.responses[0].error_code, 0);
    assert_eq!(
        shown(&mut client, 2, "t", "cleanup.policy").await.1,
        Some(("delete".into(), 5))
    );
    assert_eq!(
        shown(&mut client, 2, "t", "segment.ms").await.1,
        Some(("5000".into(), 1))
    );
    bench.finish().await;
}

#[tokio::test]
async fn cluster_and_log_directory_are_described() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 2).await;
    client.produce("t", 1, batch(now(), &["v"])).await;
    let cluster = client.ask(2, DescribeClusterRequest::default()).await;
    assert_eq!(
        (
            cluster.error_code,
            cluster.controller_id,
            cluster.brokers.len()
        ),
        (0, 1, 1)
    );
    for (endpoint_type, code) in [(2, 114), (7, 115)] {
        let request = DescribeClusterRequest {
            endpoint_type,
            ..Default::default()
        };
        assert_eq!(client.ask(1, request).await.error_code, code);
    }
    let dirs = client
        .ask(
            4,
            DescribeLogDirsRequest {
                topics: None,
                ..Default::default()
            },
        )
        .await;
    let dir = &dirs.results[0];
    assert_eq!((dir.error_code, dir.topics[0].partitions.len()), (0, 2));
    assert!(dir.topics[0].partitions[1].partition_size > 0 && dir.total_bytes > 0);
    bench.finish().await;
}

#[tokio::test]
async fn one_answer_holds_only_so_many_settings() {
    let bench = Bench::start().await;
    let resource = |number: i32| describe_configs_request::DescribeConfigsResource {
        resource_type: 32,
        resource_name: format!("group-{number}").into(),
        configuration_keys: None,
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: (0..60_000).map(resource).collect(),
        ..Default::default()
    };
    let answer = bench.client().ask(4, request).await;
    let shown: usize = answer.results.iter().map(|one| one.configs.len()).sum();
    assert!(shown > 90_000 && shown <= 100_000, "{shown}");
    assert_eq!(answer.results.len(), 60_000);
    assert_eq!(answer.results[0].error_code, 0);
    let last = &answer.results[59_999];
    assert_eq!((last.error_code, last.configs.len()), (42, 0));
    bench.finish().await;
}
