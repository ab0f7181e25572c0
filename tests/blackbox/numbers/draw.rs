//! `draw`, against a second implementation that was written from `docs/numbers.md` alone.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::ask;

fn quarter_round(state: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    for (sum, add, turned, left) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        state[sum] = state[sum].wrapping_add(state[add]);
        state[turned] = (state[turned] ^ state[sum]).rotate_left(left);
    }
}

/// RFC 8439, section 2.3, with an all-zero nonce.
fn block(key: &[u8; 32], counter: u32) -> Vec<u8> {
    let mut start = [0; 16];
    start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    for (word, bytes) in start[4..12].iter_mut().zip(key.chunks(4)) {
        *word = u32::from_le_bytes(bytes.try_into().unwrap());
    }
    start[12] = counter;
    let mut state = start;
    for _ in 0..10 {
        for column in 0..4 {
            quarter_round(&mut state, [column, column + 4, column + 8, column + 12]);
        }
        for (row, [b, c, d]) in [[5, 10, 15], [6, 11, 12], [7, 8, 13], [4, 9, 14]]
            .into_iter()
            .enumerate()
        {
            quarter_round(&mut state, [row, b, c, d]);
        }
    }
    let words = state.iter().zip(start);
    words
        .flat_map(|(word, start)| word.wrapping_add(start).to_le_bytes())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) struct Step {
    random: u64,
    skipped: u64,
    swapped_with: u64,
}

/// The order, the step of each index but 0, and the list hash.
pub(crate) fn by_hand(items: &[String], seed: &[u8]) -> (Vec<String>, Vec<Step>, String) {
    let mut order = items.to_vec();
    order.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    let list: String = order.iter().map(|item| format!("{item}\n")).collect();
    let list_hash = Sha256::digest(list.as_bytes());
    let key: [u8; 32] = Sha256::digest([seed, list_hash.as_slice()].concat()).into();
    let bytes: Vec<u8> = (0..100).flat_map(|counter| block(&key, counter)).collect();
    let mut integers = bytes
        .chunks(8)
        .map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap()));
    let mut steps = Vec::new();
    for i in (1..order.len()).rev() {
        let n = i as u128 + 1;
        let fair = (1_u128 << 64) / n * n;
        let mut skipped = 0;
        let random = loop {
            let random = integers.next().unwrap();
            if u128::from(random) < fair {
                break random;
            }
            skipped += 1;
        };
        let j = random % (i as u64 + 1);
        order.swap(i, usize::try_from(j).unwrap());
        steps.push(Step {
            random,
            skipped,
            swapped_with: j,
        });
    }
    steps.reverse();
    (order, steps, hex(&list_hash))
}

fn draw(items: &[String], seed: &str, more: &[&str]) -> (i32, String, String) {
    let arguments = ["draw", "--items", "-", "--seed", seed];
    let input = format!("item\n{}\n", items.join("\n"));
    ask(&[&arguments, more].concat(), &input)
}

fn items(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| format!("项目{}", index * 7 % 31 + 100 * index))
        .collect()
}

#[test]
fn the_second_implementation_is_chacha20() {
    // RFC 8439, appendix A.1, test vectors 1 and 2.
    assert_eq!(hex(&block(&[0; 32], 0)[..8]), "76b8e0ada0f13d90");
    assert_eq!(hex(&block(&[0; 32], 1)[..8]), "9f07e7be5551387a");
}

#[test]
fn a_draw_is_what_anyone_computes_from_the_document() {
    for (count, seed) in [
        (1, "00"),
        (2, "ff"),
        (9, "00FFab"),
        (200, "0123456789abcdef"),
    ] {
        let items = items(count);
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(seed.as_bytes());
        let (order, _, _) = by_hand(&items, &bytes.unwrap());
        let (code, out, err) = draw(&items, seed, &[]);
        let rows: String = (1..)
            .zip(&order)
            .map(|(position, item)| format!("{position},{item}\n"))
            .collect();
        let expected = (0, format!("position,item\n{rows}"), String::new());
        assert_eq!((code, out, err), expected);
        let reversed: Vec<String> = items.into_iter().rev().collect();
        assert_eq!(
            draw(&reversed, seed, &[]).1,
            expected.1,
            "the order given does not matter"
        );
    }
}

#[test]
fn explain_prints_every_step() {
    let (items, seed) = (items(40), "c0ffee");
    let bytes = [0xc0, 0xff, 0xee];
    let (order, steps, list_hash) = by_hand(&items, &bytes);
    let (code, out, err) = draw(&items, seed, &["--explain"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains(&format!("list hash {list_hash}")), "{err}");
    let commitment = hex(&Sha256::digest(bytes));
    assert!(err.contains(&format!("commitment {commitment}")), "{err}");
    let row = |(index, (item, step)): (usize, (&String, &Step))| {
        let Step {
            random,
            skipped,
            swapped_with,
        } = step;
        let position = index + 1;
        format!("{position},{item},{index},{random},{skipped},{swapped_with}\n")
    };
    let rows = (1..).zip(order.iter().skip(1).zip(&steps));
    let rows: String = rows.map(row).collect();
    let first = &order[0];
    let header = "position,item,index,random,skipped,swapped_with";
    let expected = format!("{header}\n1,{first},0,,,\n{rows}");
    assert_eq!(out, expected);
    let (_, out, _) = draw(&items, seed, &["--explain", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["list_hash"], list_hash);
    assert_eq!(json["commitment"], commitment);
    assert_eq!(json["order"][39]["random"], steps[38].random.to_string());
}

#[test]
fn a_list_or_a_seed_that_cannot_be_is_refused_whole() {
    let input = "item\na\n\"b\nc\"\na\n\" \"\na,b\n";
    let (code, out, err) = ask(&["draw", "--items", "-", "--seed", "00"], input);
    assert_eq!(
        (code, out.as_str(), err.lines().count()),
        (1, "", 4),
        "{err}"
    );
    for (place, line) in ["line 3", "line 5", "line 6", "line 7"]
        .iter()
        .zip(err.lines())
    {
        assert!(line.contains(place), "{place}: {err}");
    }
    for seed in ["", "0", "xy"] {
        let (code, out, err) = ask(&["draw", "--items", "-", "--seed", seed], "item\na\n");
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
    }
}

/// Every row of the draw by weight, with its step, and the list hash.
fn weighted_by_hand(items: &[(String, u64)], seed: &[u8]) -> (Vec<String>, String) {
    let mut left = items.to_vec();
    left.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    let list: String = left
        .iter()
        .map(|(item, weight)| format!("{item}\t{weight}\n"))
        .collect();
    let list_hash = Sha256::digest(list.as_bytes());
    let key: [u8; 32] = Sha256::digest([seed, list_hash.as_slice()].concat()).into();
    let bytes: Vec<u8> = (0..100).flat_map(|counter| block(&key, counter)).collect();
    let mut integers = bytes
        .chunks(8)
        .map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap()));
    let mut rows = Vec::new();
    while !left.is_empty() {
        let of: u64 = left.iter().map(|(_, weight)| weight).sum();
        let fair = (1_u128 << 64) / u128::from(of) * u128::from(of);
        let mut skipped = 0;
        let random = loop {
            let random = integers.next().unwrap();
            if u128::from(random) < fair {
                break random;
            }
            skipped += 1;
        };
        let (drawn, mut sum, mut next) = (random % of, 0, 0);
        while {
            sum += left[next].1;
            sum <= drawn
        } {
            next += 1;
        }
        let (item, _) = left.remove(next);
        let position = rows.len() + 1;
        rows.push(format!(
            "{position},{item},{of},{random},{skipped},{drawn}\n"
        ));
    }
    (rows, hex(&list_hash))
}

#[test]
fn a_weighted_draw_is_what_anyone_computes_from_the_document() {
    let items: Vec<(String, u64)> = items(30)
        .into_iter()
        .zip((0..).map(|index| 1 + index * index * index % 4_294_967_291))
        .collect();
    let input: String = items
        .iter()
        .map(|(item, weight)| format!("{weight},{item}\n"))
        .collect();
    let arguments = ["draw", "--items", "-", "--seed", "c0ffee", "--weighted"];
    let (rows, list_hash) = weighted_by_hand(&items, &[0xc0, 0xff, 0xee]);
    let explained = [&arguments[..], &["--explain"]].concat();
    let (code, out, err) = ask(&explained, &format!("weight,item\n{input}"));
    assert_eq!(code, 0, "{err}");
    let header = "position,item,of,random,skipped,drawn\n";
    assert_eq!(out, format!("{header}{}", rows.concat()));
    assert!(err.contains(&format!("list hash {list_hash}")), "{err}");
    let (_, out, _) = ask(&arguments, &format!("weight,item\n{input}"));
    let second = rows[1].split(',').take(2).collect::<Vec<_>>().join(",");
    assert_eq!(out.lines().nth(2), Some(second.as_str()));

    let bad = "item,weight\na,0\nb,-1\nc,x\n\"d\te\",1\nf,4294967296\ng,2\n";
    let (code, out, err) = ask(&arguments, bad);
    assert_eq!(
        (code, out.as_str(), err.lines().count()),
        (1, "", 5),
        "{err}"
    );
    assert_eq!(ask(&arguments, "item\na\n").0, 1, "there are no weights");
}
