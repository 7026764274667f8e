//! `CURRENT_WATERMARK`: how far event time has come.
//!
//! No kernel knows that: the operator that filters and projects puts the watermark in the place of the call, so it may
//! stand in SELECT and WHERE only.

use crate::{Bound, BuildContext, Call, Determinism, Function, Kernel};
use headwater_types::{Error, Result, TimeAttribute, TypeRoot};

/// Name of the function.
pub const CURRENT_WATERMARK: &str = "CURRENT_WATERMARK";

/// The functions of this group.
pub const FUNCTIONS: &[Function] =
    &[Function::new(CURRENT_WATERMARK, "CURRENT_WATERMARK(rowtime)", bind, build).determinism(Determinism::Volatile)];

fn bind(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    let argument = call.ty(0).clone();
    let root = match argument.root {
        TypeRoot::Timestamp(precision, TimeAttribute::Rowtime) => TypeRoot::Timestamp(precision, TimeAttribute::None),
        TypeRoot::TimestampLtz(precision, TimeAttribute::Rowtime) => {
            TypeRoot::TimestampLtz(precision, TimeAttribute::None)
        }
        _ => {
            let reason = format!(
                "The argument of CURRENT_WATERMARK() must be a rowtime attribute, but was '{}'.",
                argument.with_time_attribute(TimeAttribute::None)
            );
            return Err(call.error_because(&reason));
        }
    };
    call.returns_nullable(vec![argument], root)
}

fn build(_context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    Err(Error::unsupported("CURRENT_WATERMARK outside of SELECT and WHERE"))
}
