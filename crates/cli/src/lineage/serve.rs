//! `headwater lineage serve`: the lineage server, until the process is told to end.

use super::args::{AuthKind, ServeArgs};
use crate::cluster::logging;
use headwater_lineage_server::{AuthOptions, KafkaOptions, OidcOptions, Options, serve};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use std::process::ExitCode;

/// Runs it.
pub fn run(args: &ServeArgs, config: &Configuration) -> ExitCode {
    match try_run(args, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

fn try_run(args: &ServeArgs, config: &Configuration) -> Result<()> {
    logging::start(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Error::internal("threads cannot be started").with_source(e))?;
    runtime.block_on(serve(options(args)))
}

fn options(args: &ServeArgs) -> Options {
    let kafka = args.kafka.as_ref().map(|brokers| KafkaOptions {
        brokers: brokers.clone(),
        topics: args.kafka_topic.clone(),
        group: args.kafka_group.clone(),
        properties: args.kafka_property.clone(),
    });
    Options {
        listen: args.listen.clone(),
        database: args.database.clone(),
        auth: auth(args),
        ingest_auth: args.ingest_auth,
        secret: args.secret.clone(),
        cors_origins: args.cors_origin.clone(),
        stale_hours: args.stale_hours,
        silent_days: args.silent_days,
        retention_days: args.retention_days,
        kafka,
        ..Options::default()
    }
}

fn auth(args: &ServeArgs) -> AuthOptions {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    match args.auth {
        AuthKind::None => AuthOptions::None,
        AuthKind::Dummy => AuthOptions::Dummy,
        AuthKind::Oidc => AuthOptions::Oidc(OidcOptions {
            issuer: text(&args.oidc_issuer),
            client_id: text(&args.oidc_client_id),
            client_secret: text(&args.oidc_client_secret),
            redirect_url: text(&args.oidc_redirect_url),
            scope: "openid profile email".into(),
        }),
    }
}
