//! Data types as the Java API builds them: `DataTypes.ARRAY(DataTypes.INT().notNull())`.

use headwater_sql::binder::logical_type;
use headwater_sql_parser::parse_data_type;
use headwater_types::LogicalType;

/// How deep types may nest.
const DEPTH_MAX: usize = 32;

/// The logical type of a Java expression; `None` when it is not understood.
pub(crate) fn parse(text: &str) -> Option<LogicalType> {
    let mut parser = Parser { rest: text.trim() };
    let sql = parser.data_type(0)?;
    parser.rest.is_empty().then(|| from_sql(&sql)).flatten()
}

fn from_sql(sql: &str) -> Option<LogicalType> {
    logical_type(&parse_data_type(sql).ok()?).ok()
}

/// Translates to the SQL text of the type.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn data_type(&mut self, depth: usize) -> Option<String> {
        if depth > DEPTH_MAX {
            return None;
        }
        let name = self.name()?;
        let sql = match name.as_str() {
            "of" => self.verbatim()?,
            "FIELD" => self.field(depth)?,
            "INTERVAL" => self.interval()?,
            "STRUCTURED" => self.structured(depth)?,
            _ => {
                let args = self.args(depth)?;
                call(&name, &args)?
            }
        };
        self.nullability(sql)
    }

    /// `.notNull()` and `.nullable()` behind a type; the last one holds.
    fn nullability(&mut self, sql: String) -> Option<String> {
        let mut suffix = "";
        loop {
            if self.take(".notNull()") {
                suffix = " NOT NULL";
            } else if self.take(".nullable()") {
                suffix = "";
            } else {
                return Some(format!("{sql}{suffix}"));
            }
        }
    }

    /// `DataTypes.NAME` or `NAME`.
    fn name(&mut self) -> Option<String> {
        self.take("DataTypes.");
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_string())
    }

    /// `(SQL text)`, quoted or not.
    fn verbatim(&mut self) -> Option<String> {
        let inner = self.rest.strip_prefix('(')?;
        let end = inner.rfind(')')?;
        self.rest = &inner[end + 1..];
        Some(inner[..end].trim_matches('"').to_string())
    }

    /// `(name, type)`.
    fn field(&mut self, depth: usize) -> Option<String> {
        self.expect("(")?;
        let end = self.rest.find(',')?;
        let name = self.rest[..end].trim().trim_matches('"').to_string();
        self.rest = self.rest[end + 1..].trim_start();
        let ty = self.data_type(depth + 1)?;
        self.expect(")")?;
        Some(format!("`{name}` {ty}"))
    }

    /// `(class, FIELD(name, type), ..)`: a row here.
    fn structured(&mut self, depth: usize) -> Option<String> {
        self.expect("(")?;
        let (_, fields) = self.rest.split_once(',')?;
        self.rest = fields;
        let mut args = vec![];
        while !self.take(")") {
            args.push(self.data_type(depth + 1)?);
            self.take(",");
        }
        Some(format!("ROW<{}>", args.join(", ")))
    }

    /// `(DAY(), SECOND(3))`.
    fn interval(&mut self) -> Option<String> {
        self.expect("(")?;
        let mut units = vec![];
        loop {
            let unit = self.name()?;
            let args = self.args(0)?;
            units.push(match args.as_slice() {
                [] => unit,
                _ => format!("{unit}({})", args.join(", ")),
            });
            if !self.take(",") {
                break;
            }
        }
        self.expect(")")?;
        let second_alone = units.len() == 1 && units[0].starts_with("SECOND(");
        Some(if second_alone { "INTERVAL SECOND".to_string() } else { format!("INTERVAL {}", units.join(" TO ")) })
    }

    fn args(&mut self, depth: usize) -> Option<Vec<String>> {
        self.expect("(")?;
        let mut args = vec![];
        while !self.take(")") {
            let is_number = self.rest.starts_with(|c: char| c.is_ascii_digit());
            args.push(if is_number { self.number() } else { self.data_type(depth + 1)? });
            self.take(",");
        }
        Some(args)
    }

    fn number(&mut self) -> String {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.to_string()
    }

    fn take(&mut self, prefix: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, prefix: &str) -> Option<()> {
        self.take(prefix).then_some(())
    }
}

/// The SQL of a type constructor. Defaults are the Java API's: `TIMESTAMP()` has precision 6.
fn call(name: &str, args: &[String]) -> Option<String> {
    let simple = [
        "STRING",
        "BOOLEAN",
        "BYTES",
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMP_LTZ",
        "NULL",
        "VARIANT",
        "BITMAP",
    ];
    Some(match (name, args) {
        ("TIMESTAMP_WITH_LOCAL_TIME_ZONE", []) => "TIMESTAMP_LTZ".to_string(),
        ("TIMESTAMP_WITH_LOCAL_TIME_ZONE", [p]) => format!("TIMESTAMP_LTZ({p})"),
        (_, []) if simple.contains(&name) => name.to_string(),
        ("CHAR" | "VARCHAR" | "BINARY" | "VARBINARY" | "TIME" | "TIMESTAMP" | "TIMESTAMP_LTZ", [n]) => {
            format!("{name}({n})")
        }
        ("DECIMAL", [p, s]) => format!("DECIMAL({p}, {s})"),
        ("ARRAY" | "MULTISET", [element]) => format!("{name}<{element}>"),
        ("MAP", [key, value]) => format!("MAP<{key}, {value}>"),
        ("ROW", fields) => format!("ROW<{}>", named(fields).join(", ")),
        _ => return None,
    })
}

/// Fields without names are called f0, f1, ...
fn named(fields: &[String]) -> Vec<String> {
    let name = |(i, field): (usize, &String)| match field.starts_with('`') {
        true => field.clone(),
        false => format!("`f{i}` {field}"),
    };
    fields.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constructors_become_sql_types() {
        for (java, expected) in [
            ("DataTypes.STRING()", "STRING"),
            ("INT().notNull()", "INT NOT NULL"),
            ("TIMESTAMP_LTZ(3).nullable()", "TIMESTAMP_LTZ(3)"),
            ("TIMESTAMP()", "TIMESTAMP(6)"),
            (
                "DataTypes.ARRAY(DataTypes.ROW(DataTypes.BOOLEAN(),DataTypes.DATE()))",
                "ARRAY<ROW<`f0` BOOLEAN, `f1` DATE>>",
            ),
            ("ROW(FIELD(nested,BIGINT().notNull())).notNull()", "ROW<`nested` BIGINT NOT NULL> NOT NULL"),
            ("MAP(STRING(),ARRAY(INT()))", "MAP<STRING, ARRAY<INT>>"),
            ("DataTypes.INTERVAL(DataTypes.SECOND(3))", "INTERVAL DAY TO SECOND(3)"),
            ("STRUCTURED(a.B,FIELD(x,INT()),FIELD(y,CHAR(2)))", "ROW<`x` INT, `y` CHAR(2)>"),
            ("INTERVAL(MONTH())", "INTERVAL YEAR TO MONTH"),
            ("DataTypes.of(ROW<i INT, d DOUBLE>)", "ROW<`i` INT, `d` DOUBLE>"),
        ] {
            assert_eq!(parse(java).map(|ty| ty.to_string()).as_deref(), Some(expected), "{java}");
        }
        assert_eq!(parse("type.notNull()"), None);
    }
}
