//! How what is sent is to be handled, and under which name (RFC 6266, RFC 8187).

/// To be saved, never shown.
pub(crate) fn saved(name: &str) -> String {
    with_name("attachment", name)
}

/// To be shown; if it is saved, under this name.
pub(crate) fn shown(name: &str) -> String {
    with_name("inline", name)
}

fn with_name(how: &str, name: &str) -> String {
    use std::fmt::Write as _;
    let encoded = name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    });
    format!("{how}; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_add_headers() {
        assert_eq!(
            saved("a\"\r\nX: y.pdf"),
            "attachment; filename*=UTF-8''a%22%0D%0AX%3A%20y.pdf"
        );
        assert_eq!(
            shown("申报.pdf"),
            "inline; filename*=UTF-8''%E7%94%B3%E6%8A%A5.pdf"
        );
    }
}
