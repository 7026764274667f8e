//! From the schema a record was written with to the columns that are wanted: what to do with every value.
//!
//! Fields of records are matched by name. A value that nobody wants is skipped by its shape; a column without a field
//! is NULL.

use apache_avro::Schema;
use apache_avro::schema::{Name, NamesRef, RecordSchema, ResolvedSchema};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// What a value is in the bytes, and with that how it is read.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    Boolean,
    /// int and long.
    Long,
    Float,
    Double,
    /// bytes and string.
    Bytes,
    Fixed(usize),
    Enum(Vec<String>),
    /// A number of units since an epoch or midnight.
    Time {
        units_per_second: i64,
    },
    Decimal {
        scale: u32,
        size: Option<usize>,
    },
    Union(Vec<Node>),
    Array(Box<Node>),
    Map(Box<Node>),
    /// The fields as written, each with the column of the row that takes it.
    Record(Vec<(Node, Option<usize>)>),
}

/// Nesting of schemas.
const DEPTH_MAX: usize = 64;

/// The plan of a schema for the wanted fields of its record.
pub(super) fn compile(writer: &Schema, wanted: &[(&str, &LogicalType)]) -> Result<Node> {
    let resolved = ResolvedSchema::try_from(writer).map_err(|e| {
        Error::user("bad-schema", format!("the schema of Avro records refers to what is not in it: {e}"))
    })?;
    let mut planner = Planner { names: resolved.get_names(), depth: 0 };
    let record = match writer {
        // A row that may be NULL.
        Schema::Union(union) => union.variants().iter().find(|variant| matches!(variant, Schema::Record(_))),
        other => Some(other),
    };
    let Some(Schema::Record(_)) = record else {
        return Err(Error::user("bad-schema", "the schema of Avro messages is not that of a record"));
    };
    planner.node(writer, &Target::Fields(wanted.to_vec()))
}

/// What takes a value.
enum Target<'a> {
    /// Nothing.
    Skipped,
    /// A value of this type.
    Value(&'a LogicalType),
    /// The columns of a row.
    Fields(Vec<(&'a str, &'a LogicalType)>),
}

impl<'a> Target<'a> {
    fn of(ty: &'a LogicalType) -> Self {
        match ty.row_fields() {
            Some(fields) => Self::Fields(fields.iter().map(|f| (f.name.as_str(), &f.ty)).collect()),
            None => Self::Value(ty),
        }
    }
}

struct Planner<'a> {
    names: &'a NamesRef<'a>,
    depth: usize,
}

impl<'a> Planner<'a> {
    fn node(&mut self, schema: &Schema, target: &Target<'_>) -> Result<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::unsupported(format!(
                "Avro schemas that refer to themselves, or are nested more than {DEPTH_MAX} levels deep, are not supported"
            )));
        }
        let node = self.composite(schema, target)?;
        self.depth -= 1;
        if let Target::Value(ty) = target
            && !fits(&node, ty)
        {
            let message = format!("a value that Avro writes as {} cannot be read as {ty}", kind(&node));
            return Err(Error::user("bad-schema", message));
        }
        Ok(node)
    }

    fn composite(&mut self, schema: &Schema, target: &Target<'_>) -> Result<Node> {
        Ok(match schema {
            Schema::Union(union) => {
                Node::Union(union.variants().iter().map(|variant| self.node(variant, target)).collect::<Result<_>>()?)
            }
            Schema::Array(array) => Node::Array(Box::new(self.node(&array.items, &element(target))?)),
            Schema::Map(map) => Node::Map(Box::new(self.node(&map.types, &map_value(target))?)),
            Schema::Record(record) => self.record(record, target)?,
            Schema::Ref { name } => {
                let schema = self.resolve(name)?;
                return self.node(schema, target);
            }
            scalar => scalar_node(scalar)?,
        })
    }

    fn record(&mut self, record: &RecordSchema, target: &Target<'_>) -> Result<Node> {
        let mut fields = vec![];
        for field in &record.fields {
            let wanted = match target {
                Target::Fields(wanted) => wanted.iter().enumerate().find(|(_, (name, _))| *name == field.name),
                _ => None,
            };
            let (place, of) = match wanted {
                Some((place, (_, ty))) => (Some(place), Target::of(ty)),
                None => (None, Target::Skipped),
            };
            let node = self.node(&field.schema, &of).map_err(|e| e.context(format!("field '{}'", field.name)))?;
            fields.push((node, place));
        }
        Ok(Node::Record(fields))
    }

    fn resolve(&self, name: &Name) -> Result<&'a Schema> {
        let missing = || Error::user("bad-schema", format!("the Avro schema refers to '{name}', which is not in it"));
        self.names.get(name).copied().ok_or_else(missing)
    }
}

/// What takes the elements of an array.
fn element<'t>(target: &Target<'t>) -> Target<'t> {
    match target {
        Target::Value(LogicalType { root: TypeRoot::Array(element), .. }) => Target::of(element),
        _ => Target::Skipped,
    }
}

/// What takes the values of a map. Those of a multiset count.
fn map_value<'t>(target: &Target<'t>) -> Target<'t> {
    const COUNT: &LogicalType = &LogicalType { root: TypeRoot::Int, nullable: false };
    match target {
        Target::Value(LogicalType { root: TypeRoot::Map(_, value), .. }) => Target::of(value),
        Target::Value(LogicalType { root: TypeRoot::Multiset(_), .. }) => Target::Value(COUNT),
        _ => Target::Skipped,
    }
}

fn scalar_node(schema: &Schema) -> Result<Node> {
    let time = |units_per_second| Node::Time { units_per_second };
    Ok(match schema {
        Schema::Null => Node::Null,
        Schema::Boolean => Node::Boolean,
        Schema::Int | Schema::Long | Schema::Date => Node::Long,
        Schema::Float => Node::Float,
        Schema::Double => Node::Double,
        Schema::Bytes | Schema::String | Schema::Uuid | Schema::BigDecimal => Node::Bytes,
        Schema::Fixed(fixed) => Node::Fixed(fixed.size),
        Schema::Duration => Node::Fixed(12),
        Schema::Enum(symbols) => Node::Enum(symbols.symbols.clone()),
        Schema::TimeMillis | Schema::TimestampMillis | Schema::LocalTimestampMillis => time(1_000),
        Schema::TimeMicros | Schema::TimestampMicros | Schema::LocalTimestampMicros => time(1_000_000),
        Schema::TimestampNanos | Schema::LocalTimestampNanos => time(1_000_000_000),
        Schema::Decimal(decimal) => {
            let size = match decimal.inner.as_ref() {
                Schema::Fixed(fixed) => Some(fixed.size),
                _ => None,
            };
            Node::Decimal { scale: decimal.scale as u32, size }
        }
        other => return Err(Error::unsupported(format!("the Avro schema {other:?} is not supported"))),
    })
}

/// Whether a value of a node can be written into a column of the type.
fn fits(node: &Node, ty: &LogicalType) -> bool {
    match node {
        Node::Null => true,
        Node::Boolean => ty.root == TypeRoot::Boolean,
        // Numbers without a logical type are also read as what they may stand for.
        Node::Long => ty.is_integer() || ty.is_float() || ty.is_temporal(),
        Node::Float | Node::Double => ty.is_float(),
        Node::Bytes => ty.is_character() || ty.is_binary(),
        Node::Fixed(_) => ty.is_binary(),
        Node::Enum(_) => ty.is_character(),
        Node::Time { .. } => ty.is_temporal() || ty.root == TypeRoot::BigInt || ty.root == TypeRoot::Int,
        Node::Decimal { .. } => ty.as_decimal().is_some() || ty.is_binary(),
        Node::Union(variants) => variants.iter().all(|variant| fits(variant, ty)),
        Node::Array(_) => matches!(ty.root, TypeRoot::Array(_)),
        Node::Map(_) => match &ty.root {
            TypeRoot::Map(key, _) => key.is_character(),
            TypeRoot::Multiset(element) => element.is_character(),
            _ => false,
        },
        Node::Record(_) => false,
    }
}

fn kind(node: &Node) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Boolean => "boolean",
        Node::Long => "int or long",
        Node::Float => "float",
        Node::Double => "double",
        Node::Bytes => "string or bytes",
        Node::Fixed(_) => "fixed",
        Node::Enum(_) => "enum",
        Node::Time { .. } => "time or timestamp",
        Node::Decimal { .. } => "decimal",
        Node::Union(_) => "union",
        Node::Array(_) => "array",
        Node::Map(_) => "map",
        Node::Record(_) => "record",
    }
}
