//! Column lineage that OpenLineage's Hive integration expects, from `../shared/conformance/openlineage`: for the same
//! queries, in Flink's dialect, every field has the same sources of the same kinds.

use crate::{run, session};
use headwater_lineage::{JobLineage, Source};
use headwater_sql_parser::ast::Statement;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is written differently in Flink: file, Hive's text, ours.
const TRANSLATIONS: &[(&str, &str, &str)] =
    &[("cllSimpleQueryOnlyTransform", "concat(a, 'test')", "concat(CAST(a AS STRING), 'test')")];

/// Columns that are of another type than in Hive's case, which sums strings: file, column, type.
const TYPES: &[(&str, &str, &str)] = &[("cllSimpleQueryWindowedAggregate", "a", "INT")];

/// Hive knows these columns to be constant, by the filters below, and lists no source for them; their values still come
/// from where we say.
const CONSTANT_IN_HIVE: &[(&str, &[&str])] = &[("cllComplexQueryCTEJoins", &["b", "c"])];

type Kinds = BTreeSet<String>;
type Fields = BTreeMap<String, Kinds>;

fn cases() -> Vec<PathBuf> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/openlineage/hive-column-lineage");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("{} is not here: skipped", folder.display());
        return vec![];
    };
    files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect()
}

#[test]
fn fields_and_kinds_are_those_of_hive() {
    for path in cases() {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let case = case.as_array().map_or(&case, |all| &all[0]).clone();
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (expected, rows) = expectation(&case);
        let (mut fields, own_rows) = ours(&lineage(&file, &case));
        let constant = CONSTANT_IN_HIVE.iter().find(|(name, _)| file.starts_with(name)).map_or(&[][..], |(_, c)| c);
        constant.iter().for_each(|column| drop(fields.remove(*column)));
        assert_eq!(fields, expected, "{file}");
        assert_eq!(own_rows, rows, "{file}");
    }
}

fn lineage(file: &str, case: &Value) -> JobLineage {
    let mut session = session(true);
    for input in case["inputs"].as_array().unwrap() {
        let name = table(input["name"].as_str().unwrap());
        let columns = input["facets"]["schema"]["fields"].as_array().unwrap().iter().map(|field| {
            let column = field["name"].as_str().unwrap();
            let own = TYPES.iter().find(|(f, c, _)| file.starts_with(f) && *c == column).map(|(.., ty)| *ty);
            format!("{column} {}", own.unwrap_or(field["type"].as_str().unwrap()))
        });
        let columns: Vec<_> = columns.collect();
        create(&mut session, &name, &columns);
    }
    let mut sql = case["job"]["facets"]["sql"]["query"].as_str().unwrap().to_owned();
    for (_, from, to) in TRANSLATIONS.iter().filter(|(f, ..)| file.starts_with(f)) {
        sql = sql.replace(from, to);
    }
    let sink = table(case["outputs"][0]["name"].as_str().unwrap());
    let query = query_of(&sql);
    let (statements, error) = headwater_sql_parser::parse_script(query);
    assert!(error.is_none(), "{file}: {error:?}");
    let Statement::Query(parsed) = &statements[0].statement else { panic!("{file}: no query") };
    let columns = session.query_columns(parsed, query).unwrap_or_else(|e| panic!("{file}: {}", e.render(query)));
    // A computed column that has no name in INSERT takes that of the sink.
    let names = case["outputs"][0]["facets"]["schema"]["fields"].as_array().unwrap();
    let columns = columns
        .iter()
        .zip(names)
        .map(|((_, ty), field)| format!("`{}` {}", field["name"].as_str().unwrap(), ty.clone().with_nullable(true)));
    let columns: Vec<_> = columns.collect();
    create(&mut session, &sink, &columns);
    run(&mut session, &format!("INSERT INTO {sink} {query}")).remove(0)
}

fn create(session: &mut headwater_sql::session::Session, name: &str, columns: &[String]) {
    let options = format!("'connector' = 'filesystem', 'format' = 'csv', 'path' = '/nowhere/{name}'");
    run(session, &format!("CREATE TABLE {name} ({}) WITH ({options})", columns.join(", ")));
}

fn table(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

/// The query of a CREATE TABLE AS or an INSERT.
fn query_of(sql: &str) -> &str {
    let upper = sql.to_ascii_uppercase();
    let at = match upper.starts_with("INSERT") {
        true => upper.find("SELECT").unwrap(),
        false => upper.find(" AS").unwrap() + 3,
    };
    sql[at..].trim()
}

fn expectation(case: &Value) -> (BTreeMap<String, Fields>, Fields) {
    let facet = &case["outputs"][0]["facets"]["columnLineage"];
    let fields = facet["fields"].as_object().unwrap().iter();
    let fields = fields.map(|(name, field)| (name.clone(), input_fields(&field["inputFields"]))).collect();
    (fields, input_fields(&facet["dataset"]))
}

fn input_fields(all: &Value) -> Fields {
    let field = |field: &Value| {
        let name = format!("{}.{}", table(field["name"].as_str().unwrap()), field["field"].as_str().unwrap());
        let kinds = field["transformations"].as_array().unwrap().iter();
        let kinds = kinds.map(|t| format!("{} {}", t["subtype"].as_str().unwrap(), t["masking"]));
        (name, kinds.collect())
    };
    all.as_array().into_iter().flatten().map(field).collect()
}

fn ours(lineage: &JobLineage) -> (BTreeMap<String, Fields>, Fields) {
    let fields = |sources: &[Source]| -> Fields {
        let field = |source: &Source| {
            let name = format!("{}.{}", lineage.inputs[source.input].dataset.table[2], source.column);
            (name, source.transformations.iter().map(|t| format!("{} {}", t.kind.as_str(), t.masking)).collect())
        };
        sources.iter().map(field).collect()
    };
    let output = &lineage.outputs[0];
    (output.columns.iter().map(|(name, sources)| (name.clone(), fields(sources))).collect(), fields(&output.rows))
}
