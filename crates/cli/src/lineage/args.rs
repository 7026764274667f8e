//! Arguments of `headwater lineage`.

use crate::args::ConfigArgs;
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// What to do with lineage.
#[derive(Debug, Subcommand)]
pub enum LineageCommand {
    /// Show what the jobs of a script read and write, down to columns, without running anything.
    Explain(ExplainArgs),
    /// Collect lineage events of any producer, keep a catalog, answer questions and show it in a browser.
    Serve(Box<ServeArgs>),
}

impl LineageCommand {
    /// Where its configuration comes from.
    pub fn config(&self) -> &ConfigArgs {
        match self {
            Self::Explain(args) => &args.config,
            Self::Serve(args) => &args.config,
        }
    }
}

/// Options of `headwater lineage explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A script whose INSERT statements are the jobs; '-' is stdin; may be repeated.
    #[arg(short, long = "file", value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Compare with what runs or ran: the id of a job of a cluster, a file that `explain --json` wrote, or a file of
    /// OpenLineage events. Fails when a consumer would lose a column or an output.
    #[arg(long, value_name = "JOB|FILE")]
    pub diff: Option<String>,
    /// Print one JSON document.
    #[arg(long, conflicts_with_all = ["dot", "mermaid"])]
    pub json: bool,
    /// Print a graph for Graphviz.
    #[arg(long, conflicts_with_all = ["mermaid", "diff"])]
    pub dot: bool,
    /// Print a graph for Mermaid.
    #[arg(long, conflicts_with = "diff")]
    pub mermaid: bool,
    /// Where the cluster's REST API is, for --diff with a job; by default 'rest.address' and 'rest.port'.
    #[arg(short = 'm', long = "jobmanager", value_name = "HOST:PORT")]
    pub jobmanager: Option<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// How people log in to the lineage server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthKind {
    /// Nobody needs to.
    None,
    /// Any name and password will do.
    Dummy,
    /// With an OpenID Connect provider; see the options that begin with --oidc.
    Oidc,
}

/// Options of `headwater lineage serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT", default_value = headwater_lineage_server::options::LISTEN)]
    pub listen: String,
    /// Where the catalog is kept: 'sqlite:FILE' or 'postgres://USER@HOST/NAME'.
    #[arg(long, value_name = "URL", default_value = headwater_lineage_server::options::DATABASE, env = "HEADWATER_LINEAGE_DATABASE", hide_env_values = true)]
    pub database: String,
    /// How people log in.
    #[arg(long, value_enum, default_value = "none")]
    pub auth: AuthKind,
    /// Want a token for events too.
    #[arg(long)]
    pub ingest_auth: bool,
    /// What signs tokens; without it the database keeps a random one.
    #[arg(long, env = "HEADWATER_LINEAGE_SECRET", hide_env_values = true)]
    pub secret: Option<String>,
    /// Address of the OpenID Connect provider; for Keycloak with the realm.
    #[arg(long, value_name = "URL", required_if_eq("auth", "oidc"))]
    pub oidc_issuer: Option<String>,
    /// Id of this server at the provider.
    #[arg(long, value_name = "ID", required_if_eq("auth", "oidc"))]
    pub oidc_client_id: Option<String>,
    /// Secret of this server at the provider.
    #[arg(long, env = "HEADWATER_LINEAGE_OIDC_SECRET", hide_env_values = true)]
    pub oidc_client_secret: Option<String>,
    /// Where the browser returns to after logging in.
    #[arg(long, value_name = "URL", required_if_eq("auth", "oidc"))]
    pub oidc_redirect_url: Option<String>,
    /// Origin whose pages may call the API with credentials; may be repeated; '*' is any, without credentials.
    #[arg(long, value_name = "ORIGIN")]
    pub cors_origin: Vec<String>,
    /// Forget events and ended runs that are older.
    #[arg(long, value_name = "DAYS")]
    pub retention_days: Option<u32>,
    /// Hours without news after which a run counts as stale.
    #[arg(long, value_name = "HOURS", default_value_t = headwater_lineage_server::options::STALE_HOURS)]
    pub stale_hours: u32,
    /// Days without news after which a run that did not end leaves the graph.
    #[arg(long, value_name = "DAYS", default_value_t = headwater_lineage_server::options::SILENT_DAYS)]
    pub silent_days: u32,
    /// Read events from Kafka too: brokers with commas between them.
    #[arg(long, value_name = "HOST:PORT,..")]
    pub kafka: Option<String>,
    /// Topic of events; may be repeated.
    #[arg(long, value_name = "TOPIC", default_value = "input.runs")]
    pub kafka_topic: Vec<String>,
    /// Consumer group.
    #[arg(long, value_name = "GROUP", default_value = "headwater-lineage")]
    pub kafka_group: String,
    /// Setting of librdkafka; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = property)]
    pub kafka_property: Vec<(String, String)>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
