//! Tables, views and connectors of the tests.

use crate::binder::RelationLookup;
use crate::catalog::{Column, ColumnKind, ObjectPath, Relation, Table, View, WatermarkDefinition};
use crate::{SqlError, SqlResult};
use headwater_connector_api::{
    Boundedness, Connector, DatasetIdentity, MetadataColumn, OptionSpec, ReaderContext, Registry, Sink, SinkWriter,
    Source, SourceReader, SplitEnumerator, WriterContext,
};
use headwater_env::Env;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_sql_parser::ast::ObjectName;
use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct TestCatalog {
    relations: Vec<Relation>,
}

impl TestCatalog {
    pub(crate) fn new() -> Self {
        Self { relations: vec![bid(), person(), plain(), nested(), view(), sink(), typed_sink()] }
    }
}

impl RelationLookup for TestCatalog {
    fn defaults(&self) -> [String; 2] {
        ["c".to_owned(), "d".to_owned()]
    }

    fn resolve_in(&self, name: &ObjectName, _: &[String; 2]) -> SqlResult<Relation> {
        let wanted = &name.last().expect("a name has parts").value;
        let object = |r: &Relation| r.path().0[2].clone();
        let names: Vec<String> = self.relations.iter().map(object).collect();
        self.relations.iter().find(|r| object(r) == *wanted).cloned().ok_or_else(|| {
            SqlError::unknown("unknown-table", "table", wanted, Some(name.span()), names.iter().map(String::as_str))
        })
    }
}

pub(crate) fn connectors() -> Registry {
    let mut registry = Registry::new();
    registry.register(Arc::new(TestConnector { name: "stream", bounded: false }));
    registry.register(Arc::new(TestConnector { name: "file", bounded: true }));
    registry
}

pub(crate) fn column(name: &str, root: TypeRoot) -> Column {
    Column { name: name.to_owned(), ty: root.into(), kind: ColumnKind::Physical, comment: None }
}

pub(crate) fn computed(name: &str, expr: &str, ty: LogicalType) -> Column {
    Column { name: name.to_owned(), ty, kind: ColumnKind::Computed { expr: expr.to_owned() }, comment: None }
}

pub(crate) fn table(name: &str, connector: &str, columns: Vec<Column>) -> Table {
    Table {
        path: ObjectPath(["c", "d", name].map(str::to_owned)),
        columns,
        options: BTreeMap::from([("connector".to_owned(), connector.to_owned())]),
        watermark: None,
        primary_key: vec![],
        primary_key_name: None,
        partition_keys: vec![],
        distribution: None,
        partitions: vec![],
        comment: None,
        temporary: false,
    }
}

fn timestamp() -> TypeRoot {
    TypeRoot::Timestamp(3, TimeAttribute::None)
}

/// Physical, metadata and computed columns, and a watermark.
fn bid() -> Relation {
    let origin = ColumnKind::Metadata { key: "origin".to_owned(), virtual_column: true };
    let columns = vec![
        column("auction", TypeRoot::BigInt),
        column("bidder", TypeRoot::BigInt),
        column("price", TypeRoot::Decimal(10, 2)),
        computed("double_price", "price * 2", TypeRoot::Decimal(21, 2).into()),
        column("channel", LogicalType::string().root),
        Column { kind: origin, ..column("origin", LogicalType::string().root) },
        column("ts", timestamp()),
    ];
    let watermark = WatermarkDefinition { column: "ts".to_owned(), expr: "`ts` - INTERVAL '5' SECOND".to_owned() };
    Relation::Table(Table { watermark: Some(watermark), ..table("bid", "stream", columns) })
}

fn person() -> Relation {
    let columns =
        vec![column("id", TypeRoot::BigInt), column("name", LogicalType::string().root), column("ts", timestamp())];
    let watermark = WatermarkDefinition { column: "ts".to_owned(), expr: "`ts`".to_owned() };
    Relation::Table(Table { watermark: Some(watermark), ..table("person", "stream", columns) })
}

/// Only physical columns, bounded.
fn plain() -> Relation {
    let columns = vec![
        column("a", TypeRoot::Int),
        column("b", TypeRoot::BigInt),
        column("s", LogicalType::string().root),
        column("d", TypeRoot::Double),
        column("ts", timestamp()),
    ];
    Relation::Table(table("t", "file", columns))
}

fn nested() -> Relation {
    use headwater_types::RowField;
    let row = TypeRoot::Row(vec![RowField::new("x", TypeRoot::Int.into()), RowField::new("y", LogicalType::string())]);
    let columns = vec![
        column("id", TypeRoot::Int),
        column("r", row.clone()),
        column("list", TypeRoot::Array(Box::new(TypeRoot::Int.into()))),
        column("rows", TypeRoot::Array(Box::new(row.into()))),
        column("m", TypeRoot::Map(Box::new(LogicalType::string()), Box::new(TypeRoot::Int.into()))),
    ];
    Relation::Table(table("nested", "stream", columns))
}

fn view() -> Relation {
    Relation::View(View {
        path: ObjectPath(["c", "d", "v"].map(str::to_owned)),
        columns: vec![("k".to_owned(), TypeRoot::Int.into()), ("n".to_owned(), TypeRoot::BigInt.into())],
        query: "SELECT a, b + 1 FROM t WHERE a > 0".to_owned(),
        expanded: None,
        defaults: ["c".to_owned(), "d".to_owned()],
        comment: None,
        temporary: false,
    })
}

fn sink() -> Relation {
    let columns = vec![column("k", TypeRoot::BigInt), column("n", LogicalType::string().root)];
    Relation::Table(Table { partition_keys: vec!["n".to_owned()], ..table("sink", "stream", columns) })
}

/// A sink with a NOT NULL column, a writable metadata column between physical ones, and a virtual one.
fn typed_sink() -> Relation {
    let key = |k: &str, v| ColumnKind::Metadata { key: k.to_owned(), virtual_column: v };
    let mut first = column("id", TypeRoot::Int);
    first.ty.nullable = false;
    let columns = vec![
        first,
        Column { kind: key("headers", false), ..column("h", TypeRoot::VarChar(10)) },
        Column { kind: key("origin", true), ..column("o", LogicalType::string().root) },
        column("price", TypeRoot::Decimal(10, 2)),
    ];
    Relation::Table(table("typed_sink", "stream", columns))
}

struct TestConnector {
    name: &'static str,
    bounded: bool,
}

impl Connector for TestConnector {
    fn name(&self) -> &'static str {
        self.name
    }

    fn options(&self, _: &TableSpec) -> Vec<OptionSpec> {
        vec![]
    }

    fn dataset(&self, _: &TableSpec) -> Result<DatasetIdentity> {
        Ok(DatasetIdentity { namespace: "test".to_owned(), name: "t".to_owned(), schema: vec![] })
    }

    fn metadata(&self, _: &TableSpec) -> Vec<MetadataColumn> {
        vec![
            MetadataColumn { key: "origin", ty: LogicalType::string().not_null(), writable: false },
            MetadataColumn { key: "headers", ty: LogicalType::string(), writable: true },
        ]
    }

    fn source(&self, _: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(Some(Box::new(TestSource { bounded: self.bounded })))
    }

    fn sink(&self, _: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        Ok(Some(Box::new(TestSink)))
    }
}

struct TestSource {
    bounded: bool,
}

impl Source for TestSource {
    fn boundedness(&self) -> Boundedness {
        if self.bounded { Boundedness::Bounded } else { Boundedness::Unbounded }
    }

    fn enumerator(&self, _: &Env) -> Result<Box<dyn SplitEnumerator>> {
        Err(Error::unsupported("reading"))
    }

    fn reader(&self, _: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Err(Error::unsupported("reading"))
    }
}

struct TestSink;

impl Sink for TestSink {
    fn writer(&self, _: WriterContext) -> Result<Box<dyn SinkWriter>> {
        Err(Error::unsupported("writing"))
    }

    fn committer(&self) -> Result<Option<Box<dyn headwater_connector_api::Committer>>> {
        Ok(None)
    }
}
