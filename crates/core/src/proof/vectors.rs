//! The published vectors of RFC 6962 trees and of signed notes, and the tree against its definition.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Digest;
use super::checkpoint::{Checkpoint, Unbelieved};
use super::note::{Note, PublicKey, SecretKey, Unsigned};
use super::path::{Head, Plan, Unproven, root_from, verify_consistency, verify_inclusion};
use super::tree::{Edge, Subtree, empty, leaf, node};

/// Leaves, roots and proofs of the Certificate Transparency reference implementation.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b" !",
    b"01",
    b"@ABC",
    b"PQRSTUVW",
    b"`abcdefghijklmno",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const PATHS: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        3,
        &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    ),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];
const CONSISTENT: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn digests(texts: &[&str]) -> Vec<Digest> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Trees of all sizes up to that of `leaves`, grown one by one.
struct Grown {
    roots: Vec<Digest>,
    full: BTreeMap<Subtree, Digest>,
}

impl Grown {
    fn over(leaves: impl IntoIterator<Item = Digest>) -> Self {
        let mut edge = Edge::default();
        let mut grown = Self {
            roots: vec![edge.root()],
            full: BTreeMap::new(),
        };
        for leaf in leaves {
            // As between two transactions.
            edge = Edge::from_bytes(edge.size(), &edge.to_bytes()).unwrap();
            grown.full.extend(edge.push(leaf));
            grown.roots.push(edge.root());
        }
        grown
    }

    fn hashes(&self, plan: &Plan) -> Vec<Digest> {
        assert!(plan.needs().iter().all(|one| self.full.contains_key(one)));
        plan.hashes(|subtree| self.full.get(&subtree).copied())
            .unwrap()
    }

    fn head(&self, size: u64) -> Head {
        let root = self.roots[usize::try_from(size).unwrap()];
        Head { size, root }
    }
}

#[test]
fn the_published_trees_have_the_published_roots() {
    let grown = Grown::over(LEAVES.map(leaf));
    assert_eq!(grown.roots, digests(&ROOTS));
}

#[test]
fn the_published_proofs_come_out_and_convince() {
    let grown = Grown::over(LEAVES.map(leaf));
    for (index, size, path) in PATHS {
        let path = digests(path);
        assert_eq!(grown.hashes(&Plan::inclusion(index, size).unwrap()), path);
        let it = leaf(LEAVES[usize::try_from(index).unwrap()]);
        verify_inclusion(it, index, size, &path, grown.head(size).root).unwrap();
    }
    for (first, second, path) in CONSISTENT {
        let path = digests(path);
        assert_eq!(
            grown.hashes(&Plan::consistency(first, second).unwrap()),
            path
        );
        verify_consistency(grown.head(first), grown.head(second), &path).unwrap();
    }
}

/// The definition of RFC 6962 §2.1, word for word.
fn defined(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty(),
        [one] => *one,
        more => {
            let mut split = 1;
            while split * 2 < more.len() {
                split *= 2;
            }
            node(defined(&more[..split]), defined(&more[split..]))
        }
    }
}

fn numbered(size: u64) -> Vec<Digest> {
    (0..size).map(|n| leaf(&n.to_be_bytes())).collect()
}

#[test]
fn every_leaf_of_every_tree_is_proven_to_stand_in_it_and_nowhere_else() {
    let leaves = numbered(300);
    let grown = Grown::over(leaves.clone());
    for size in 1..=300 {
        let Head { root, .. } = grown.head(size);
        assert_eq!(root, defined(&leaves[..usize::try_from(size).unwrap()]));
        for index in 0..size {
            let it = leaves[usize::try_from(index).unwrap()];
            let path = grown.hashes(&Plan::inclusion(index, size).unwrap());
            assert_eq!(verify_inclusion(it, index, size, &path, root), Ok(()));
        }
    }
    // Anything else than what was proven is refused.
    for size in 1..=40 {
        let Head { root, .. } = grown.head(size);
        for index in 0..size {
            let it = leaves[usize::try_from(index).unwrap()];
            let path = grown.hashes(&Plan::inclusion(index, size).unwrap());
            let refused = |index, size, path: &[Digest]| {
                verify_inclusion(it, index, size, path, root).unwrap_err()
            };
            assert_eq!(
                refused(size, size, &path),
                Unproven::NoSuchLeaf { index: size, size }
            );
            for other in (0..size).filter(|other| *other != index) {
                refused(other, size, &path);
            }
            for cut in 0..path.len() {
                assert_eq!(refused(index, size, &path[..cut]), Unproven::Length);
                let mut wrong = path.clone();
                wrong[cut].0[cut] ^= 1;
                assert_eq!(refused(index, size, &wrong), Unproven::OtherRoot);
            }
            let longer = [path.as_slice(), &[root]].concat();
            assert_eq!(refused(index, size, &longer), Unproven::Length);
        }
    }
    assert_eq!(Plan::inclusion(300, 300), None);
    assert_eq!(
        root_from(empty(), 0, 0, &[]),
        Err(Unproven::NoSuchLeaf { index: 0, size: 0 })
    );
}

#[test]
fn every_tree_is_proven_to_begin_every_larger_one() {
    let grown = Grown::over(numbered(150));
    for second in 0..=150 {
        for first in 0..=second {
            let path = grown.hashes(&Plan::consistency(first, second).unwrap());
            assert_eq!(
                verify_consistency(grown.head(first), grown.head(second), &path),
                Ok(()),
                "{first} {second}"
            );
        }
    }
    // A journal that was rewritten from entry 10 on begins no more as it did.
    let mut rewritten = numbered(40);
    rewritten[9] = leaf(b"rewritten");
    let other = Grown::over(rewritten);
    for second in 10..=40 {
        for first in 1..=second {
            let path = other.hashes(&Plan::consistency(first, second).unwrap());
            let convinces = verify_consistency(grown.head(first), other.head(second), &path);
            assert_eq!(convinces.is_ok(), first < 10, "{first} {second}");
        }
    }
    for second in 1..=40 {
        for first in 1..second {
            let path = grown.hashes(&Plan::consistency(first, second).unwrap());
            let refused = |path: &[Digest]| {
                verify_consistency(grown.head(first), grown.head(second), path).unwrap_err()
            };
            for cut in 0..path.len() {
                assert_eq!(refused(&path[..cut]), Unproven::Length);
                let mut wrong = path.clone();
                wrong[cut].0[cut] ^= 1;
                refused(&wrong);
            }
            let longer = [path.as_slice(), &[empty()]].concat();
            assert_eq!(refused(&longer), Unproven::Length);
        }
    }
    let backwards = Unproven::Backwards {
        first: 3,
        second: 2,
    };
    assert_eq!(
        verify_consistency(grown.head(3), grown.head(2), &[]),
        Err(backwards)
    );
    assert_eq!(Plan::consistency(3, 2), None);
}

static LARGE: LazyLock<Grown> = LazyLock::new(|| Grown::over(numbered(20_000)));

proptest::proptest! {
    #[test]
    fn trees_of_many_thousand_leaves_keep_their_proofs_short(size in 1u64..=20_000, at: u64, before: u64) {
        let (index, first) = (at % size, before % (size + 1));
        let path = LARGE.hashes(&Plan::inclusion(index, size).unwrap());
        proptest::prop_assert!(path.len() <= 15);
        verify_inclusion(leaf(&index.to_be_bytes()), index, size, &path, LARGE.head(size).root).unwrap();
        let path = LARGE.hashes(&Plan::consistency(first, size).unwrap());
        proptest::prop_assert!(path.len() <= 16);
        verify_consistency(LARGE.head(first), LARGE.head(size), &path).unwrap();
    }
}

/// The key and note of the reference implementation of signed notes.
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const SIGNED: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_published_note_is_written_and_read_byte_for_byte() {
    let (name, secret) = SecretKey::parse(SECRET).unwrap();
    let known = PublicKey::parse(PUBLIC).unwrap();
    assert_eq!((name.as_str(), secret.public()), ("PeterNeumann", known.1));
    assert_eq!(secret.written(&name), SECRET);
    assert_eq!(known.1.written(&name), PUBLIC);
    let note = Note::signed(TEXT.to_owned(), &name, &secret);
    assert_eq!(note.to_string(), format!("{TEXT}\n{SIGNED}"));
    assert_eq!(Note::parse(&note.to_string()).unwrap(), note);
    assert_eq!(note.verify(std::slice::from_ref(&known)).unwrap(), &known);
    assert!(!format!("{secret:?}").contains("AYEKFALV"));
}

#[test]
fn a_note_that_was_changed_or_is_of_somebody_else_is_not_believed() {
    let known = PublicKey::parse(PUBLIC).unwrap();
    let parsed = Note::parse(&format!("{}\n{SIGNED}", TEXT.replace("think", "know"))).unwrap();
    assert_eq!(
        parsed.verify(std::slice::from_ref(&known)),
        Err(Unsigned::Forged {
            name: "PeterNeumann".to_owned()
        })
    );
    let stranger = SecretKey::from_seed([7; 32]);
    let note = Note::signed(TEXT.to_owned(), "PeterNeumann", &stranger);
    assert_eq!(
        note.verify(std::slice::from_ref(&known)),
        Err(Unsigned::NoKnownKey)
    );
    // A second, unknown signature does no harm.
    let mut both = Note::parse(&format!("{TEXT}\n{SIGNED}")).unwrap();
    both.signatures.splice(0..0, note.signatures);
    assert!(both.verify(std::slice::from_ref(&known)).is_ok());
}

#[test]
fn what_is_no_note_or_no_key_is_refused() {
    for text in [
        "",
        "\n",
        TEXT,
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n— name AAAA",
        "text\n\n— name !!!!\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\nname AAAAAAAA\n",
    ] {
        assert!(Note::parse(text).is_err(), "{text:?}");
    }
    for start in 0..PUBLIC.len() {
        for end in start..PUBLIC.len() {
            assert!(PublicKey::parse(&PUBLIC[start..end]).is_err());
        }
    }
    for text in [PUBLIC, "", "PRIVATE+KEY+", &SECRET.replace("c74f", "c74e")] {
        assert!(SecretKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_checkpoint_is_believed_only_in_the_name_of_its_journal() {
    let key = SecretKey::from_seed([1; 32]);
    let root = ROOTS[8].parse().unwrap();
    let checkpoint = Checkpoint {
        origin: "example.org/journal/1".to_owned(),
        head: Head { size: 8, root },
    };
    let note = checkpoint.sign(&key);
    assert_eq!(
        note.text,
        "example.org/journal/1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
    );
    let parsed = Note::parse(&note.to_string()).unwrap();
    let believed = Checkpoint::believed(&parsed, &[key.public()]).unwrap();
    assert_eq!(believed, (checkpoint.clone(), key.public()));
    // The same signature under another journal's text, or another journal's name, says nothing.
    let elsewhere = Note::signed(note.text.clone(), "example.org/journal/2", &key);
    assert_eq!(
        Checkpoint::believed(&elsewhere, &[key.public()]),
        Err(Unbelieved::Unsigned(Unsigned::NoKnownKey))
    );
    let mut larger = note.clone();
    larger.text = larger.text.replace("\n8\n", "\n9\n");
    assert!(matches!(
        Checkpoint::believed(&larger, &[key.public()]),
        Err(Unbelieved::Unsigned(Unsigned::Forged { .. }))
    ));
    for text in [
        "o\n",
        "o\n1\n",
        "o\nx\nAAAA\n",
        "o\n01\nAAAA\n",
        "o\n+1\nAAAA\n",
        "o\n1\nAAAA\n",
    ] {
        let note = Note::signed(text.to_owned(), "o", &key);
        assert!(
            matches!(
                Checkpoint::believed(&note, &[key.public()]),
                Err(Unbelieved::Malformed(_))
            ),
            "{text:?}"
        );
    }
}
