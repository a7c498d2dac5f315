//! Hides secrets in what a node prints, before it is stored.
//!
//! A stream comes in pieces that end anywhere, so what may be the beginning of a secret is held back until the next
//! piece decides. Nothing else is: a prompt without a line's end goes through at once. Hidden are the values, each
//! longer line of one, and what a value becomes in Base64, in a URL, in JSON and in hexadecimal digits. Unaware of
//! where the bytes come from and go to; `pump` asks.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::model::{SECRET_MIN, Secret};

/// What stands in the place of a secret.
const HIDDEN: &[u8] = "•••".as_bytes();
/// Lines of a value that are shorter than this are not hidden by themselves: they may be anybody's words.
const LINE_MIN: usize = 8;

/// Everything that is to be hidden in the output of one node.
#[derive(Clone)]
pub(super) struct Forms(Arc<[Zeroizing<Vec<u8>>]>);

impl Forms {
    /// The forms of these values.
    pub fn of<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            let text = secret.reveal();
            forms_of(text, &mut forms);
            let lines = text
                .lines()
                .map(str::trim)
                .filter(|line| line.len() >= LINE_MIN);
            for line in lines {
                forms_of(line, &mut forms);
            }
        }
        let forms = forms.into_iter().filter(|form| form.len() >= SECRET_MIN);
        Self(forms.map(Zeroizing::new).collect())
    }

    /// The longest form that begins `bytes`.
    fn at_start(&self, bytes: &[u8]) -> Option<usize> {
        let whole = self.0.iter().filter(|form| bytes.starts_with(form));
        whole.map(|form| form.len()).max()
    }

    /// True when more bytes could make all of `bytes` the beginning of a longer form.
    fn may_begin_with(&self, bytes: &[u8]) -> bool {
        self.0
            .iter()
            .any(|form| form.len() > bytes.len() && form.starts_with(bytes))
    }
}

fn forms_of(text: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let bytes = text.as_bytes();
    forms.insert(bytes.to_vec());
    // What is encoded may stand within something longer: it begins at any of three places, and its first and last
    // letters then depend on what is beside it.
    for before in 0..3 {
        let padded = Zeroizing::new([&b"\0\0"[..before], bytes].concat());
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&*padded);
            let first = [0, 2, 3][before];
            let last = encoded.len() - usize::from(padded.len() % 3 != 0);
            forms.extend(
                encoded
                    .get(first..last)
                    .map(|inner| inner.as_bytes().to_vec()),
            );
        }
    }
    let mut hex = [String::new(), String::new()];
    let mut url = [String::new(), String::new(), String::new()];
    for byte in bytes {
        // Writing to a String cannot fail.
        write!(hex[0], "{byte:02x}").ok();
        write!(hex[1], "{byte:02X}").ok();
        let stays = byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        for (at, url) in url.iter_mut().enumerate() {
            match (stays, at, byte) {
                (true, ..) => url.push(char::from(*byte)),
                (false, 2, b' ') => url.push('+'),
                (false, 1, _) => {
                    write!(url, "%{byte:02x}").ok();
                }
                _ => {
                    write!(url, "%{byte:02X}").ok();
                }
            }
        }
    }
    forms.extend(hex.into_iter().chain(url).map(String::into_bytes));
    if let Ok(json) = serde_json::to_string(text) {
        forms.insert(json.trim_matches('"').as_bytes().to_vec());
    }
}

/// One stream.
pub(super) struct Mask {
    forms: Forms,
    /// What may be the beginning of a secret.
    held: Zeroizing<Vec<u8>>,
}

impl Mask {
    /// At the beginning of a stream.
    pub fn new(forms: Forms) -> Self {
        Self {
            forms,
            held: Zeroizing::default(),
        }
    }

    /// What of the stream may be stored, with these bytes after those before.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.take(false)
    }

    /// The rest of the stream, which is over.
    pub fn finish(&mut self) -> Vec<u8> {
        self.take(true)
    }

    fn take(&mut self, is_over: bool) -> Vec<u8> {
        let mut shown = Vec::with_capacity(self.held.len());
        let mut at = 0;
        while let Some(rest) = self.held.get(at..).filter(|rest| !rest.is_empty()) {
            if !is_over && self.forms.may_begin_with(rest) {
                break;
            }
            match self.forms.at_start(rest) {
                Some(n) => {
                    shown.extend_from_slice(HIDDEN);
                    at += n;
                }
                None => {
                    shown.push(rest[0]);
                    at += 1;
                }
            }
        }
        let left = Zeroizing::new(self.held[at..].to_vec());
        self.held = left;
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(values: &[&str]) -> Forms {
        let secrets: Vec<Secret> = values
            .iter()
            .map(|text| Secret::new(Zeroizing::new((*text).to_owned())).expect("a value"))
            .collect();
        Forms::of(secrets.iter())
    }

    /// The stream cut into pieces after these bytes.
    fn masked(forms: &Forms, stream: &[u8], cuts: &[usize]) -> String {
        let mut mask = Mask::new(forms.clone());
        let mut shown = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().chain([&stream.len()]) {
            shown.extend(mask.push(&stream[from..*cut]));
            from = *cut;
        }
        shown.extend(mask.finish());
        String::from_utf8_lossy(&shown).into_owned()
    }

    #[test]
    fn a_secret_is_hidden_wherever_the_stream_is_cut() {
        let forms = forms(&["hunter2", "hunter2-and-more", "aaaab"]);
        let text = "x hunter2 y hunter2-and-more z hunter2-and aaaaaab hunte";
        let wanted = "x ••• y ••• z •••-and aa••• hunte";
        for a in 0..=text.len() {
            for b in a..=text.len() {
                assert_eq!(masked(&forms, text.as_bytes(), &[a, b]), wanted, "{a} {b}");
            }
        }
        let each: Vec<usize> = (0..text.len()).collect();
        assert_eq!(masked(&forms, text.as_bytes(), &each), wanted);
    }

    #[test]
    fn only_what_may_be_a_secret_is_held_back() {
        let mut mask = Mask::new(forms(&["hunter2"]));
        assert_eq!(mask.push(b"password? "), b"password? ");
        assert_eq!(mask.push(b"hunt"), b"");
        assert_eq!(mask.push(b"ing"), b"hunting");
        assert_eq!(mask.push(b"hunter"), b"");
        assert_eq!(mask.finish(), b"hunter");
    }

    #[test]
    fn what_a_value_becomes_elsewhere_is_hidden_too() {
        let value = "pä ss/w+rd?&\"q\"\\~";
        let forms = forms(&[value]);
        let b64 = |before: &str| {
            let text = format!("{before}{value}@host");
            [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]
        };
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        let url = "p%C3%A4%20ss%2Fw%2Brd%3F%26%22q%22%5C~";
        let mut all = vec![
            value.to_owned(),
            hex.clone(),
            hex.to_uppercase(),
            url.to_owned(),
        ];
        all.push(serde_json::to_string(value).expect("json"));
        all.push(url.replace("%20", "+"));
        for before in ["", "u", "us", "use"] {
            all.extend(b64(before));
        }
        for text in all {
            let shown = masked(&forms, text.as_bytes(), &[]);
            assert!(shown.contains("•••"), "{text} -> {shown}");
            // What stays of Base64 are the letters at the ends that tell of a byte in part.
            assert!(shown.chars().count() <= 3 + 12, "{text} -> {shown}");
        }
    }

    #[test]
    fn lines_of_a_key_are_hidden_one_by_one() {
        let forms = forms(&["-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nshort\n-----END KEY-----"]);
        let shown = masked(&forms, b"1: MIIEpAIBAAKCAQEA\n2: short\n", &[]);
        assert_eq!(shown, "1: •••\n2: short\n");
    }

    #[test]
    fn random_streams_never_show_a_secret() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let value: String = (0..6).map(|_| random.char('a'..='b')).collect();
        let forms = forms(&[&value]);
        for _ in 0..300 {
            let stream: Vec<u8> = (0..60).map(|_| random.u8(b'a'..=b'b')).collect();
            let mut cuts: Vec<usize> = (0..5).map(|_| random.usize(0..=60)).collect();
            cuts.sort_unstable();
            let whole = masked(&forms, &stream, &[]);
            assert!(!whole.contains(&value), "seed {seed}");
            assert_eq!(masked(&forms, &stream, &cuts), whole, "seed {seed}");
        }
    }
}
