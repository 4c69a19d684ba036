//! What is kept over a restart, comes in by upload, or is written by many at once.

use super::*;

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let place = Place::new("reopen");
    let decoy = {
        let store = place.open().await;
        store
            .add_person(&name("alice"), secret("wonder"), &by())
            .await
            .unwrap();
        store.add(vec![read_orders()], &by()).await.unwrap();
        store.decoy_key().clone()
    };
    let store = place.open().await;
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(may_read(&store));
    assert!(
        store.decoy_key().matches(decoy.expose()),
        "unknown users keep their salts"
    );
    use std::os::unix::fs::MetadataExt;
    for entry in std::fs::read_dir(place.path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().mode() & 0o077,
            0,
            "{:?}",
            entry.path()
        );
    }
}

#[tokio::test]
async fn uploaded_scram_credential_makes_a_user_that_can_also_use_plain() {
    let place = Place::new("scram");
    let store = place.open().await;
    store
        .add_person(&name("model"), secret("pencil"), &by())
        .await
        .unwrap();
    let (verifier, _) = store
        .scram("model", ScramMechanism::Sha512)
        .await
        .unwrap()
        .unwrap();
    let set = ScramChange::Set {
        user: "fresh".to_owned(),
        verifier,
    };
    let wild = ScramChange::Delete {
        user: "nobody".to_owned(),
        mechanism: ScramMechanism::Sha256,
    };
    let outcomes = store.change(vec![set, wild], &by()).await;
    assert!(outcomes[0].is_ok());
    assert!(matches!(
        outcomes[1],
        Err(ChangeError::UnknownCredential(_))
    ));
    assert!(
        store
            .password("fresh", &secret("pencil"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .password("fresh", &secret("pen"))
            .await
            .unwrap()
            .is_none()
    );
    let gone = ScramChange::Delete {
        user: "fresh".to_owned(),
        mechanism: ScramMechanism::Sha512,
    };
    assert!(store.change(vec![gone], &by()).await[0].is_ok());
    assert!(
        store
            .scram("fresh", ScramMechanism::Sha512)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .password("fresh", &secret("pencil"))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn writers_at_once_lose_nothing() {
    let place = Place::new("writers");
    let store = place.open().await;
    let mut tasks = Vec::new();
    for number in 0..40 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut rule = read_orders();
            rule.resource = ResourcePattern::parse(&format!("topic:t{number}")).unwrap();
            store.add(vec![rule], &by()).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(PolicySource::current(&*store).rules().len(), 40);
    drop(store);
    assert_eq!(
        PolicySource::current(&*place.open().await).rules().len(),
        40
    );
}
