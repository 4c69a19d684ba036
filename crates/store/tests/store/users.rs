//! Accounts and their secrets: who logs in, who is cut off.

use super::*;

#[tokio::test]
async fn person_logs_in_with_the_password_and_with_no_other() {
    let place = Place::new("person");
    let store = place.open().await;
    store
        .add_person(&name("alice"), secret("wonder"), &by())
        .await
        .unwrap();
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_some(),
        "from memory"
    );
    assert!(
        store
            .password("alice", &secret("wander"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .password("bob", &secret("wonder"))
            .await
            .unwrap()
            .is_none()
    );
    for mechanism in ScramMechanism::ALL {
        assert!(store.scram("alice", mechanism).await.unwrap().is_some());
        assert!(store.scram("bob", mechanism).await.unwrap().is_none());
    }
    let twice = store.add_person(&name("alice"), secret("x"), &by()).await;
    assert!(matches!(twice, Err(ChangeError::Invalid(_))));
}

#[tokio::test]
async fn service_secret_is_random_and_opens_its_own_account_only() {
    let place = Place::new("service");
    let store = place.open().await;
    let one = store.add_service(&name("orders"), &by()).await.unwrap();
    let two = store.add_service(&name("billing"), &by()).await.unwrap();
    assert!(!one.matches(two.expose()) && one.len() == 43);
    assert!(store.password("orders", &one).await.unwrap().is_some());
    assert!(store.password("orders", &two).await.unwrap().is_none());
    let fresh = store.rotate_secret("orders", &by()).await.unwrap();
    assert!(store.password("orders", &one).await.unwrap().is_none());
    assert!(store.password("orders", &fresh).await.unwrap().is_some());
}

#[tokio::test]
async fn disabled_user_is_unknown_and_its_sessions_are_cut() {
    let place = Place::new("disable");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    store
        .add_person(&name("alice"), secret("wonder"), &by())
        .await
        .unwrap();
    let (_, revision) = store
        .scram("alice", ScramMechanism::Sha512)
        .await
        .unwrap()
        .unwrap();
    assert!(store.is_current("alice", revision));
    store.set_disabled("alice", true, &by()).await.unwrap();
    assert!(
        store
            .scram("alice", ScramMechanism::Sha512)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(!store.admits(&PrincipalName::user("alice")) && !store.is_current("alice", revision));
    assert_eq!(
        *sessions.0.lock().unwrap(),
        [Revocation::Principal(PrincipalName::user("alice"))]
    );
    store.set_disabled("alice", false, &by()).await.unwrap();
    assert!(store.admits(&PrincipalName::user("alice")));
    assert!(matches!(
        store.set_disabled("bob", true, &by()).await,
        Err(ChangeError::UnknownUser(_))
    ));
}

#[tokio::test]
async fn new_password_ends_sessions_of_the_old_one() {
    let place = Place::new("password");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    store
        .add_person(&name("alice"), secret("wonder"), &by())
        .await
        .unwrap();
    let (_, revision) = store
        .scram("alice", ScramMechanism::Sha512)
        .await
        .unwrap()
        .unwrap();
    store
        .set_password("alice", secret("new"), &by())
        .await
        .unwrap();
    assert!(!store.is_current("alice", revision));
    let told = sessions.0.lock().unwrap();
    assert!(
        told.iter()
            .any(|one| matches!(one, Revocation::Credential { id, .. } if *id == revision.id)),
        "{told:?}"
    );
}
