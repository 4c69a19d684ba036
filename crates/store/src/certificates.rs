//! Certificates that our own CA issued to services, so that rotating or deleting one revokes them.

use kastellan_core::event::Event;
use kastellan_core::ports::{ChangeError, Requester};
use kastellan_core::time::Timestamp;
use sqlx::{Connection, Row};

use crate::users::event;
use crate::{Store, unavailable};

impl Store {
    /// Remembers a certificate by its serial (lower-case hex).
    pub async fn add_certificate(
        &self,
        serial: &str,
        user: &str,
        not_after: Timestamp,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let mut database = self.database.lock().await;
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        sqlx::query("INSERT INTO certificates (serial, user_name, not_after) VALUES ($1, $2, $3)")
            .bind(serial)
            .bind(user)
            .bind(not_after.millis())
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let issued = of_certificate(user, serial, by).changed(None, Some("issued".to_owned()));
        let staged = self.stage(&mut transaction, vec![issued]).await?;
        self.commit(transaction, staged).await?;
        self.deliver(&mut database).await;
        Ok(())
    }

    /// Marks the certificates of a user as revoked; returns those that were not.
    pub async fn revoke_certificates(
        &self,
        user: &str,
        by: &Requester,
    ) -> Result<Vec<(String, Timestamp)>, ChangeError> {
        let mut database = self.database.lock().await;
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        let rows = sqlx::query(
            "SELECT serial, not_after FROM certificates WHERE user_name = $1 AND revoked = 0",
        )
        .bind(user)
        .fetch_all(&mut *transaction)
        .await
        .map_err(unavailable)?;
        let revoked: Vec<(String, Timestamp)> = rows
            .iter()
            .map(|row| (row.get(0), Timestamp(row.get(1))))
            .collect();
        if revoked.is_empty() {
            return Ok(revoked);
        }
        sqlx::query("UPDATE certificates SET revoked = 1 WHERE user_name = $1")
            .bind(user)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let words = |serial: &String| {
            let (before, after) = ("issued".to_owned(), "revoked".to_owned());
            of_certificate(user, serial, by).changed(Some(before), Some(after))
        };
        let events = revoked.iter().map(|(serial, _)| words(serial)).collect();
        let staged = self.stage(&mut transaction, events).await?;
        self.commit(transaction, staged).await?;
        self.deliver(&mut database).await;
        Ok(revoked)
    }
}

fn of_certificate(user: &str, serial: &str, by: &Requester) -> Event {
    event("client.certificate", user, by).with("serial", serial)
}
