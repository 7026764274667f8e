//! Hive: a session is a run, each query an operation of it.
//!
//! Hive has no run for a session, so one is made up, with an id that each of its queries leads to.

use super::{Profile, common, datasets, naming};
use crate::event::{Event, Id, micros, string};
use crate::facts::{Facts, Run, status};
use chrono::DateTime;
use sha1::{Digest, Sha1};
use uuid::Uuid;

const PROFILE: Profile =
    Profile { prefer_tables: false, cut_partitions: false, drop_kafka_tables: false, default_type: None };

/// A session, as the events of its queries describe it.
pub(super) struct Session {
    /// Who works in it.
    pub user: String,
    /// From where.
    pub address: String,
    /// Its id in the producer's terms.
    pub id: String,
    /// When it began, as the event has it.
    pub created: String,
}

pub(super) fn extract(event: &Event<'_>, id: Uuid, facts: &mut Facts) {
    let facet = event.run_facet("hive_session");
    let session = facet.and_then(|f| {
        Some(Session {
            user: string(f, "username")?,
            address: string(f, "clientIp").unwrap_or_else(|| "unknown".into()),
            id: string(f, "sessionId")?,
            created: string(f, "creationTime")?,
        })
    });
    let Some(session) = session else {
        super::generic::extract(event, id, facts);
        return;
    };
    let run = session_run(&session);
    in_session(event, id, run, &session, "HIVE_SESSION", facts);
    if let (Some(operation), Some(query)) = (&mut facts.operation, event.run_facet("hive_query")) {
        operation.name = string(query, "queryId").unwrap_or_else(|| event.job.name.clone());
        operation.description = string(query, "operationName");
    }
}

/// The query of the event, in the given run of a session.
pub(super) fn in_session(event: &Event<'_>, id: Uuid, run: Uuid, session: &Session, kind: &str, facts: &mut Facts) {
    let name = naming::job(&Id {
        namespace: event.job.namespace.clone(),
        name: format!("{}@{}", session.user, session.address),
    });
    let mut job = common::mentioned_job(&name);
    job.kind = Some(kind.to_owned());
    job.tags = common::tags(event);
    facts.jobs.push(job);
    let mut mentioned = common::mentioned_run(run, &name);
    mentioned.status = status::STARTED;
    mentioned.started_at = micros(&session.created);
    session_details(session, &mut mentioned);
    facts.runs.push(mentioned);
    facts.operation = Some(common::operation(event, id, run, event.job.name.clone()));
    datasets::extract(event, &PROFILE, facts);
}

fn session_details(session: &Session, run: &mut Run) {
    run.details.external_id = Some(session.id.clone());
    // Who did not log in is nobody.
    run.details.user = Some(session.user.clone()).filter(|user| user != "anonymous" && user != "hive");
}

/// A UUID of version 7 with the time of the session and a hash of it and its id; the same as in Data.Rentgen.
fn session_run(session: &Session) -> Uuid {
    let created = DateTime::from_timestamp_micros(micros(&session.created).unwrap_or(0)).unwrap_or_default();
    let format = if created.timestamp_subsec_micros() == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
    let digest = Sha1::digest(format!("{}+00:00{}", created.format(format), session.id).as_bytes());
    // The first 76 bits of the hash: what a UUID has room for behind the version.
    let mut random = [0_u8; 10];
    for (at, byte) in random.iter_mut().enumerate() {
        let before = if at == 0 { 0 } else { digest[at - 1] };
        *byte = (before << 4) | (digest[at] >> 4);
    }
    let millis = created.timestamp_millis().max(0).unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
