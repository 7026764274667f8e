//! The elements of a JSON list as they stand in its text.
//!
//! Each is then read on its own: one that is broken spoils no other, memory holds one event as a tree at a time, and what is
//! stored is what came. Only brackets and strings are looked at here; whether an element is JSON is not.

/// The elements of a text that is a list, or none when it is not or its brackets do not match.
pub(super) fn elements(body: &[u8]) -> Option<Vec<&[u8]>> {
    let inner = body.trim_ascii().strip_prefix(b"[")?;
    let mut elements = vec![];
    let (mut depth, mut begin, mut at) = (0_usize, 0, 0);
    while at < inner.len() {
        match inner[at] {
            b'"' => at = string_end(inner, at + 1)?,
            b'[' | b'{' => depth += 1,
            b']' if depth == 0 => {
                let is_last = inner[at + 1..].is_empty();
                let last = inner[begin..at].trim_ascii();
                if !last.is_empty() || !elements.is_empty() {
                    elements.push(last);
                }
                return is_last.then_some(elements);
            }
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                elements.push(inner[begin..at].trim_ascii());
                begin = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the string ends that begins before `at`: its closing quote.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::elements;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn elements_are_found_whatever_they_hold() {
        let split = |text: &'static str| {
            elements(text.as_bytes()).map(|all| all.iter().map(|e| std::str::from_utf8(e).unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(split("[]"), Some(vec![]));
        assert_eq!(split(" [ {\"a\": [1, 2]} , \"],[\" ,3] \n"), Some(vec!["{\"a\": [1, 2]}", "\"],[\"", "3"]));
        assert_eq!(split(r#"["\\", "\""]"#), Some(vec![r#""\\""#, r#""\"""#]));
        assert_eq!(split("[1,]"), Some(vec!["1", ""]));
        for broken in ["", "{}", "[", "[1", "[1}]", "[\"a]", "[1] 2", "[1]]", "[\"\\"] {
            assert_eq!(split(broken), None, "{broken}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\\PC\"\\\\\\[\\]{},]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[\\PC\"]{0,6}", inner), 0..4).prop_map(|all| all.into_iter().fold(
                    json!({}),
                    |mut map, (k, v)| {
                        map[k] = v;
                        map
                    }
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn elements_are_those_of_the_list(list in prop::collection::vec(any_json(), 0..5), pretty: bool) {
            let list = Value::from(list);
            let text = if pretty { serde_json::to_string_pretty(&list) } else { serde_json::to_string(&list) }.unwrap();
            let found = elements(text.as_bytes()).unwrap();
            let read: Vec<Value> = found.into_iter().map(|e| serde_json::from_slice(e).unwrap()).collect();
            prop_assert_eq!(Value::from(read), list);
        }

        #[test]
        fn no_text_makes_it_fail(text in "[\\[\\]{}\",\\\\ a1]{0,40}") {
            elements(text.as_bytes());
        }
    }
}
