//! Bytes to text and back: encodings, byte order marks, and files that are no text at all.

use std::borrow::Cow;

use super::error::ReadError;
use super::limits::FILE_BYTES_MAX;

/// How the characters of a file are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// ISO 8859-1 as XML means it; the web's reading of that label is Windows-1252.
    Latin1,
    Ascii,
    Other(&'static encoding_rs::Encoding),
}

/// A file's text without its byte order mark, and how it was written.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) encoding: Encoding,
    pub(super) bom: bool,
}

/// Decodes a whole file.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ReadError::TooLarge);
    }
    if let Some(what) = archive(bytes) {
        return Err(ReadError::Archive(what));
    }
    let (encoding, bom) = match bytes {
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => (Encoding::Utf16Le, 2),
        [0xfe, 0xff, ..] => (Encoding::Utf16Be, 2),
        _ => (declared(bytes)?, 0),
    };
    let body = &bytes[bom..];
    let text = match encoding {
        Encoding::Utf8 => std::str::from_utf8(body)
            .map_err(|e| ReadError::NotUtf8 {
                byte: bom + e.valid_up_to(),
            })?
            .to_owned(),
        Encoding::Ascii if !body.is_ascii() => {
            return Err(ReadError::NotEncoded("us-ascii".to_owned()));
        }
        Encoding::Latin1 | Encoding::Ascii => encoding_rs::mem::decode_latin1(body).into_owned(),
        Encoding::Utf16Le => strictly(encoding_rs::UTF_16LE, body)?,
        Encoding::Utf16Be => strictly(encoding_rs::UTF_16BE, body)?,
        Encoding::Other(other) => strictly(other, body)?,
    };
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count() + 1;
        return Err(ReadError::Nul { line });
    }
    Ok(Decoded {
        text,
        encoding,
        bom: bom > 0,
    })
}

/// The text in the file's encoding; `None` when a character has no place in it.
pub(super) fn encode(text: &str, encoding: Encoding, bom: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() + 3);
    match encoding {
        Encoding::Utf8 => {
            if bom {
                out.extend([0xef, 0xbb, 0xbf]);
            }
            out.extend(text.as_bytes());
        }
        Encoding::Utf16Le => {
            out.extend([0xff, 0xfe]);
            out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        }
        Encoding::Utf16Be => {
            out.extend([0xfe, 0xff]);
            out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        }
        Encoding::Latin1 => {
            for c in text.chars() {
                out.push(u8::try_from(u32::from(c)).ok()?);
            }
        }
        Encoding::Ascii => {
            if !text.is_ascii() {
                return None;
            }
            out.extend(text.as_bytes());
        }
        Encoding::Other(other) => {
            let (bytes, _, unmappable) = other.encode(text);
            if unmappable {
                return None;
            }
            out.extend(bytes.as_ref());
        }
    }
    Some(out)
}

fn strictly(encoding: &'static encoding_rs::Encoding, body: &[u8]) -> Result<String, ReadError> {
    encoding
        .decode_without_bom_handling_and_without_replacement(body)
        .map(Cow::into_owned)
        .ok_or_else(|| ReadError::NotEncoded(encoding.name().to_owned()))
}

/// The encoding of the XML declaration. Without one, XML is UTF-8.
fn declared(bytes: &[u8]) -> Result<Encoding, ReadError> {
    const DECLARATION_BYTES_MAX: usize = 512;
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES_MAX)];
    let head = String::from_utf8_lossy(head);
    let Some(span) = declared_label(&head) else {
        return Ok(Encoding::Utf8);
    };
    let label = head[span].trim().to_ascii_lowercase();
    Ok(match label.as_str() {
        // A declaration that can be read as ASCII is not in UTF-16, whatever it says.
        "utf-8" | "utf8" | "" | "utf-16" | "utf-16le" | "utf-16be" => Encoding::Utf8,
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" => Encoding::Latin1,
        "us-ascii" | "ascii" => Encoding::Ascii,
        _ => match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(encoding) if encoding.is_ascii_compatible() => Encoding::Other(encoding),
            _ => return Err(ReadError::UnknownEncoding(label)),
        },
    })
}

/// Where the encoding's name stands in the XML declaration at the start of `text`.
pub(super) fn declared_label(text: &str) -> Option<std::ops::Range<usize>> {
    let declaration = &text[..text.find("?>")?];
    if !declaration.starts_with("<?xml") {
        return None;
    }
    let name = declaration.find("encoding")? + "encoding".len();
    let equals = name + declaration[name..].find('=')? + 1;
    let open = equals + declaration[equals..].find(['"', '\''])?;
    let quote = declaration.as_bytes()[open] as char;
    let start = open + 1;
    Some(start..start + declaration[start..].find(quote)?)
}

/// What kind of packed file this is, by its first bytes.
fn archive(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0x1f, 0x8b, ..] => "gzip",
        [b'P', b'K', 3 | 5 | 7, ..] => "zip",
        [b'B', b'Z', b'h', ..] => "bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [b'7', b'z', 0xbc, 0xaf, ..] => "7z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_comes_back_as_it_was() {
        let text = |label: &str| format!("<?xml version='1.0' encoding='{label}'?>\n<a>häß</a>");
        for (label, encoding, bom) in [
            ("utf-8", Encoding::Utf8, false),
            ("utf-8", Encoding::Utf8, true),
            ("utf-16", Encoding::Utf16Le, true),
            ("utf-16", Encoding::Utf16Be, true),
            ("ISO-8859-1", Encoding::Latin1, false),
            (
                "windows-1252",
                Encoding::Other(encoding_rs::WINDOWS_1252),
                false,
            ),
        ] {
            let text = text(label);
            let bytes = encode(&text, encoding, bom).expect("fits");
            let decoded = decode(&bytes).expect(label);
            assert_eq!(
                (decoded.text.as_str(), decoded.encoding, decoded.bom),
                (text.as_str(), encoding, bom)
            );
        }
        assert_eq!(encode("→", Encoding::Latin1, false), None);
        assert_eq!(encode("ä", Encoding::Ascii, false), None);
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, says) in [
            (&b""[..], "empty file"),
            (b"\x1f\x8b\x08rest", "gzip"),
            (b"PK\x03\x04rest", "zip"),
            (b"<a>\n\0</a>", "line 2"),
            (b"<a>\xff</a>", "not UTF-8 at byte 3"),
            (b"<?xml version='1.0' encoding='utf-7'?><a/>", "utf-7"),
            (
                b"<?xml version='1.0' encoding='shift_jis'?>\xff",
                "Shift_JIS",
            ),
            (b"\xff\xfe<\0a", "UTF-16LE"),
        ] {
            let why = match decode(bytes) {
                Err(why) => why.to_string(),
                Ok(_) => panic!("{bytes:?} was read"),
            };
            assert!(why.contains(says), "{why}");
        }
    }
}
