//! Client quotas: asked for, none kept.

use wire::message::DescribeClientQuotasRequest;
use wire::message::describe_client_quotas_request::ComponentData;

use crate::support::World;

const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const ANY: i8 = 2;

/// Entity type, match type, name.
type Component = (&'static str, i8, Option<&'static str>);

pub fn description(components: &[Component]) -> DescribeClientQuotasRequest {
    let component = |&(kind, match_type, name): &Component| ComponentData {
        entity_type: kind.into(),
        match_type,
        r#match: name.map(Into::into),
        ..Default::default()
    };
    DescribeClientQuotasRequest {
        components: components.iter().map(component).collect(),
        ..Default::default()
    }
}

#[tokio::test]
async fn quotas_are_described_with_describe_configs_on_the_cluster_and_nothing_goes_upstream() {
    let world = World::new(&["allow Describe cluster"]).await;
    for version in 0..=1 {
        let refused = world.ask(version, &description(&[])).await;
        assert_eq!((refused.error_code, refused.entries), (31, None));
    }
    world.rules.set(&["allow DescribeConfigs cluster"]);
    for version in 0..=1 {
        let asked = description(&[("user", EXACT, Some("alice")), ("client-id", ANY, None)]);
        let found = world.ask(version, &asked).await;
        assert_eq!((found.error_code, found.entries), (0, Some(Vec::new())));
    }
    assert!(!world.upstream.seen_keys().contains(&48));
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let world = World::new(&["allow DescribeConfigs cluster"]).await;
    let rows: [(&[Component], i16); 7] = [
        (&[("", ANY, None)], 42),
        (&[("group", ANY, None)], 35),
        (&[("user", ANY, None), ("user", DEFAULT, None)], 42),
        (&[("user", 3, None)], 42),
        (&[("user", EXACT, None)], 42),
        (&[("user", DEFAULT, Some("alice"))], 42),
        (&[("ip", ANY, None), ("user", ANY, None)], 42),
    ];
    for (components, code) in rows {
        let answer = world.ask(1, &description(components)).await;
        assert_eq!(
            (answer.error_code, answer.entries),
            (code, None),
            "{components:?}"
        );
    }
}
