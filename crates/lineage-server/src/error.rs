//! Errors of the lineage server.

use headwater_types::{Error as HeadwaterError, ErrorKind};

/// What can go wrong inside; see [`crate::api`] for what clients are told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option makes no sense.
    #[error("{0}")]
    Options(String),
    /// The database refused a statement or is not there.
    #[error("the catalog's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The database holds something this program never wrote.
    #[error("the catalog's database holds an unexpected value: {0}")]
    Corrupt(String),
    /// A socket or file.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The server is stopping.
    #[error("the lineage server is stopping")]
    Stopping,
    /// A broker of Kafka.
    #[error("Kafka: {0}")]
    Kafka(String),
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether the same statement may succeed on another try, as opposed to never.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                // Serialisation failures and deadlocks of PostgreSQL, "busy" and "full" of SQLite.
                matches!(error.code().as_deref(), Some("40001" | "40P01" | "5" | "13" | "517"))
            }
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => true,
            Self::Database(sqlx::Error::WorkerCrashed) | Self::Stopping => true,
            _ => false,
        }
    }
}

impl From<Error> for HeadwaterError {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Options(_) => ErrorKind::User,
            Error::Stopping => ErrorKind::Cancelled,
            Error::Corrupt(_) => ErrorKind::Corruption,
            _ => ErrorKind::Retryable,
        };
        HeadwaterError::new(kind, "LINEAGE_SERVER", error.to_string())
    }
}
