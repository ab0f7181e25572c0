//! A letter as it arrived, taken apart as a mail program would.

use data_encoding::BASE64_MIME_PERMISSIVE;

/// A letter.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Where it comes back to: the sender on its envelope.
    pub from: String,
    /// To which address it was handed over.
    pub to: String,
    /// What was sent, headers and body.
    pub raw: String,
}

impl Mail {
    /// A header, decoded and without line breaks; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        header(&self.raw, name)
    }

    /// The part of this media type, decoded; empty where there is none.
    pub fn part(&self, media_type: &str) -> String {
        let kind = header(&self.raw, "Content-Type");
        let boundary = kind.split("boundary=\"").nth(1);
        let boundary = boundary.and_then(|rest| rest.split('"').next());
        let boundary = format!("--{}", boundary.unwrap_or("none"));
        self.raw
            .split(boundary.as_str())
            .skip(1)
            .find(|part| header(part.trim_start(), "Content-Type").starts_with(media_type))
            .map(|part| decoded(part.trim_start()))
            .unwrap_or_default()
    }
}

fn header(text: &str, name: &str) -> String {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let found = unfolded.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    });
    words(&found.unwrap_or_default())
}

/// Encoded words (RFC 2047); what stands between two of them is not said.
fn words(text: &str) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, encoded)) = rest.split_once("=?utf-8?b?") {
        if said.is_empty() || !before.trim().is_empty() {
            said.push_str(before);
        }
        let (word, after) = encoded.split_once("?=").unwrap();
        said.push_str(
            &String::from_utf8(BASE64_MIME_PERMISSIVE.decode(word.as_bytes()).unwrap()).unwrap(),
        );
        rest = after;
    }
    said + rest
}

fn decoded(part: &str) -> String {
    let body = part.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let bytes = match header(part, "Content-Transfer-Encoding").as_str() {
        "base64" => BASE64_MIME_PERMISSIVE
            .decode(body.trim().as_bytes())
            .unwrap(),
        "quoted-printable" => quoted(body),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8(bytes).unwrap()
}

fn quoted(body: &str) -> Vec<u8> {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    bytes
}
