//! FOR SYSTEM_TIME AS OF: a table as of the times of what it is joined with.

use super::context::{ExprEnv, QueryEnv};
use super::from::Source;
use super::scope::Scope;
use super::{Binder, OutputColumn};
use crate::logical::Snapshot;
use crate::logical::nodes::extension;
use crate::{SqlError, SqlResult};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Expr, NamedTable, TableRef};
use headwater_types::TimeAttribute;

impl Binder<'_> {
    /// The right side of a temporal join: its versions valid at a time attribute of `left`.
    pub(super) fn versioned(
        &self,
        left: &Source,
        table: &NamedTable,
        time: &Expr,
        item: &TableRef,
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        let scope = Scope::new(left.1.clone(), None);
        let moment = self.expr(time, ExprEnv::rows(&scope, env.uncorrelated(), "FOR SYSTEM_TIME AS OF"))?;
        let attribute = moment.ty.time_attribute();
        let (Some(column), false) = (moment.column_name(), attribute == TimeAttribute::None) else {
            let message = "Temporal table join currently only supports 'FOR SYSTEM_TIME AS OF' left table's time \
                           attribute field";
            return Err(SqlError::at("not-a-time-attribute", message, time.span));
        };
        let bound = self.named_relation(&table.name, &table.hints, env)?;
        let proctime = attribute == TimeAttribute::Proctime;
        let version = if proctime { None } else { Some(version_column(&bound.query.columns, item.span)?) };
        let (input, relations) = self.aliased(bound.query, bound.path, item.alias.as_ref())?;
        let version = version.map(|position| relations[0].columns[position].unique.clone());
        Ok((extension(Snapshot { input, time: column.to_owned(), proctime, version }), relations))
    }
}

/// Position of the rowtime attribute of a versioned table.
fn version_column(columns: &[OutputColumn], span: Span) -> SqlResult<usize> {
    let position = columns.iter().position(|c| c.ty.time_attribute() == TimeAttribute::Rowtime);
    position.ok_or_else(|| {
        let message = "Event-Time Temporal Table Join requires both primary key and row time attribute in versioned \
                       table, but no row time attribute can be found";
        SqlError::at("not-a-time-attribute", message, span).with_hint("declare a WATERMARK in the versioned table")
    })
}
