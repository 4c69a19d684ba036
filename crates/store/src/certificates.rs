//! Certificates that our own CA issued to services, so that rotating or deleting one revokes them.

use kastellan_core::ports::ChangeError;
use kastellan_core::time::Timestamp;
use sqlx::{Connection, Row};

use crate::{Store, unavailable};

impl Store {
    /// Remembers a certificate by its serial (lower-case hex).
    pub async fn add_certificate(
        &self,
        serial: &str,
        user: &str,
        not_after: Timestamp,
    ) -> Result<(), ChangeError> {
        let mut database = self.database.lock().await;
        sqlx::query("INSERT INTO certificates (serial, user_name, not_after) VALUES ($1, $2, $3)")
            .bind(serial)
            .bind(user)
            .bind(not_after.millis())
            .execute(&mut database.connection)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    /// Marks the certificates of a user as revoked; returns those that were not.
    pub async fn revoke_certificates(
        &self,
        user: &str,
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
        sqlx::query("UPDATE certificates SET revoked = 1 WHERE user_name = $1")
            .bind(user)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(rows
            .iter()
            .map(|row| (row.get(0), Timestamp(row.get(1))))
            .collect())
    }
}
