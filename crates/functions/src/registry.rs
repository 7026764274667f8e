//! The registry: every function by name and alias, case-insensitive.

use crate::Function;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The function groups, one list per module.
const GROUPS: &[&[Function]] = &[
    crate::arithmetic::operators::FUNCTIONS,
    crate::arithmetic::math::FUNCTIONS,
    crate::arithmetic::rounding::FUNCTIONS,
    crate::arithmetic::random::FUNCTIONS,
    crate::arithmetic::radix::FUNCTIONS,
    crate::comparison::FUNCTIONS,
    crate::logical::FUNCTIONS,
    crate::conditional::choose::FUNCTIONS,
    crate::conditional::inspect::FUNCTIONS,
    crate::conditional::constraint::FUNCTIONS,
    crate::conditional::not_null::FUNCTIONS,
    crate::temporal::extract::FUNCTIONS,
    crate::temporal::interval::FUNCTIONS,
    crate::temporal::format::FUNCTIONS,
    crate::temporal::convert::FUNCTIONS,
    crate::temporal::current::FUNCTIONS,
    crate::temporal::watermark::FUNCTIONS,
    crate::string::FUNCTIONS,
    crate::regexp::FUNCTIONS,
    crate::hash::FUNCTIONS,
    crate::hash_code::FUNCTIONS,
    crate::url::FUNCTIONS,
    crate::json::FUNCTIONS,
    crate::collection::FUNCTIONS,
    crate::bitmap::FUNCTIONS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let all = GROUPS.iter().flat_map(|group| group.iter());
    all.flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()).map(move |name| (name, f))).collect()
});

/// The function of this name or alias, compared without case.
pub fn lookup(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name).or_else(|| BY_NAME.get(name.to_ascii_uppercase().as_str())).copied()
}

/// All functions a user may call, in registry order.
pub fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.iter()).filter(|f| !f.name.starts_with('$'))
}
