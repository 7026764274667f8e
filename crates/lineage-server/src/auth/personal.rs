//! Personal tokens.

use crate::error::Result;
use crate::store::Database;
use crate::store::db::Row;
use chrono::{DateTime, Days, NaiveDate};
use serde_json::{Value, json};

/// What a token may be good for.
pub const ALL_SCOPES: [&str; 2] = ["all:read", "all:write"];

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// A UUID.
    pub id: String,
    /// Whose.
    pub owner: String,
    /// What for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// First day, in days since the epoch.
    pub since: i64,
    /// Last day, in days since the epoch.
    pub until: i64,
}

const DAY_S: i64 = 24 * 3600;
const COLUMNS: &str = "id, owner, name, scopes, since, until";

impl PersonalToken {
    fn read(row: &Row) -> Self {
        Self {
            id: row.text(0),
            owner: row.text(1),
            name: row.text(2),
            scopes: row.text(3).split_whitespace().map(str::to_owned).collect(),
            since: row.int(4),
            until: row.int(5),
        }
    }

    /// Its first moment.
    pub fn since_s(&self) -> i64 {
        self.since * DAY_S
    }

    /// The moment after its last.
    pub fn until_s(&self) -> i64 {
        (self.until + 1) * DAY_S
    }

    /// As the API shows it.
    pub fn json(&self) -> Value {
        json!({"id": self.id, "name": self.name, "scopes": self.scopes, "since": day(self.since), "until": day(self.until)})
    }

    /// The token, if it is good now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn valid(db: &Database, id: &str, now_s: i64) -> Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM personal_token WHERE id = $1 AND revoked_at IS NULL");
        let rows = db.rows(&sql, vec![id.into()]).await?;
        Ok(rows.first().map(Self::read).filter(|token| token.since_s() <= now_s && now_s < token.until_s()))
    }

    /// Somebody's tokens that are good, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of(db: &Database, owner: &str, now_s: i64) -> Result<Vec<Self>> {
        let sql =
            format!("SELECT {COLUMNS} FROM personal_token WHERE owner = $1 AND revoked_at IS NULL ORDER BY name, id");
        let rows = db.rows(&sql, vec![owner.into()]).await?;
        Ok(rows.iter().map(Self::read).filter(|token| now_s < token.until_s()).collect())
    }

    /// Stores it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn store(&self, db: &Database) -> Result<()> {
        let sql = format!("INSERT INTO personal_token ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)");
        let params = vec![
            self.id.as_str().into(),
            self.owner.as_str().into(),
            self.name.as_str().into(),
            self.scopes.join(" ").into(),
            self.since.into(),
            self.until.into(),
        ];
        db.execute(&sql, params).await.map(|_| ())
    }

    /// Ends it now. Returns whether the owner had it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn revoke(db: &Database, owner: &str, id: &str, now_us: i64) -> Result<bool> {
        let sql = "UPDATE personal_token SET revoked_at = $1 WHERE id = $2 AND owner = $3 AND revoked_at IS NULL";
        Ok(db.execute(sql, vec![now_us.into(), id.into(), owner.into()]).await? > 0)
    }
}

/// A day, in ISO 8601.
fn day(days: i64) -> String {
    DateTime::from_timestamp(days * DAY_S, 0).map(|time| time.date_naive().to_string()).unwrap_or_default()
}

/// Days since the epoch of a day in ISO 8601.
pub fn days(text: &str) -> Option<i64> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() / DAY_S)
}

/// The last day a token made today may be good for.
pub fn last_day(today: i64) -> i64 {
    DateTime::from_timestamp(today * DAY_S, 0)
        .and_then(|time| time.checked_add_days(Days::new(366)))
        .map_or(today, |time| time.timestamp() / DAY_S)
}
