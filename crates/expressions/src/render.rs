//! Expressions as text, for error messages and plan displays.

use headwater_plan::{Expr, Value};

/// SQL-like text of an expression; columns appear by `name`.
pub fn render(expr: &Expr, name: &dyn Fn(usize) -> String) -> String {
    let sub = |e: &Expr| render(e, name);
    let list = |items: &[Expr]| items.iter().map(sub).collect::<Vec<_>>().join(", ");
    match expr {
        Expr::Column { index, .. } => name(*index),
        Expr::Literal { value, .. } => literal(value),
        Expr::Field { input, index, .. } => format!("{}.{}", sub(input), field_name(input, *index)),
        Expr::Call { function, args, .. } => call(function, args, &sub),
        Expr::Cast { input, ty, try_cast } => {
            format!("{}({} AS {ty})", if *try_cast { "TRY_CAST" } else { "CAST" }, sub(input))
        }
        Expr::And(operands) => joined(operands, " AND ", &sub),
        Expr::Or(operands) => joined(operands, " OR ", &sub),
        Expr::Case { branches, otherwise, .. } => {
            let whens: String = branches.iter().map(|(c, r)| format!("WHEN {} THEN {} ", sub(c), sub(r))).collect();
            let otherwise = otherwise.as_ref().map(|e| format!("ELSE {} ", sub(e))).unwrap_or_default();
            format!("CASE {whens}{otherwise}END")
        }
        Expr::InList { input, list: items, negated } => {
            format!("{} {}IN ({})", sub(input), if *negated { "NOT " } else { "" }, list(items))
        }
    }
}

fn joined(operands: &[Expr], separator: &str, sub: &dyn Fn(&Expr) -> String) -> String {
    format!("({})", operands.iter().map(sub).collect::<Vec<_>>().join(separator))
}

fn call(function: &str, args: &[Expr], sub: &dyn Fn(&Expr) -> String) -> String {
    let symbolic = !function.contains(|c: char| c.is_ascii_alphanumeric());
    match args {
        [left, right] if symbolic => format!("({} {function} {})", sub(left), sub(right)),
        [operand] if symbolic => format!("({function}{})", sub(operand)),
        [operand] if function.starts_with("IS ") => format!("{} {function}", sub(operand)),
        _ => format!("{function}({})", args.iter().map(sub).collect::<Vec<_>>().join(", ")),
    }
}

fn field_name(input: &Expr, index: usize) -> String {
    input.ty().row_fields().and_then(|f| f.get(index)).map_or_else(|| index.to_string(), |f| f.name.clone())
}

/// SQL-like text of a literal.
pub fn literal(value: &Value) -> String {
    let list = |items: &[Value]| items.iter().map(literal).collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(v) => v.to_string().to_uppercase(),
        Value::Int(v) => v.to_string(),
        Value::Float(v) => v.to_string(),
        Value::Decimal(v) => v.to_string(),
        Value::String(v) => format!("'{}'", v.replace('\'', "''")),
        Value::Bytes(v) => format!("X'{}'", v.iter().map(|b| format!("{b:02X}")).collect::<String>()),
        Value::List(items) => format!("ARRAY[{}]", list(items)),
        Value::Row(items) => format!("ROW({})", list(items)),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(k, v)| format!("{}, {}", literal(k), literal(v)));
            format!("MAP[{}]", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
