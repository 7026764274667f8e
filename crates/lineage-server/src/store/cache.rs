//! A map that forgets: bounded, cheap, without order of use.
//!
//! Two generations: a full young one becomes the old one, whose former content is forgotten. What is used moves to the
//! young generation, so that at least the last `capacity` different keys are always there.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// See the module.
#[derive(Debug)]
pub struct Cache<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Hash + Eq, V> Cache<K, V> {
    /// A cache of at least `capacity` and at most twice as many entries.
    pub fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity }
    }

    /// Takes an entry out.
    pub fn take<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Puts an entry in.
    pub fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// A copy of an entry, which counts as use.
    pub fn get<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q> + Clone,
        Q: Hash + Eq + ?Sized + ToOwned<Owned = K>,
        V: Clone,
    {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.put(key.to_owned(), value.clone());
        Some(value)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    #[test]
    fn the_last_used_stay_and_the_rest_goes() {
        let mut cache: Cache<String, usize> = Cache::new(10);
        cache.put("kept".into(), 0);
        for number in 0..1000 {
            cache.put(number.to_string(), number);
            assert_eq!(cache.get("kept"), Some(0));
        }
        assert!(cache.young.len() + cache.old.len() <= 20);
        assert_eq!(cache.get("3"), None);
        assert_eq!(cache.get("999"), Some(999));
    }
}
