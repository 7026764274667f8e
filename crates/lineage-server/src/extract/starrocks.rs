//! StarRocks: as Hive, with sessions that have ids of their own.

use super::{common, hive};
use crate::event::{Event, run_id, string};
use crate::facts::Facts;
use uuid::Uuid;

pub(super) fn extract(event: &Event<'_>, id: Uuid, facts: &mut Facts) {
    let facet = event.run_facet("starrocks_session");
    let found = facet.and_then(|f| {
        let run = run_id(f.get("sessionId")?, "starrocks_session").ok()?;
        let session = hive::Session {
            user: string(f, "user").or_else(|| string(f, "username"))?,
            address: string(f, "client").or_else(|| string(f, "clientIp")).unwrap_or_else(|| "unknown".into()),
            id: run.to_string(),
            created: string(f, "creationTime").unwrap_or_default(),
        };
        Some((run, session))
    });
    match found {
        Some((run, session)) => hive::in_session(event, id, run, &session, "STARROCKS_SESSION", facts),
        None => super::generic::extract(event, id, facts),
    }
    if let Some(operation) = &mut facts.operation {
        operation.sql = operation.sql.take().or_else(|| common::operation(event, id, id, String::new()).sql);
    }
}
