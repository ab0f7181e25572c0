//! Files that nobody meant to be read: whatever is in one, the binary says what is wrong and ends as documented.

use std::path::Path;
use std::process::{Output, Stdio};

use fundcycle_test_support::temp_dir;

use super::rounds;
use crate::support::{err, fundcycle};

/// Pieces that readers stumble over.
const PIECES: &[&[u8]] = &[
    b"99999999999999999999999999999999999999999999",
    b"-1",
    b"1e400",
    b"0.00000000000000000000000000000000000000001",
    b"1/0",
    b"NaN",
    b"\"",
    b"\\ud800",
    b",",
    b"\r",
    b"\n\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"null",
    b"{}",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "\u{202e}𠮷\u{200d}".as_bytes(),
    "０．５".as_bytes(),
];

/// The same for the same seed on every machine.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    /// Below `most`.
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % most.max(1)
    }

    /// The text with up to four places spoilt.
    pub(crate) fn spoilt(&mut self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(4) {
            let from = self.below(text.len());
            let to = (from + self.below(20)).min(text.len());
            match self.below(5) {
                0 => text[from] ^= 1 << self.below(8),
                1 => drop(text.drain(from..to)),
                2 => {
                    let again = text[from..to].to_vec();
                    drop(text.splice(from..from, again));
                }
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    drop(text.splice(from..from, piece.iter().copied()));
                }
                _ => {
                    let piece = PIECES[self.below(PIECES.len())];
                    drop(text.splice(from..to, piece.iter().copied()));
                }
            }
            if text.is_empty() {
                return text;
            }
        }
        text
    }
}

fn reads(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = fundcycle(folder, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.output().unwrap()
}

/// Runs it on its file, spoilt again and again.
fn never_falls_over(arguments: &[&str], file: &str, text: &[u8]) {
    let folder = temp_dir();
    let name = folder.path().join(file);
    std::fs::write(&name, text).unwrap();
    assert_eq!(
        reads(folder.path(), arguments).status.code(),
        Some(0),
        "{arguments:?}"
    );
    let mut taken = 0;
    for seed in 0..u64::from(rounds()) * 20 {
        let spoilt = Chance::of(seed).spoilt(text);
        std::fs::write(&name, &spoilt).unwrap();
        let output = reads(folder.path(), arguments);
        let (code, said) = (output.status.code(), err(&output));
        let ended_well = matches!(code, Some(0..=2)) && !said.contains("panicked");
        let spoilt = String::from_utf8_lossy(&spoilt);
        assert!(
            ended_well,
            "{arguments:?}, seed {seed}: {code:?} {said}\n{spoilt}"
        );
        // What is refused writes nothing, and says why.
        assert!(code == Some(0) || !said.is_empty(), "seed {seed}: {spoilt}");
        taken += u32::from(code == Some(0));
    }
    println!(
        "{}: {} files, {taken} of them taken",
        arguments[0],
        rounds() * 20
    );
}

const SCORES: &str = "expert,application,score\ne1,甲,80\ne2,甲,81.5\ne1,乙,90\ne1,丙,\n";

#[test]
fn scores() {
    for method in ["mean", "trimmed_mean", "median", "z_score", "additive"] {
        let arguments = ["score", "--scores", "file.csv", "--method", method];
        never_falls_over(&arguments, "file.csv", SCORES.as_bytes());
    }
}

#[test]
fn affinities_and_lists() {
    let text = "application,expert,affinity\n甲,e1,0.5\n乙,e2,1/3\n丙,e3,2\n";
    let arguments = [
        "assign",
        "--affinity",
        "file.csv",
        "--per-application",
        "1",
        "--max-load",
        "2",
    ];
    never_falls_over(&arguments, "file.csv", text.as_bytes());
    let arguments = ["draw", "--items", "file.csv", "--seed", "01ab"];
    never_falls_over(&arguments, "file.csv", "item\n甲\n乙\n丙\n".as_bytes());
}

#[test]
fn candidates_and_rules() {
    let candidates = "application,organisation,domain,score,requested\n甲,o1,养老,80.5,100\n乙,o2,养老,90,50.5\n";
    let rules = "budget = 120.5\nmode = \"optimal\"\npass_line = 60\nreserve = 1\n\
        [domain.\"养老\"]\nmin = 1\nmax = 2\nmax_amount = 110\n[every_domain]\nmax = 3\n";
    let folder = temp_dir();
    let (bids, line) = (
        folder.path().join("bids.csv"),
        folder.path().join("rules.toml"),
    );
    std::fs::write(&bids, candidates).unwrap();
    std::fs::write(&line, rules).unwrap();
    let (bids, line) = (bids.to_str().unwrap(), line.to_str().unwrap());
    let arguments = ["allocate", "--candidates", "file.csv", "--rules", line];
    never_falls_over(&arguments, "file.csv", candidates.as_bytes());
    let arguments = ["allocate", "--candidates", bids, "--rules", "file.toml"];
    never_falls_over(&arguments, "file.toml", rules.as_bytes());
}

#[test]
fn policies_and_configurations() {
    let policy = include_bytes!("../../../docs/examples/wujin-2024.toml");
    never_falls_over(&["policy", "check", "file.toml"], "file.toml", policy);
    let settings = b"database = \"sqlite:none.db\"\nlisten = \"127.0.0.1:0\"\nlog = \"error\"\n";
    never_falls_over(&["migrate", "--config", "file.toml"], "file.toml", settings);
}
