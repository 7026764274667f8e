//! Events as columns: for every field that is read, a loop over the event numbers.

use super::events::{EventKind, Events, kind};
use crate::numbered::RowGenerator;
use arrow::array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, StructArray,
    TimestampMillisecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use headwater_data::{arrow_schema, arrow_type};
use headwater_plan::SourceSpec;
use headwater_plan::table::ColumnOrigin;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// How a field is made.
#[derive(Clone, Copy)]
enum Maker {
    Long(fn(&Events, u64) -> i64),
    Time(fn(&Events, u64) -> i64),
    Text(fn(&Events, u64, &mut Vec<u8>)),
}

type Field = (&'static str, Maker);

const PERSON: &[Field] = &[
    ("id", Maker::Long(Events::person_id)),
    ("name", Maker::Text(Events::person_name)),
    ("emailAddress", Maker::Text(Events::email)),
    ("creditCard", Maker::Text(Events::credit_card)),
    ("city", Maker::Text(Events::city)),
    ("state", Maker::Text(Events::state)),
    ("dateTime", Maker::Time(Events::time_ms)),
    ("extra", Maker::Text(Events::extra)),
];

const AUCTION: &[Field] = &[
    ("id", Maker::Long(Events::auction_id)),
    ("itemName", Maker::Text(Events::item_name)),
    ("description", Maker::Text(Events::description)),
    ("initialBid", Maker::Long(Events::initial_bid)),
    ("reserve", Maker::Long(Events::reserve)),
    ("dateTime", Maker::Time(Events::time_ms)),
    ("expires", Maker::Time(Events::expires_ms)),
    ("seller", Maker::Long(Events::seller)),
    ("category", Maker::Long(Events::category)),
    ("extra", Maker::Text(Events::extra)),
];

const BID: &[Field] = &[
    ("auction", Maker::Long(Events::bid_auction)),
    ("bidder", Maker::Long(Events::bidder)),
    ("price", Maker::Long(Events::bid_price)),
    ("channel", Maker::Text(Events::channel)),
    ("url", Maker::Text(Events::url)),
    ("dateTime", Maker::Time(Events::time_ms)),
    ("extra", Maker::Text(Events::extra)),
];

/// A column of the table.
enum Column {
    EventType,
    Row { kind: EventKind, data_type: DataType, fields: Vec<(Maker, DataType)> },
}

/// Makes the produced columns.
pub(super) struct EventColumns {
    events: Arc<Events>,
    schema: SchemaRef,
    columns: Vec<Column>,
}

impl EventColumns {
    pub(super) fn new(spec: &SourceSpec, events: Arc<Events>) -> Result<Self> {
        let column = |produced: &headwater_plan::ProducedColumn| match &produced.origin {
            ColumnOrigin::Physical(at) => column(&spec.table.columns[*at].0, &produced.ty),
            ColumnOrigin::Metadata(key) => {
                Err(Error::user("unknown-metadata", format!("the nexmark connector has no metadata '{key}'")))
            }
        };
        Ok(Self {
            columns: spec.produced.iter().map(column).collect::<Result<_>>()?,
            schema: arrow_schema(spec.produced.iter().map(|p| (p.name.as_str(), &p.ty))),
            events,
        })
    }
}

fn column(name: &str, ty: &LogicalType) -> Result<Column> {
    let (kind, known) = match name {
        "event_type" if ty.root == TypeRoot::Int => return Ok(Column::EventType),
        "person" => (EventKind::Person, PERSON),
        "auction" => (EventKind::Auction, AUCTION),
        "bid" => (EventKind::Bid, BID),
        _ => return Err(schema_error(&format!("'{name} {ty}' is not one of them"))),
    };
    let fields = ty.row_fields().ok_or_else(|| schema_error(&format!("'{name}' must be a ROW, not {ty}")))?;
    let field = |field: &headwater_types::RowField| {
        let maker = known.iter().find(|(n, _)| *n == field.name).map(|(_, maker)| *maker);
        let maker = maker.ok_or_else(|| schema_error(&format!("'{name}' has no field '{}'", field.name)))?;
        let fits = match maker {
            Maker::Long(_) => field.ty.root == TypeRoot::BigInt,
            Maker::Time(_) => field.ty.is_timestamp(),
            Maker::Text(_) => field.ty.is_character(),
        };
        if !fits {
            return Err(schema_error(&format!("'{name}.{}' cannot be {}", field.name, field.ty)));
        }
        Ok((maker, arrow_type(&field.ty)))
    };
    let fields = fields.iter().map(field).collect::<Result<_>>()?;
    Ok(Column::Row { kind, data_type: arrow_type(ty), fields })
}

fn schema_error(what: &str) -> Error {
    let describe = |fields: &[Field]| {
        let one = |(name, maker): &Field| match maker {
            Maker::Long(_) => format!("{name} BIGINT"),
            Maker::Time(_) => format!("`{name}` TIMESTAMP(3)"),
            Maker::Text(_) => format!("{name} STRING"),
        };
        fields.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let message = format!(
        "a nexmark table has the columns event_type INT, person ROW<{}>, auction ROW<{}>, bid ROW<{}>; {what}",
        describe(PERSON),
        describe(AUCTION),
        describe(BID)
    );
    Error::user("bad-schema", message)
}

impl RowGenerator for EventColumns {
    fn rows(&mut self, numbers: &[u64], _now_ms: i64) -> Result<RecordBatch> {
        let arrays = self.columns.iter().map(|column| array(&self.events, column, numbers));
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        arrays
            .collect::<Result<Vec<_>, _>>()
            .and_then(|arrays| RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options))
            .map_err(|e| Error::internal(format!("generated columns do not form a batch: {e}")))
    }
}

fn array(events: &Events, column: &Column, numbers: &[u64]) -> Result<ArrayRef, ArrowError> {
    let (wanted, data_type, fields) = match column {
        Column::EventType => {
            return Ok(Arc::new(Int32Array::from_iter_values(numbers.iter().map(|n| kind(*n) as i32))));
        }
        Column::Row { kind, data_type, fields } => (*kind, data_type, fields),
    };
    let nulls = NullBuffer::from_iter(numbers.iter().map(|n| kind(*n) == wanted));
    let children = fields.iter().map(|(maker, ty)| field(events, *maker, ty, numbers, wanted, &nulls));
    let children = children.collect::<Result<Vec<_>, _>>()?;
    let DataType::Struct(fields) = data_type else {
        return Err(ArrowError::SchemaError("rows are structs".into()));
    };
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), children, Some(nulls), numbers.len())?))
}

fn field(
    events: &Events,
    maker: Maker,
    data_type: &DataType,
    numbers: &[u64],
    wanted: EventKind,
    nulls: &NullBuffer,
) -> Result<ArrayRef, ArrowError> {
    let longs = |make: fn(&Events, u64) -> i64| -> Vec<i64> {
        numbers.iter().map(|n| if kind(*n) == wanted { make(events, *n) } else { 0 }).collect()
    };
    let nulls = Some(nulls.clone());
    match maker {
        Maker::Long(make) => Ok(Arc::new(Int64Array::new(longs(make).into(), nulls))),
        Maker::Time(make) => {
            let times: ArrayRef = Arc::new(TimestampMillisecondArray::new(longs(make).into(), nulls));
            if times.data_type() == data_type { Ok(times) } else { arrow::compute::cast(&times, data_type) }
        }
        Maker::Text(make) => {
            let mut offsets = Vec::with_capacity(numbers.len() + 1);
            let mut bytes = vec![];
            offsets.push(0);
            for number in numbers {
                if kind(*number) == wanted {
                    make(events, *number, &mut bytes);
                }
                offsets.push(bytes.len() as i32);
            }
            let texts = StringArray::try_new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes), nulls)?;
            Ok(Arc::new(texts))
        }
    }
}
