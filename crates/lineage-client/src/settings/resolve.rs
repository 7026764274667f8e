//! Namespace resolvers: one name for the many hosts of one system.
//!
//! Two clients of one cluster that name another broker first, or name it by another alias, would make two datasets of one
//! topic. A resolver of the user's replaces the host part of a namespace by its own name.

use super::tree::{list, text};
use regex::Regex;
use serde_json::Value;

/// Longest pattern, in bytes.
const PATTERN_MAX: usize = 4096;

/// Replaces the host part of namespaces.
#[derive(Debug, Clone)]
pub struct NamespaceResolver {
    name: String,
    /// Only for namespaces of this scheme.
    schema: Option<String>,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    /// Any of these hosts.
    Hosts(Vec<String>),
    /// What matches becomes the name.
    Pattern(Regex),
    /// What this group of the match holds becomes the name.
    Group(Regex, String),
}

/// The resolvers of `dataset.namespaceResolvers`.
pub(super) fn resolvers(config: Option<&Value>, warnings: &mut Vec<String>) -> Vec<NamespaceResolver> {
    let all = config.and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(name, options)| {
        let rule = rule(options);
        if rule.is_none() {
            let message = format!(
                "'openlineage.dataset.namespaceResolvers.{name}' is ignored: expected type hostList with \
                hosts, pattern with regex, or patternGroup with regex and matchingGroup"
            );
            warnings.push(message);
        }
        Some(NamespaceResolver { name: name.clone(), schema: text(options, "schema"), rule: rule? })
    })
    .collect()
}

fn rule(options: &Value) -> Option<Rule> {
    let regex = || Regex::new(&text(options, "regex").filter(|r| r.len() <= PATTERN_MAX)?).ok();
    match text(options, "type")?.as_str() {
        "hostList" => Some(list(options, "hosts")).filter(|hosts| !hosts.is_empty()).map(Rule::Hosts),
        "pattern" => regex().map(Rule::Pattern),
        "patternGroup" => Some(Rule::Group(regex()?, text(options, "matchingGroup")?)),
        _ => None,
    }
}

impl NamespaceResolver {
    /// The namespace by its other name; `None` when the rule is not for it.
    pub fn resolve(&self, namespace: &str) -> Option<String> {
        let (scheme, host) = namespace.split_once("://")?;
        if self.schema.as_deref().is_some_and(|schema| schema != scheme) {
            return None;
        }
        let name = match &self.rule {
            Rule::Hosts(hosts) => {
                let found = hosts.iter().any(|known| is_host(host, known));
                found.then(|| self.name.clone())?
            }
            Rule::Pattern(regex) => regex.is_match(host).then(|| self.name.clone())?,
            Rule::Group(regex, group) => regex.captures(host)?.name(group)?.as_str().to_owned(),
        };
        Some(format!("{scheme}://{name}"))
    }
}

/// Whether a host, with or without a port, is the known one.
fn is_host(host: &str, known: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let known = known.to_ascii_lowercase();
    host == known || host.rsplit_once(':').is_some_and(|(name, _)| name == known)
}
