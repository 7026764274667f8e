//! Arrays, maps and rows.
//!
//! Elements are compared in Arrow's row encoding, which orders values of any type: within one call only,
//! nothing encoded leaves it. NULL elements are equal to each other. Unless a function says otherwise a NULL
//! argument gives NULL.
//!
//! What SQL writes with brackets is a plain call here: `ARRAY[a, b]` is `ARRAY(a, b)`, `MAP[k, v]` is `MAP(k, v)`,
//! `(a, b)` is `ROW(a, b)`, and `x[i]` is `ITEM(x, i)` for arrays, maps and variants. Arrow has no NULL keys, so
//! a map with one is an error.

mod access;
mod array;
mod array_set;
mod array_sort;
mod bind;
mod build;
mod construct;
mod elements;
mod map;
#[cfg(test)]
mod tests;

use crate::Function;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    construct::ARRAY,
    construct::MAP,
    construct::ROW,
    access::CARDINALITY,
    access::ITEM,
    access::ELEMENT,
    array::ARRAY_APPEND,
    array::ARRAY_PREPEND,
    array::ARRAY_REMOVE,
    array::ARRAY_CONTAINS,
    array::ARRAY_POSITION,
    array::ARRAY_REVERSE,
    array::ARRAY_SLICE,
    array::ARRAY_CONCAT,
    array::ARRAY_JOIN,
    array_set::ARRAY_DISTINCT,
    array_set::ARRAY_UNION,
    array_set::ARRAY_EXCEPT,
    array_set::ARRAY_INTERSECT,
    array_sort::ARRAY_SORT,
    array_sort::ARRAY_MAX,
    array_sort::ARRAY_MIN,
    map::MAP_KEYS,
    map::MAP_VALUES,
    map::MAP_ENTRIES,
    map::MAP_UNION,
    map::MAP_FROM_ARRAYS,
];
