//! The current time. Read once per batch.

use super::calendar::{MS_PER_DAY, MS_PER_SECOND};
use super::stamps::timestamp_array;
use crate::kernel::kernel;
use crate::zone::Zone;
use crate::{Bound, BuildContext, Call, Determinism, Function, Kernel};
use arrow::array::{ArrayRef, Date32Array, Time32MillisecondArray};
use headwater_data::arrow_type;
use headwater_types::{Result, TimeAttribute, TypeRoot};
use std::sync::Arc;

const INSTANT: TypeRoot = TypeRoot::TimestampLtz(3, TimeAttribute::None);

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    clock("CURRENT_DATE", "CURRENT_DATE", |call| bind(call, TypeRoot::Date), build_date),
    clock("CURRENT_TIME", "CURRENT_TIME", |call| bind(call, TypeRoot::Time(0)), build_time),
    clock("LOCALTIME", "LOCALTIME", |call| bind(call, TypeRoot::Time(0)), build_time),
    clock("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP", |call| bind(call, INSTANT), build_instant).aliases(&["NOW"]),
    clock(
        "LOCALTIMESTAMP",
        "LOCALTIMESTAMP",
        |call| bind(call, TypeRoot::Timestamp(3, TimeAttribute::None)),
        build_local,
    ),
    Function::new("CURRENT_ROW_TIMESTAMP", "CURRENT_ROW_TIMESTAMP()", |call| bind(call, INSTANT), build_instant)
        .determinism(Determinism::Volatile),
    Function::new(
        "PROCTIME",
        "PROCTIME()",
        |call| bind(call, TypeRoot::TimestampLtz(3, TimeAttribute::Proctime)),
        build_instant,
    )
    .determinism(Determinism::Volatile),
];

const fn clock(
    name: &'static str,
    signature: &'static str,
    bind: crate::api::Bind,
    build: crate::api::Build,
) -> Function {
    Function::new(name, signature, bind, build).determinism(Determinism::Temporal)
}

fn bind(call: &Call<'_>, root: TypeRoot) -> Result<Bound> {
    call.arity(0..=0)?;
    call.returns_not_null(vec![], root)
}

fn build_instant(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (env, ty) = (context.env.clone(), arrow_type(context.return_type));
    kernel(move |_, rows| timestamp_array(vec![env.now_ms(); rows], None, &ty))
}

fn build_local(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (env, ty, zone) = (context.env.clone(), arrow_type(context.return_type), context.zone);
    kernel(move |_, rows| timestamp_array(vec![Zone::new(zone).to_local_ms(env.now_ms()); rows], None, &ty))
}

fn build_date(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (env, zone) = (context.env.clone(), context.zone);
    kernel(move |_, rows| {
        let day = Zone::new(zone).to_local_ms(env.now_ms()).div_euclid(MS_PER_DAY) as i32;
        Ok(Arc::new(Date32Array::from_value(day, rows)) as ArrayRef)
    })
}

/// Whole seconds: the type is TIME(0).
fn build_time(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (env, zone) = (context.env.clone(), context.zone);
    kernel(move |_, rows| {
        let ms = Zone::new(zone).to_local_ms(env.now_ms()).rem_euclid(MS_PER_DAY);
        let shown = (ms - ms % MS_PER_SECOND) as i32;
        Ok(Arc::new(Time32MillisecondArray::from_value(shown, rows)) as ArrayRef)
    })
}
