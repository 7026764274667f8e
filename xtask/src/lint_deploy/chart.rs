//! The Helm chart: linted, rendered with values for every branch, and what comes out held against Kubernetes' schemas.

use super::{Bin, Linted, YAML_RULES, check};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Go module of helm.
const HELM: (&str, &str) = ("helm.sh/helm/v3/cmd/helm", "v3.17.3");
/// The version of Kubernetes that charts are rendered for.
const KUBERNETES: &str = "1.30";

/// A set of values, what has to be in what comes out, and what must not be.
struct Case {
    values: &'static [&'static str],
    has: &'static [&'static str],
    lacks: &'static [&'static str],
}

/// What only JobManagers need that elect their leader by a Lease of Kubernetes.
const LEASE: [&str; 3] = ["kind: Role\n", "high-availability.type: kubernetes", "automountServiceAccountToken: true"];
/// Every branch at least once; the first ones with the election of a leader off, by storage, and by a Lease.
const CASES: [Case; 6] = [
    Case { values: &[], has: &["replicas: 1\n"], lacks: &[LEASE[0], LEASE[2], "high-availability.type"] },
    Case {
        values: &["jobManager.replicas=3", "storage.directory=s3://bucket/headwater"],
        has: &["high-availability.type: storage", "replicas: 3\n"],
        lacks: &[LEASE[0], LEASE[2], "kind: RoleBinding"],
    },
    Case {
        values: &[
            "jobManager.replicas=2",
            "storage.directory=s3://b/h",
            "highAvailability.type=kubernetes",
            "internalTls.secret=own",
        ],
        has: &[
            LEASE[0],
            LEASE[1],
            LEASE[2],
            "kind: RoleBinding",
            "- test-leader\n",
            "security.ssl.internal.enabled: true",
        ],
        lacks: &[],
    },
    Case {
        values: &[
            "jobManager.replicas=2",
            "storage.directory=s3://b/h",
            "highAvailability.type=kubernetes",
            "rbac.create=false",
        ],
        has: &[LEASE[1], LEASE[2]],
        lacks: &[LEASE[0], "kind: RoleBinding"],
    },
    Case {
        values: &[
            "taskManager.autoscaling.enabled=true",
            "rest.authenticationSecret=token",
            "networkPolicy.enabled=false",
        ],
        has: &["kind: HorizontalPodAutoscaler", "headwater.rest.authentication.token-file: /etc/headwater-token/token"],
        lacks: &["kind: NetworkPolicy"],
    },
    Case {
        values: &[
            "rest.tlsSecret=tls",
            "rest.mutualTls=true",
            "serviceAccount.create=false",
            "rest.annotateForPrometheus=false",
        ],
        has: &[
            "security.ssl.rest.authentication-enabled: true",
            "security.ssl.rest.truststore: /etc/headwater-tls/ca.crt",
        ],
        lacks: &["kind: ServiceAccount\n", "prometheus.io/scrape"],
    },
];
/// Values that have to be refused, with what is said.
const REFUSED: [(&[&str], &str); 4] = [
    (&["highAvailability.type=zookeeper"], "highAvailability"),
    (&["jobManager.replicas=2"], "storage.directory"),
    (&["rest.mutualTls=true"], "rest.tlsSecret"),
    (&["taskManager.slots=0"], "slots"),
];

/// Lints and renders the chart.
pub(super) fn lint(deploy: &Path, files: &Path, bin: Bin<'_>) -> Result<Linted> {
    let bin = match bin {
        Ok(bin) => bin,
        Err(why) => return Ok(Linted::Skipped(why.clone())),
    };
    let helm = match helm() {
        Ok(helm) => helm,
        Err(error) => return Ok(Linted::Skipped(format!("helm cannot be installed: {error:#}"))),
    };
    let chart = deploy.join("helm/headwater");
    check(Command::new(&helm).args(["lint", "--strict"]).arg(&chart))?;
    for (number, case) in CASES.iter().enumerate() {
        let rendered = files.join(format!("rendered-{number}.yaml"));
        let text = template(&helm, &chart, case.values).with_context(|| case.values.join(" "))?;
        std::fs::write(&rendered, &text)?;
        expect(case, &text)?;
        // Indentation of what templates insert is what it is.
        let rules = YAML_RULES.replace("rules: {", "rules: {indentation: disable, ");
        check(Command::new(bin.join("yamllint")).args(["-d", &rules]).arg(&rendered))?;
        let strict = ["--strict", "--kubernetes-version", KUBERNETES];
        check(Command::new(bin.join("kubernetes-validate")).args(strict).arg(&rendered))?;
    }
    for (values, says) in REFUSED {
        match template(&helm, &chart, values) {
            Ok(_) => bail!("the values {} were not refused", values.join(" ")),
            Err(error) if format!("{error:#}").contains(says) => {}
            Err(error) => return Err(error.context(format!("'{says}' is not in what is said"))),
        }
    }
    let (rendered, refused) = (CASES.len(), REFUSED.len());
    Ok(Linted::Clean(format!(
        "helm lint, yamllint, Kubernetes' schemas; {rendered} sets of values rendered, {refused} refused"
    )))
}

fn template(helm: &Path, chart: &Path, values: &[&str]) -> Result<String> {
    let set = values.iter().flat_map(|value| ["--set", value]);
    let version = format!("{KUBERNETES}.0");
    check(Command::new(helm).args(["template", "test", "--kube-version", &version]).arg(chart).args(set))
}

fn expect(case: &Case, text: &str) -> Result<()> {
    let values = case.values.join(" ");
    for wanted in case.has {
        ensure!(text.contains(wanted), "'{}' is not in what the values {values} render", wanted.trim());
    }
    for unwanted in case.lacks {
        ensure!(!text.contains(unwanted), "'{}' is in what the values {values} render", unwanted.trim());
    }
    Ok(())
}

/// The one that is installed, or one that is built once into the user's cache folder.
fn helm() -> Result<PathBuf> {
    if Command::new("helm").arg("version").output().is_ok() {
        return Ok(PathBuf::from("helm"));
    }
    Ok(headwater_test_servers::go::program(HELM.0, HELM.1, "helm")?)
}
