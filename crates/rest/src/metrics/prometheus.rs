//! Metrics as Prometheus reads them: the text format 0.0.4, with the names and labels of Flink's reporter, so that
//! dashboards made for it work.
//!
//! Flink's processes report their own metrics each; here one page has those of all. Every metric is a gauge, as there.
//! Values that are no numbers are left out, as are series beyond a bound, which a comment at the end says.

use super::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Series on a page.
const SERIES_MAX: usize = 200_000;

/// A label and its value.
pub(crate) type Label<'a> = (&'static str, &'a str);

/// A page under construction: series by name, so that those of one name are together, as the format wants it.
#[derive(Default)]
pub(crate) struct Page {
    series: BTreeMap<String, String>,
    count: usize,
}

impl Page {
    /// Adds metrics of one scope, such as `taskmanager_job_task`.
    pub(crate) fn add(&mut self, scope: &str, labels: &[Label<'_>], values: &[Value]) {
        let labels = rendered(labels);
        for (id, value) in values {
            let Some(value) = number(value) else { continue };
            self.count += 1;
            if self.count <= SERIES_MAX {
                let name = format!("flink_{scope}_{}", legible(id));
                let lines = self.series.entry(name.clone()).or_default();
                // Writing to a text does not fail.
                let _ = writeln!(lines, "{name}{{{labels}}} {value}");
            }
        }
    }

    /// The page.
    pub(crate) fn render(&self) -> Vec<u8> {
        let mut page = String::new();
        for (name, lines) in &self.series {
            let _ = write!(page, "# TYPE {name} gauge\n{lines}");
        }
        if self.count > SERIES_MAX {
            let _ = writeln!(page, "# {} series were left out", self.count - SERIES_MAX);
        }
        page.into_bytes()
    }
}

/// A value as the format writes numbers.
fn number(value: &str) -> Option<String> {
    match value {
        "true" => Some("1".to_owned()),
        "false" => Some("0".to_owned()),
        value => value.parse::<f64>().is_ok_and(f64::is_finite).then(|| value.to_owned()),
    }
}

/// Letters that names may have; others become `_`.
fn legible(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == ':' { c } else { '_' }).collect()
}

fn rendered(labels: &[Label<'_>]) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let one = |(name, value): &Label<'_>| format!("{name}=\"{}\",", escaped(value));
    labels.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(id: &str, value: &str) -> Value {
        (id.to_owned(), value.to_owned())
    }

    #[test]
    fn series_of_one_name_are_together_and_escaped() {
        let mut page = Page::default();
        let values = [value("Status.Open", "3"), value("isBackPressured", "true"), value("path", "s3://a")];
        page.add("taskmanager", &[("tm_id", "a\"b\\\n")], &values);
        page.add("taskmanager", &[("tm_id", "c")], &values[..1]);
        let text = String::from_utf8(page.render()).expect("text");
        assert_eq!(
            text,
            "# TYPE flink_taskmanager_Status_Open gauge\n\
             flink_taskmanager_Status_Open{tm_id=\"a\\\"b\\\\\\n\",} 3\n\
             flink_taskmanager_Status_Open{tm_id=\"c\",} 3\n\
             # TYPE flink_taskmanager_isBackPressured gauge\n\
             flink_taskmanager_isBackPressured{tm_id=\"a\\\"b\\\\\\n\",} 1\n"
        );
    }

    #[test]
    fn a_page_is_bounded() {
        let mut page = Page::default();
        let values = vec![value("a", "1"); SERIES_MAX + 5];
        page.add("job", &[], &values);
        assert!(page.render().ends_with(b"# 5 series were left out\n"));
    }
}
