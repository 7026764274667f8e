//! RAND, RAND_INTEGER and UUID.
//!
//! With a seed the numbers are those of Java's `java.util.Random`: a literal seed starts one sequence for all
//! rows, a seed from a column starts a sequence of its own in every row.

use crate::kernel::{kernel, map1, map2, primitives, strings};
use crate::{Bound, BuildContext, Call, Determinism, Function, Kernel, Operand};
use arrow::array::{ArrayRef, Float64Array, Int32Array};
use arrow::datatypes::{DataType, Float64Type, Int32Type};
use headwater_env::Env;
use headwater_types::{Error, Result, TypeRoot};
use std::fmt::Write;
use std::sync::{Arc, Mutex};

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("RAND", "RAND([seed <INT>])", bind_rand, build_rand).determinism(Determinism::Volatile),
    Function::new("RAND_INTEGER", "RAND_INTEGER([seed <INT>,] bound <INT>)", bind_integer, build_integer)
        .determinism(Determinism::Volatile),
    Function::new("UUID", "UUID()", bind_uuid, build_uuid).determinism(Determinism::Volatile),
];

/// The generator of `java.util.Random`: a linear congruential one of 48 bits.
#[derive(Debug, Clone)]
struct JavaRandom(i64);

impl JavaRandom {
    const MULTIPLIER: i64 = 0x5_DEEC_E66D;
    const MASK: i64 = (1 << 48) - 1;

    fn new(seed: i64) -> Self {
        Self((seed ^ Self::MULTIPLIER) & Self::MASK)
    }

    fn next(&mut self, bits: u32) -> i32 {
        self.0 = self.0.wrapping_mul(Self::MULTIPLIER).wrapping_add(0xB) & Self::MASK;
        (self.0 >> (48 - bits)) as i32
    }

    fn next_double(&mut self) -> f64 {
        let high = i64::from(self.next(26)) << 27;
        (high + i64::from(self.next(27))) as f64 / (1i64 << 53) as f64
    }

    /// A number from 0 to below `bound`, which is positive.
    fn next_below(&mut self, bound: i32) -> i32 {
        if bound & -bound == bound {
            return ((i64::from(bound) * i64::from(self.next(31))) >> 31) as i32;
        }
        loop {
            let bits = self.next(31);
            let value = bits % bound;
            if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
                return value;
            }
        }
    }
}

/// Where the numbers of a call site come from.
enum Source {
    /// No seed.
    Env(Env),
    /// A literal seed: one sequence.
    Sequence(Mutex<JavaRandom>),
    /// A seed per row.
    PerRow,
}

impl Source {
    fn new(context: &BuildContext<'_>, seeded: bool) -> Self {
        match context.integer(0) {
            _ if !seeded => Self::Env(context.env.clone()),
            Some(seed) => Self::Sequence(Mutex::new(JavaRandom::new(seed))),
            None => Self::PerRow,
        }
    }

    fn draw<T>(&self, seed: i32, f: impl Fn(&mut JavaRandom) -> T) -> T {
        match self {
            Self::Env(env) => f(&mut JavaRandom::new(env.random_u64() as i64)),
            Self::Sequence(random) => f(&mut random.lock().expect("no holder of the generator panics")),
            Self::PerRow => f(&mut JavaRandom::new(seed.into())),
        }
    }
}

fn bind_rand(call: &Call<'_>) -> Result<Bound> {
    call.arity(0..=1)?;
    let arg_types = (0..call.len()).map(|i| call.int(i)).collect::<Result<_>>()?;
    call.returns(arg_types, TypeRoot::Double)
}

fn build_rand(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let seeded = !context.arg_types.is_empty();
    let source = Source::new(context, seeded);
    kernel(move |args, rows| {
        if !seeded {
            let values = (0..rows).map(|_| source.draw(0, JavaRandom::next_double));
            return Ok(Arc::new(Float64Array::from_iter_values(values)) as ArrayRef);
        }
        let out = primitives::<Float64Type>(rows, &DataType::Float64);
        map1::<Int32Array, _>(args, rows, out, |seed, out| {
            out.append_value(source.draw(seed, JavaRandom::next_double));
            Ok(())
        })
    })
}

fn bind_integer(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=2)?;
    let arg_types = (0..call.len()).map(|i| call.int(i)).collect::<Result<_>>()?;
    call.returns(arg_types, TypeRoot::Int)
}

fn build_integer(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let seeded = context.arg_types.len() == 2;
    let source = Source::new(context, seeded);
    kernel(move |args, rows| {
        let out = primitives::<Int32Type>(rows, &DataType::Int32);
        if !seeded {
            return map1::<Int32Array, _>(args, rows, out, |bound, out| {
                let bound = positive(bound)?;
                out.append_value(source.draw(0, |random| random.next_below(bound)));
                Ok(())
            });
        }
        map2::<Int32Array, Int32Array, _>(args, rows, out, |seed, bound, out| {
            let bound = positive(bound)?;
            out.append_value(source.draw(seed, |random| random.next_below(bound)));
            Ok(())
        })
    })
}

fn positive(bound: i32) -> Result<i32> {
    if bound > 0 { Ok(bound) } else { Err(Error::user("bad-random-bound", "bound must be positive")) }
}

fn bind_uuid(call: &Call<'_>) -> Result<Bound> {
    call.arity(0..=0)?;
    call.returns_not_null(vec![], TypeRoot::Char(36))
}

/// Version 4 of the UUID standard: random but for version and variant.
fn build_uuid(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let env = context.env.clone();
    kernel(move |_: &[Operand], rows| {
        let mut out = strings(rows * 3);
        for _ in 0..rows {
            let high = env.random_u64() & !0xF000 | 0x4000;
            let low = env.random_u64() & !(0b11 << 62) | (0b10 << 62);
            let [a, b, c] = [high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF];
            let [d, e] = [low >> 48, low & 0xFFFF_FFFF_FFFF];
            write!(out, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
                .map_err(|_| Error::internal("a text builder refused text"))?;
            out.append_value("");
        }
        Ok(Arc::new(out.finish()) as ArrayRef)
    })
}
