//! Escapes of JSON strings, and the compact text of a JSON value.

/// Appends the unescaped form of the inside of a string; on failure the position of the bad escape.
pub(super) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Result<(), usize> {
    let mut at = 0;
    while let Some(offset) = memchr::memchr(b'\\', &raw[at..]) {
        out.extend_from_slice(&raw[at..at + offset]);
        at += offset;
        at += escape(&raw[at..], out).ok_or(at)?;
    }
    out.extend_from_slice(&raw[at..]);
    Ok(())
}

/// Appends the character of the escape sequence at the start of `raw`; returns its length.
fn escape(raw: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let byte = match raw.get(1)? {
        b'"' => b'"',
        b'\\' => b'\\',
        b'/' => b'/',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unicode(raw, out),
        _ => return None,
    };
    out.push(byte);
    Some(2)
}

/// Appends the character of `\uXXXX`, or of a surrogate pair of two of them. A lone surrogate has no UTF-8
/// form and becomes `?`, as Java writes it.
fn unicode(raw: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let first = hex4(raw.get(2..6)?)?;
    let (code, length) = match first {
        0xD800..=0xDBFF => match low_surrogate(&raw[6..]) {
            Some(low) => (0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00), 12),
            None => (first, 6),
        },
        _ => (first, 6),
    };
    let character = char::from_u32(code).unwrap_or('?');
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(length)
}

fn low_surrogate(raw: &[u8]) -> Option<u32> {
    let digits = raw.strip_prefix(b"\\u")?.get(..4)?;
    hex4(digits).filter(|code| (0xDC00..=0xDFFF).contains(code))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, d| Some(code * 16 + (*d as char).to_digit(16)?))
}

/// Appends a string with its quotes, escaped as JSON demands and no more.
pub(super) fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut start = 0;
    for (i, byte) in text.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[start..i]);
        start = i + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => out.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
        }
    }
    out.extend_from_slice(&text[start..]);
    out.push(b'"');
}

/// Appends a JSON value without the white space between its tokens, with its strings in their shortest form.
/// The value is known to be structurally complete.
pub(super) fn compact(value: &[u8], out: &mut Vec<u8>) -> Result<(), usize> {
    let mut at = 0;
    let mut scratch = vec![];
    while let Some(byte) = value.get(at) {
        match byte {
            b'"' => {
                let end = string_end(value, at + 1);
                scratch.clear();
                unescape(&value[at + 1..end], &mut scratch).map_err(|e| at + 1 + e)?;
                quote(&scratch, out);
                at = end + 1;
                continue;
            }
            b' ' | b'\t' | b'\r' => {}
            _ => out.push(*byte),
        }
        at += 1;
    }
    Ok(())
}

/// The position of the closing quote of the string whose inside starts at `from`.
fn string_end(value: &[u8], from: usize) -> usize {
    let mut at = crate::scan::string_stop(value, from);
    while value.get(at) == Some(&b'\\') {
        at = crate::scan::string_stop(value, at + 2);
    }
    at.min(value.len())
}
