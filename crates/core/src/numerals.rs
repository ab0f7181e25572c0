//! Amounts in capital numerals (大写金额), as agreements and payment requests print them.

use crate::money::Money;

/// Places of the number system, largest first. The counter of 亿 is a number itself, so that one rule writes all.
const PLACES: [(u64, &str); 5] = [
    (100_000_000, "亿"),
    (10_000, "万"),
    (1_000, "仟"),
    (100, "佰"),
    (10, "拾"),
];

/// An amount in capital numerals: 28 500.50 yuan is 贰万捌仟伍佰元伍角 (`domain.md` §6).
///
/// Skipped places are marked by one 零; an amount of whole yuan ends in 整; a negative amount starts with 负.
/// Where the banking rules leave a choice, the shorter form is taken: no 整 after 角, and no 零 between the yuan and
/// the 角, or between 万 and 仟, when only the place before it is empty.
/// Different amounts never share a text.
pub fn capital_numerals(amount: Money) -> String {
    let fen = amount.fen().unsigned_abs();
    let (yuan, jiao, fen) = (fen / 100, fen / 10 % 10, fen % 10);
    let mut text = String::new();
    if amount.is_negative() {
        text.push('负');
    }
    if yuan > 0 || (jiao, fen) == (0, 0) {
        write_number(&mut text, yuan);
        text.push('元');
    }
    match (jiao, fen) {
        (0, 0) => text.push('整'),
        (0, _) if yuan > 0 => text.push('零'),
        (0, _) => {}
        _ => {
            text.push_str(numeral(jiao));
            text.push('角');
        }
    }
    if fen > 0 {
        text.push_str(numeral(fen));
        text.push('分');
    }
    text
}

fn write_number(text: &mut String, number: u64) {
    let Some(&(place, name)) = PLACES.iter().find(|(place, _)| *place <= number) else {
        text.push_str(numeral(number));
        return;
    };
    write_number(text, number / place);
    text.push_str(name);
    let rest = number % place;
    if rest == 0 {
        return;
    }
    if rest < place / 10 {
        text.push('零');
    }
    write_number(text, rest);
}

/// The numeral of a single digit.
fn numeral(digit: u64) -> &'static str {
    match digit {
        1 => "壹",
        2 => "贰",
        3 => "叁",
        4 => "肆",
        5 => "伍",
        6 => "陆",
        7 => "柒",
        8 => "捌",
        9 => "玖",
        _ => "零",
    }
}
