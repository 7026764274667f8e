//! `SHOW`, `DESCRIBE`, `USE`.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, when};
use crate::ast::{Describe, ObjectKind, Show, ShowFilter, ShowObjects, Use};

impl Display for Show {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Show::Catalogs(filter) => write!(f, "SHOW CATALOGS{}", Filter(filter.as_ref())),
            Show::CurrentCatalog => f.write_str("SHOW CURRENT CATALOG"),
            Show::CurrentDatabase => f.write_str("SHOW CURRENT DATABASE"),
            Show::Objects { kind, from, filter } => {
                let (from, filter) = (Clause("FROM", from.as_ref()), Filter(filter.as_ref()));
                write!(f, "SHOW {}{from}{filter}", objects_words(*kind))
            }
            Show::Modules { full } => write!(f, "SHOW {}MODULES", when(*full, "FULL ")),
            Show::Columns { table, filter } => {
                write!(f, "SHOW COLUMNS FROM {table}{}", Filter(filter.as_ref()))
            }
            Show::Partitions { table, spec } => {
                write!(f, "SHOW PARTITIONS {table}")?;
                spec.iter().try_for_each(|spec| write!(f, " {spec}"))
            }
            Show::Create { kind, or_alter, name } => {
                write!(f, "SHOW CREATE {}{kind} {name}", when(*or_alter, "OR ALTER "))
            }
            Show::Jars => f.write_str("SHOW JARS"),
            Show::Jobs => f.write_str("SHOW JOBS"),
        }
    }
}

fn objects_words(kind: ShowObjects) -> &'static str {
    match kind {
        ShowObjects::Databases => "DATABASES",
        ShowObjects::Tables => "TABLES",
        ShowObjects::Views => "VIEWS",
        ShowObjects::MaterializedTables => "MATERIALIZED TABLES",
        ShowObjects::Functions => "FUNCTIONS",
        ShowObjects::UserFunctions => "USER FUNCTIONS",
        ShowObjects::Procedures => "PROCEDURES",
        ShowObjects::Models => "MODELS",
        ShowObjects::Connections => "CONNECTIONS",
    }
}

/// ` [NOT] LIKE '…'` if there is a filter.
struct Filter<'a>(Option<&'a ShowFilter>);

impl Display for Filter<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(filter) = self.0 else {
            return Ok(());
        };
        let not = when(filter.negated, " NOT");
        let word = if filter.case_insensitive { "ILIKE" } else { "LIKE" };
        write!(f, "{not} {word} {}", filter.pattern)
    }
}

impl Display for Describe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Describe::Object { kind, extended, name } => {
                f.write_str("DESCRIBE ")?;
                if *kind != ObjectKind::Table {
                    write!(f, "{kind} ")?;
                }
                write!(f, "{}{name}", when(*extended, "EXTENDED "))
            }
            Describe::Job(id) => write!(f, "DESCRIBE JOB {id}"),
        }
    }
}

impl Display for Use {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Use::Catalog(name) => write!(f, "USE CATALOG {name}"),
            Use::Database(name) => write!(f, "USE {name}"),
            Use::Modules(names) => write!(f, "USE MODULES {}", Commas(names)),
        }
    }
}
