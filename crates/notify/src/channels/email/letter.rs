//! How a message looks as a letter, in plain text and in HTML that needs nothing from anywhere.

use fundcycle_store::inbox::InboxMessage;

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its subject, in one line.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// What stands around a message in one language.
struct Frame {
    language: &'static str,
    greeting: fn(&str) -> String,
    where_to: &'static str,
    no_more: &'static str,
    footer: &'static str,
}

const ZH: Frame = Frame {
    language: "zh-CN",
    greeting: |name| format!("{name},您好:"),
    where_to: "登录查看:",
    no_more: "不再接收此类邮件:",
    footer: "本邮件由系统自动发送,请勿直接回复。站内消息为准。",
};

const EN: Frame = Frame {
    language: "en",
    greeting: |name| format!("Dear {name},"),
    where_to: "Sign in: ",
    no_more: "No more of these letters: ",
    footer: "This message was sent automatically; please do not reply. What counts is in your inbox in the system.",
};

/// The letter that tells `name` what `told` says; `public_url` is where they sign in, `unsubscribe`
/// where they say that they want no more of such letters.
pub fn letter(
    told: &InboxMessage,
    name: &str,
    public_url: Option<&str>,
    unsubscribe: Option<&str>,
) -> Letter {
    let frame = if told.locale == "en" { EN } else { ZH };
    let greeting = (frame.greeting)(name);
    let paragraphs: Vec<String> = told
        .text
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| format!("<p>{}</p>\n", escaped(line)))
        .collect();
    let (link, link_html) = address(frame.where_to, public_url);
    let (leave, leave_html) = address(frame.no_more, unsubscribe);
    let text = format!(
        "{greeting}\n\n{}\n{link}\n-- \n{}\n{leave}",
        told.text, frame.footer
    );
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n<p>{}</p>\n{}{link_html}<hr><p><small>{}</small></p>\n{leave_html}</body></html>\n",
        frame.language,
        escaped(&told.title),
        escaped(&greeting),
        paragraphs.concat(),
        escaped(frame.footer),
    );
    Letter {
        // A line break in a title must not become another header.
        subject: told.title.replace(['\r', '\n'], " "),
        text,
        html,
    }
}

/// An address with what it is for, in plain text and in HTML; nothing where there is none.
fn address(label: &str, url: Option<&str>) -> (String, String) {
    url.map_or_else(Default::default, |url| {
        let shown = escaped(url);
        (
            format!("\n{label}{url}\n"),
            format!("<p>{label}<a href=\"{shown}\">{shown}</a></p>\n"),
        )
    })
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
