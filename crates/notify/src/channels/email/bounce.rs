//! Letters that come back: what a server's refusal says (RFC 3463), and reports of delivery (RFC 3464)
//! as they arrive in the mailbox of the sender.

use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};
use uuid::Uuid;

use super::identity;

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The address takes no letters, this or any other.
    Address,
    /// This letter did not arrive; the next one may.
    Letter,
    /// It may still arrive.
    Temporary,
}

/// An enhanced status code (RFC 3463): class, subject, detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(u16, u16, u16);

impl Status {
    /// `5.1.1` and the like; none where it is no such code.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut number = || {
            let part = parts.next()?;
            let short =
                (1..=3).contains(&part.len()) && part.bytes().all(|one| one.is_ascii_digit());
            part.parse().ok().filter(|_| short)
        };
        let (class, subject, detail) = (number()?, number()?, number()?);
        (parts.next().is_none() && matches!(class, 2 | 4 | 5))
            .then_some(Self(class, subject, detail))
    }

    /// The first one in what a server said.
    pub fn first_in(said: &str) -> Option<Self> {
        said.split(|one: char| {
            one.is_whitespace() || matches!(one, '(' | ')' | ':' | ';' | '#' | ',')
        })
        .find_map(Self::read)
    }

    /// What follows from a refusal with this reply code and status. Whether the address is to blame is
    /// said by the status where there is one: a refusal of the sender (5.1.7, 5.1.8), a full mailbox
    /// (5.2.2) or a policy (5.7) says nothing about it.
    pub fn verdict(code: Option<u16>, status: Option<Self>) -> Verdict {
        match (status, code) {
            (Some(Self(4, ..)), _) | (None, Some(400..=499)) => Verdict::Temporary,
            (Some(Self(_, 1, detail)), _) if !matches!(detail, 7 | 8) => Verdict::Address,
            // The last ones say nothing in particular: then the reply code says more.
            (Some(Self(_, 2, 0 | 1) | Self(_, 4, _)), _)
            | (Some(Self(_, 0, _)) | None, None | Some(550 | 551 | 553 | 556)) => Verdict::Address,
            _ => Verdict::Letter,
        }
    }
}

/// What a report says of one letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The letter.
    pub letter: Uuid,
    /// The address that it was written to.
    pub address: String,
    /// What follows.
    pub verdict: Verdict,
    /// What the server said.
    pub said: String,
}

/// Why a message is no report that anything follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReport {
    /// It is something else: an answer, a holiday notice, an advertisement.
    #[error("it is no report of delivery (RFC 3464)")]
    SomethingElse,
    /// It reports that a letter arrived, or that it is still tried.
    #[error("it reports no failure")]
    NoFailure,
    /// The letter is not one of ours: its name is missing, or was not given here.
    #[error("it names no letter that was sent from here")]
    UnknownLetter,
}

/// Reads a report of delivery. `secret` is what the names of letters were made with: a report about a
/// letter that its writer never saw is not believed.
///
/// # Errors
///
/// [`NoReport`] where nothing follows from it.
pub fn read(raw: &[u8], secret: &str) -> Result<Report, NoReport> {
    let message = MessageParser::default()
        .parse(raw)
        .ok_or(NoReport::SomethingElse)?;
    let fields = message
        .parts
        .iter()
        .filter(|part| {
            part.content_type().is_some_and(|kind| {
                kind.ctype().eq_ignore_ascii_case("message")
                    && kind.subtype().is_some_and(|kind| {
                        kind.eq_ignore_ascii_case("delivery-status")
                            || kind.eq_ignore_ascii_case("global-delivery-status")
                    })
            })
        })
        .find_map(|part| match &part.body {
            PartType::Text(text) => Some(text.to_string()),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                Some(String::from_utf8_lossy(bytes).into_owned())
            }
            _ => None,
        })
        .ok_or(NoReport::SomethingElse)?;
    let failed = groups(&fields)
        .into_iter()
        .find(|group| {
            field(group, "action").is_some_and(|action| action.eq_ignore_ascii_case("failed"))
        })
        .ok_or(NoReport::NoFailure)?;
    let (letter, to) = returned(&message, secret).ok_or(NoReport::UnknownLetter)?;
    let address = to
        .or_else(|| address_in(&failed, "original-recipient"))
        .or_else(|| address_in(&failed, "final-recipient"))
        .ok_or(NoReport::UnknownLetter)?;
    let diagnostic = field(&failed, "diagnostic-code").unwrap_or_default();
    let status = field(&failed, "status").unwrap_or_default();
    let said = if diagnostic.is_empty() {
        status
    } else {
        diagnostic
    };
    Ok(Report {
        letter,
        address,
        verdict: failure(status, diagnostic),
        said: said.to_owned(),
    })
}

/// What follows from a failure: what the other server said counts more than what ours made of it.
fn failure(status: &str, diagnostic: &str) -> Verdict {
    let code = diagnostic
        .split(|one: char| !one.is_ascii_digit())
        .find(|word| word.len() == 3)
        .and_then(|word| word.parse().ok())
        .filter(|code| (400..600).contains(code));
    let said = Status::first_in(diagnostic);
    let status = Status::read(status.split_whitespace().next().unwrap_or_default());
    match Status::verdict(code, said.or(status)) {
        // It was tried for as long as our server tries: the letter is lost, the address may be well.
        Verdict::Temporary => Verdict::Letter,
        verdict => verdict,
    }
}

/// The groups of fields of a report: of the message, then of each recipient.
fn groups(text: &str) -> Vec<Vec<(String, String)>> {
    let mut groups = vec![Vec::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            groups.push(Vec::new());
        } else if let Some(group) = groups.last_mut() {
            let continued = line.starts_with([' ', '\t']);
            match (continued, line.split_once(':')) {
                (true, _) => {
                    if let Some((_, value)) = group.last_mut() {
                        let value: &mut String = value;
                        value.push(' ');
                        value.push_str(line.trim());
                    }
                }
                (false, Some((name, value))) => {
                    group.push((name.trim().to_lowercase(), value.trim().to_owned()));
                }
                (false, None) => {}
            }
        }
    }
    groups
}

fn field<'a>(group: &'a [(String, String)], name: &str) -> Option<&'a str> {
    group
        .iter()
        .find_map(|(known, value)| (known == name).then_some(value.as_str()))
}

/// The address in `rfc822; user@host`.
fn address_in(group: &[(String, String)], name: &str) -> Option<String> {
    let value = field(group, name)?;
    let address = value.split_once(';').map_or(value, |(_, address)| address);
    let address = address.trim().trim_start_matches('<').trim_end_matches('>');
    (!address.is_empty()).then(|| address.to_owned())
}

/// The letter that came back, by the name in its headers or in those that refer to it, and to whom it was.
fn returned(message: &Message<'_>, secret: &str) -> Option<(Uuid, Option<String>)> {
    for part in &message.parts {
        let own = match &part.body {
            PartType::Message(inner) => letter_of(inner, secret),
            PartType::Text(text) if is_headers(part) => {
                // Headers alone: a letter without a body.
                let inner = format!("{}\r\n\r\n", text.trim_end());
                let inner = MessageParser::default()
                    .parse(inner.as_bytes())?
                    .into_owned();
                letter_of(&inner, secret)
            }
            _ => None,
        };
        if own.is_some() {
            return own;
        }
    }
    let referring = [message.in_reply_to(), message.references()];
    referring
        .iter()
        .flat_map(|value| value.as_text_list().unwrap_or_default())
        .find_map(|name| identity::read(secret, name))
        .map(|letter| (letter, None))
}

fn is_headers(part: &mail_parser::MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("text")
            && kind
                .subtype()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("rfc822-headers"))
    })
}

fn letter_of(message: &Message<'_>, secret: &str) -> Option<(Uuid, Option<String>)> {
    let letter = identity::read(secret, message.message_id()?)?;
    let to = message
        .to()
        .and_then(|to| to.first()?.address().map(str::to_owned));
    Some((letter, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "secret";

    fn named() -> (Uuid, String) {
        let letter = Uuid::from_u128(7);
        (letter, identity::name(SECRET, letter, "fund.example"))
    }

    /// The report with the name of the letter in its place.
    fn report(text: &str, name: &str) -> Result<Report, NoReport> {
        read(
            text.replace("NAME", name).replace('\n', "\r\n").as_bytes(),
            SECRET,
        )
    }

    #[test]
    fn reports_of_known_servers_are_read() {
        let (letter, name) = named();
        for (text, address, verdict, said) in [
            (
                include_str!("../../../tests/reports/postfix.eml"),
                "WangFang@example.org",
                Verdict::Address,
                "smtp; 550 5.1.1 <wangfang@example.org>: Recipient address rejected: User unknown",
            ),
            (
                include_str!("../../../tests/reports/exim.eml"),
                "nobody@example.org",
                Verdict::Address,
                "smtp; 550 Mailbox not found or access denied",
            ),
            (
                include_str!("../../../tests/reports/full.eml"),
                "full@example.org",
                Verdict::Letter,
                "smtp;552 5.2.2 mailbox full",
            ),
        ] {
            let expected = Report {
                letter,
                address: address.to_owned(),
                verdict,
                said: said.to_owned(),
            };
            assert_eq!(report(text, &name), Ok(expected));
        }
    }

    #[test]
    fn nothing_follows_from_other_mail_or_from_what_was_not_sent_from_here() {
        let (letter, name) = named();
        let postfix = include_str!("../../../tests/reports/postfix.eml");
        for (text, name, why) in [
            (
                include_str!("../../../tests/reports/delayed.eml"),
                &name,
                NoReport::NoFailure,
            ),
            (
                include_str!("../../../tests/reports/holiday.eml"),
                &name,
                NoReport::SomethingElse,
            ),
            ("", &name, NoReport::SomethingElse),
            ("no headers at all", &name, NoReport::SomethingElse),
            (
                postfix,
                &format!("{letter}@fund.example"),
                NoReport::UnknownLetter,
            ),
            (
                postfix,
                &identity::name("other", letter, "fund.example"),
                NoReport::UnknownLetter,
            ),
        ] {
            assert_eq!(report(text, name), Err(why), "{text}");
        }
        // Cut off anywhere, it is read or left alone.
        let whole = postfix.replace("NAME", &name);
        for end in 0..whole.len() {
            let _: Result<Report, NoReport> = read(&whole.as_bytes()[..end], SECRET);
        }
    }

    #[test]
    fn a_refusal_tells_the_address_from_the_letter_and_from_a_bad_moment() {
        let verdict = |code, said: &str| Status::verdict(code, Status::first_in(said));
        for (code, said, expected) in [
            (Some(550), "5.1.1 no such mailbox", Verdict::Address),
            (Some(550), "no such mailbox at 10.0.0.1", Verdict::Address),
            (Some(550), "#5.1.0 Address rejected", Verdict::Address),
            (Some(553), "mailbox name not allowed", Verdict::Address),
            (Some(550), "5.2.1 disabled", Verdict::Address),
            (
                Some(550),
                "5.4.1 Recipient address rejected: Access denied",
                Verdict::Address,
            ),
            (
                Some(550),
                "5.7.1 blocked, see https://example.org",
                Verdict::Letter,
            ),
            (Some(553), "5.1.8 sender address rejected", Verdict::Letter),
            (Some(552), "5.2.2 mailbox full", Verdict::Letter),
            (Some(552), "message too big", Verdict::Letter),
            (Some(554), "no", Verdict::Letter),
            (Some(451), "4.7.1 greylisted", Verdict::Temporary),
            (Some(450), "later", Verdict::Temporary),
        ] {
            assert_eq!(verdict(code, said), expected, "{said}");
        }
    }
}
