use wire::api::{MATRIX, Treatment as Class};

use super::*;

#[test]
fn handlers_are_in_the_order_of_their_keys() {
    assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn every_key_that_the_embedded_log_serves_is_judged() {
    for row in MATRIX.iter().filter(|row| row.embedded.is_some()) {
        assert!(handler_of(row.key).is_some(), "{}", row.name);
    }
}

#[test]
fn every_local_key_is_answered_and_hidden_keys_are_not() {
    for row in MATRIX {
        match row.treatment {
            Class::Local => assert!(handler_of(row.key).is_some(), "{}", row.name),
            Class::Hidden | Class::Operator => {
                assert!(handler_of(row.key).is_none(), "{}", row.name)
            }
            Class::Pass | Class::Typed => {}
        }
    }
}

#[test]
fn key_that_is_not_judged_is_not_served_whatever_the_upstream_offers() {
    let everything: Ranges = (0..=94).map(|key| (key, (0, 20))).collect();
    for row in MATRIX {
        let is_served = served(row.key, &everything).is_some();
        assert_eq!(is_served, handler_of(row.key).is_some(), "{}", row.name);
    }
    assert_eq!(
        served(24, &everything),
        None,
        "transactions have no check yet"
    );
}
