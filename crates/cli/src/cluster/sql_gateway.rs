//! `headwater sql-gateway`.

use super::{Remote, exit_code, logging, runtime, target, terminated};
use crate::args::SqlGatewayArgs;
use headwater_env::Env;
use headwater_sql_gateway::{Cluster, Gateway, Options, serve};
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::process::ExitCode;

/// Serves a SQL gateway until SIGTERM.
pub fn run(args: &SqlGatewayArgs, config: Configuration) -> ExitCode {
    exit_code(logging::start(&config).and_then(|()| work(args, config)))
}

fn work(args: &SqlGatewayArgs, mut config: Configuration) -> Result<()> {
    if let Some(host) = &args.host {
        config.set("sql-gateway.endpoint.rest.bind-address", host);
    }
    if let Some(port) = args.port {
        config.set("sql-gateway.endpoint.rest.bind-port", port.to_string());
    }
    let options = Options::from_config(&config)?;
    options.check()?;
    let listener = options.server.listen()?;
    let leader = target(args.jobmanager.as_deref(), &config)?;
    let remote = leader.map(|leader| Remote::connect(leader, &config)).transpose()?;
    let cluster = remote.as_ref().map_or(Cluster::Here, |remote| Cluster::Elsewhere(remote.handle.clone()));
    let scheme = if options.server.tls.is_some() { "https" } else { "http" };
    let gateway = Gateway::start(options, config, cluster, Env::real())?;
    let server = serve(listener, &gateway)?;
    crate::complain(format_args!("[INFO] SQL gateway at {scheme}://{}", server.address()));
    runtime()?.block_on(terminated());
    tracing::info!("the SQL gateway ends");
    Ok(())
}
