//! Changes and their events: announced before they are made, told once.

use super::*;

#[tokio::test]
async fn nothing_is_changed_when_the_trail_cannot_take_it() {
    let place = Place::new("unrecorded");
    let store = place.open().await;
    *place.trail.room.lock().unwrap() = Some(0);
    let refused = store.add(vec![read_orders()], &by()).await;
    assert!(matches!(refused, Err(ChangeError::Unavailable(_))));
    let refused = store.add_service(&name("orders"), &by()).await;
    assert!(matches!(refused, Err(ChangeError::Unavailable(_))));
    assert!(!may_read(&store) && store.user("orders").is_none());
    *place.trail.room.lock().unwrap() = None;
    drop(store);
    let store = place.open().await;
    assert!(!may_read(&store) && store.user("orders").is_none());
    assert!(place.trail.events.lock().unwrap().is_empty());
    store.add(vec![read_orders()], &by()).await.unwrap();
    assert!(may_read(&store));
}

/// Announced, then what came of it, with the number of the announcement.
fn outcomes(events: &[Event]) -> Vec<(Outcome, Option<u64>)> {
    events
        .iter()
        .map(|event| (event.outcome, event.refers))
        .collect()
}

#[tokio::test]
async fn outcome_of_a_committed_change_is_delivered_when_the_trail_recovers() {
    for restarts in [false, true] {
        let place = Place::new(if restarts { "outbox-restart" } else { "outbox" });
        let store = place.open().await;
        *place.trail.room.lock().unwrap() = Some(1);
        store.add(vec![read_orders()], &by()).await.unwrap();
        let told = || outcomes(&place.trail.events.lock().unwrap());
        assert_eq!(told(), [(Outcome::Allowed, None)]);
        *place.trail.room.lock().unwrap() = None;
        if restarts {
            drop(store);
            drop(place.open().await);
        } else {
            store.add_service(&name("x"), &by()).await.unwrap();
        }
        assert!(told().contains(&(Outcome::Ok, Some(1))));
        let change = place.trail.events.lock().unwrap()[0].change.clone();
        assert_eq!(
            change.unwrap().after.as_deref(),
            Some("allow User:alice Read topic:orders")
        );
        drop(place.open().await);
        let once = told()
            .iter()
            .filter(|one| **one == (Outcome::Ok, Some(1)))
            .count();
        assert_eq!(once, 1, "once only");
    }
}

#[tokio::test]
async fn certificates_are_on_record_when_they_are_issued_and_revoked() {
    let place = Place::new("certificates");
    let store = place.open().await;
    store
        .add_certificate("0a", "orders", Timestamp(9), &by())
        .await
        .unwrap();
    let revoked = store.revoke_certificates("orders", &by()).await.unwrap();
    assert_eq!(revoked, [("0a".to_owned(), Timestamp(9))]);
    assert!(
        store
            .revoke_certificates("orders", &by())
            .await
            .unwrap()
            .is_empty()
    );
    let events = place.trail.events.lock().unwrap();
    let expected = [
        (Outcome::Allowed, None),
        (Outcome::Ok, Some(1)),
        (Outcome::Allowed, None),
        (Outcome::Ok, Some(3)),
    ];
    assert_eq!(outcomes(&events), expected);
    assert!(events.iter().all(|event| event.detail["serial"] == "0a"));
}
