//! Rules and super users: in force when the change ends.

use super::*;

#[tokio::test]
async fn rule_is_in_force_when_its_change_ends_and_gone_when_it_is_removed() {
    let place = Place::new("rules");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    assert!(!may_read(&store));
    let added = store
        .add(vec![read_orders(), read_orders()], &by())
        .await
        .unwrap();
    assert!(may_read(&store));
    assert_eq!(added[0].id, added[1].id, "the same rule twice is one rule");
    assert_eq!(
        store.add(vec![read_orders()], &by()).await.unwrap()[0].id,
        added[0].id
    );
    let removed = store
        .remove(vec![RuleFilter::EVERYTHING, RuleFilter::EVERYTHING], &by())
        .await
        .unwrap();
    assert_eq!(
        (removed[0].len(), removed[1].len()),
        (1, 1),
        "both filters report it"
    );
    assert!(!may_read(&store));
    assert_eq!(sessions.0.lock().unwrap().len(), 2);
    assert!(store.remove_rules(&[added[0].id], &by()).await.is_err());
    let again = store.add(vec![read_orders()], &by()).await.unwrap();
    assert_ne!(again[0].id, added[0].id, "numbers are never used twice");
}

#[tokio::test]
async fn one_request_changes_and_finds_a_bounded_number_of_rules() {
    let place = Place::new("many-rules");
    let store = place.open().await;
    let too_many = vec![read_orders(); 10_001];
    let refused = store.add(too_many, &by()).await;
    assert!(matches!(refused, Err(ChangeError::TooMany(10_000))));
    assert!(!may_read(&store));
    let topics = (0..11).map(|number| {
        let mut definition = read_orders();
        definition.resource.name = format!("topic-{number}").into();
        definition
    });
    store.add(topics.collect(), &by()).await.unwrap();
    store.add(vec![read_orders()], &by()).await.unwrap();
    // Filters that overlap: each finds the same rules again.
    for (filters, most) in [(10_001, 10_000), (9_000, 100_000)] {
        let filters = vec![RuleFilter::EVERYTHING; filters];
        let refused = store.remove(filters, &by()).await;
        assert!(matches!(refused, Err(ChangeError::TooMany(bound)) if bound == most));
        assert!(may_read(&store), "nothing was removed");
    }
    let filters = vec![RuleFilter::EVERYTHING; 8_000];
    let removed = store.remove(filters, &by()).await.unwrap();
    assert_eq!(removed.len(), 8_000);
    assert!(!may_read(&store));
}

#[tokio::test]
async fn super_users_change_on_the_trail_first_and_then_at_once() {
    let place = Place::new("super-users");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    assert!(!may_read(&store));
    let alice = BTreeSet::from([PrincipalName::user("alice")]);
    *place.trail.room.lock().unwrap() = Some(0);
    assert!(store.set_super_users(alice.clone(), &by()).await.is_err());
    assert!(!may_read(&store), "not without its event");
    *place.trail.room.lock().unwrap() = None;
    store.set_super_users(alice.clone(), &by()).await.unwrap();
    assert!(may_read(&store));
    assert_eq!(*sessions.0.lock().unwrap(), [Revocation::Policy]);
    store.set_super_users(alice, &by()).await.unwrap();
    store.set_super_users(BTreeSet::new(), &by()).await.unwrap();
    assert!(!may_read(&store));
    let events = place.trail.events.lock().unwrap();
    let changes: Vec<_> = events
        .iter()
        .filter(|event| event.kind == "policy.super_users")
        .filter_map(|event| event.change.clone()?.after)
        .collect();
    assert_eq!(changes, ["User:alice", ""]);
}
