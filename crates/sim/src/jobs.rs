//! The jobs of the simulation: SQL with stateful operators over the simulated connector.

use crate::connector;
use crate::process::Process;
use crate::storage::ObjectStore;
use headwater_plan::JobGraph;
use headwater_sql::session::{Session, StatementResult};
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

/// How the committed rows of a job become a result that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Rows are added and taken back.
    Retract,
    /// The first columns are a key, whose last row counts.
    Upsert(usize),
}

/// A job.
pub(crate) struct Job {
    pub(crate) name: &'static str,
    /// What it inserts; of several sinks, several statements.
    inserts: &'static [&'static str],
    pub(crate) fold: Fold,
}

impl Job {
    /// Whether it can be restored at another parallelism from checkpoints whose barriers overtook rows: windows that
    /// share panes cannot be spread anew when some instances have fired more of them than others.
    pub(crate) fn rescales_unaligned(&self) -> bool {
        !self.inserts.iter().any(|insert| insert.contains("HOP("))
    }
}

const TABLES: &str = "
CREATE TABLE a (k BIGINT, n BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.4' SECOND)
  WITH ('connector' = 'simulated', 'salt' = '1', 'rows' = '120', 'splits' = '5', 'keys' = '6');
CREATE TABLE b (k BIGINT, n BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.4' SECOND)
  WITH ('connector' = 'simulated', 'salt' = '2', 'rows' = '60', 'splits' = '3', 'keys' = '30');
CREATE TABLE c (k BIGINT, n BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.4' SECOND)
  WITH ('connector' = 'simulated', 'salt' = '3', 'rows' = '50', 'splits' = '2', 'keys' = '30');
CREATE TABLE ones (x BIGINT) WITH ('connector' = 'simulated');
CREATE TABLE pairs (x BIGINT, y BIGINT) WITH ('connector' = 'simulated');
CREATE TABLE triples (x BIGINT, y BIGINT, z BIGINT) WITH ('connector' = 'simulated');
CREATE TABLE sixes (a BIGINT, b BIGINT, c BIGINT, d BIGINT, e BIGINT, f BIGINT) WITH ('connector' = 'simulated');
CREATE TABLE windows (k BIGINT, s TIMESTAMP(3), x BIGINT, y BIGINT)
  WITH ('connector' = 'simulated', 'mode' = 'append');
CREATE TABLE appended (x BIGINT, y BIGINT, z BIGINT) WITH ('connector' = 'simulated', 'mode' = 'append');
CREATE TABLE keyed (k BIGINT, x BIGINT, y BIGINT, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'simulated', 'mode' = 'upsert');
";

/// All jobs. Seeds choose among them by index: new ones go to the end.
pub(crate) const JOBS: &[Job] = &[
    Job { name: "forward", inserts: &["INSERT INTO appended SELECT k, n, v FROM a WHERE v < 80"], fold: Fold::Retract },
    Job {
        name: "group",
        inserts: &[
            "INSERT INTO sixes SELECT k, COUNT(*), SUM(v), MIN(v), MAX(v), COUNT(DISTINCT MOD(v, 5)) FROM a GROUP BY k",
        ],
        fold: Fold::Retract,
    },
    Job {
        name: "group of groups",
        inserts: &["INSERT INTO triples SELECT c, COUNT(*), SUM(s) FROM \
            (SELECT MOD(v, 20) AS g, COUNT(*) AS c, SUM(n) AS s FROM a GROUP BY MOD(v, 20)) GROUP BY c"],
        fold: Fold::Retract,
    },
    Job {
        name: "join",
        inserts: &["INSERT INTO triples SELECT b.k, b.n, c.n FROM b JOIN c ON b.k = c.k"],
        fold: Fold::Retract,
    },
    Job {
        name: "left join of groups",
        inserts: &["INSERT INTO triples SELECT b.n, x.k, x.cnt FROM b LEFT JOIN \
            (SELECT k, COUNT(*) AS cnt FROM c GROUP BY k) x ON b.k = x.k"],
        fold: Fold::Retract,
    },
    Job {
        name: "tumbling window",
        inserts: &["INSERT INTO windows SELECT k, window_start, COUNT(*), SUM(v) FROM \
            TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end"],
        fold: Fold::Retract,
    },
    Job {
        name: "hopping window",
        inserts: &["INSERT INTO windows SELECT k, window_start, MAX(v), COUNT(DISTINCT v) FROM \
            TABLE(HOP(TABLE a, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '3' SECOND)) \
            GROUP BY k, window_start, window_end"],
        fold: Fold::Retract,
    },
    Job {
        name: "rank",
        inserts: &["INSERT INTO triples SELECT k, n, v FROM (SELECT *, \
            ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, n) AS r FROM a) WHERE r <= 3"],
        fold: Fold::Retract,
    },
    Job {
        name: "numbered rank",
        inserts: &["INSERT INTO triples SELECT k, r, n FROM (SELECT *, \
            ROW_NUMBER() OVER (PARTITION BY k ORDER BY v, n) AS r FROM a) WHERE r <= 2"],
        fold: Fold::Retract,
    },
    Job {
        name: "keep last",
        inserts: &["INSERT INTO triples SELECT k, n, v FROM (SELECT *, \
            ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS r FROM a) WHERE r = 1"],
        fold: Fold::Retract,
    },
    Job {
        name: "keep first",
        inserts: &["INSERT INTO triples SELECT k, n, v FROM (SELECT *, \
            ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS r FROM a) WHERE r = 1"],
        fold: Fold::Retract,
    },
    Job {
        name: "upsert",
        inserts: &["INSERT INTO keyed SELECT k, COUNT(*), SUM(v) FROM a GROUP BY k"],
        fold: Fold::Upsert(1),
    },
    Job {
        name: "join and group",
        inserts: &["INSERT INTO triples SELECT b.k, COUNT(*), SUM(c.v) FROM b JOIN c ON b.k = c.k GROUP BY b.k"],
        fold: Fold::Retract,
    },
    Job {
        name: "two regions",
        inserts: &[
            "INSERT INTO pairs SELECT k, COUNT(*) FROM a GROUP BY k",
            "INSERT INTO appended SELECT k, n, v FROM b",
        ],
        fold: Fold::Retract,
    },
    Job {
        name: "union distinct",
        inserts: &["INSERT INTO ones SELECT DISTINCT x FROM (SELECT k AS x FROM b UNION ALL SELECT k AS x FROM c)"],
        fold: Fold::Retract,
    },
    Job {
        name: "global aggregate",
        inserts: &["INSERT INTO triples SELECT COUNT(*), SUM(v), MAX(n) FROM a"],
        fold: Fold::Retract,
    },
    Job {
        name: "interval join",
        inserts: &["INSERT INTO appended SELECT b.k, b.n, c.n FROM b JOIN c ON b.k = c.k \
            AND c.ts BETWEEN b.ts - INTERVAL '2' SECOND AND b.ts + INTERVAL '1' SECOND"],
        fold: Fold::Retract,
    },
    Job {
        name: "over",
        inserts: &["INSERT INTO appended SELECT k, n, SUM(v) OVER \
            (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM a"],
        fold: Fold::Retract,
    },
    Job {
        name: "fan out",
        inserts: &[
            "INSERT INTO pairs SELECT k, COUNT(*) FROM a GROUP BY k",
            "INSERT INTO windows SELECT k, window_start, COUNT(*), SUM(v) FROM \
                TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY k, window_start, window_end",
        ],
        fold: Fold::Retract,
    },
    Job {
        name: "session window",
        inserts: &["INSERT INTO windows SELECT k, window_start, COUNT(*), SUM(v) FROM \
            TABLE(SESSION(TABLE b PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1.5' SECOND)) \
            GROUP BY k, window_start, window_end"],
        fold: Fold::Retract,
    },
    Job {
        name: "full join",
        inserts: &["INSERT INTO triples SELECT b.k, b.n, c.n FROM b FULL JOIN c ON b.k = c.k AND b.v < c.v"],
        fold: Fold::Retract,
    },
    Job {
        name: "semi and anti join",
        inserts: &["INSERT INTO triples SELECT k, n, v FROM b WHERE k IN (SELECT k FROM c WHERE v > 50) \
            AND NOT EXISTS (SELECT 1 FROM c WHERE c.k = b.k AND c.v < 20)"],
        fold: Fold::Retract,
    },
];

/// By job, parallelism, and whether checkpoints may be unaligned.
type Plans = Mutex<BTreeMap<(usize, u32, bool), Arc<JobGraph>>>;

/// Plans are the same in all simulations of this program.
static PLANS: OnceLock<Plans> = OnceLock::new();

/// The plan of a job at a parallelism.
///
/// # Errors
/// When SQL refuses it.
pub(crate) fn plan(
    job: usize,
    parallelism: u32,
    unaligned: bool,
    process: &Process,
    store: &Arc<ObjectStore>,
) -> Result<Arc<JobGraph>> {
    let plans = PLANS.get_or_init(Mutex::default);
    let key = (job, parallelism, unaligned);
    if let Some(graph) = crate::process::lock(plans).get(&key) {
        return Ok(graph.clone());
    }
    let registry = connector::registry(store, &process.life, &Arc::default());
    let mut config = Configuration::new();
    config.set("parallelism.default", parallelism.to_string());
    config.set("execution.checkpointing.unaligned.enabled", unaligned.to_string());
    let mut session = Session::new(config, registry, process.env.clone());
    let script = script(&JOBS[job]);
    let (statements, error) = parse_script(&script);
    if let Some(error) = error {
        return Err(Error::internal(format!("a simulated job is no SQL: {error:?}")));
    }
    let mut planned = None;
    for statement in &statements {
        let result = session.execute(&statement.statement, &script);
        let result = result.map_err(|error| Error::internal(format!("{}: {error:?}", JOBS[job].name)))?;
        if let StatementResult::Job(job) = result {
            planned = Some(Arc::new(job.graph));
        }
    }
    let graph = planned.ok_or_else(|| Error::internal("a simulated job inserts nothing"))?;
    crate::process::lock(plans).insert(key, graph.clone());
    Ok(graph)
}

fn script(job: &Job) -> String {
    let inserts: String = job.inserts.iter().map(|insert| format!("{insert};\n")).collect();
    format!("{TABLES}EXECUTE STATEMENT SET BEGIN\n{inserts}END;")
}
