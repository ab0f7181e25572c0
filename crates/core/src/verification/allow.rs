//! What is public of each entry, as an allow-list: a path that is not named here is never shown.

use crate::disclosure::Step;

/// What is shown of every entry: that it is there, and of what kind.
const ALWAYS: &[&str] = &["journal", "seq", "kind"];

/// What is shown of the entries of one kind. In a path, `*` is any one step and `**` is all below.
struct Public {
    kind: &'static str,
    /// Values.
    values: &'static [&'static str],
    /// Fields of which it is enough to know that they are there.
    present: &'static [&'static str],
}

const PUBLIC: &[Public] = &[
    Public {
        kind: "cycle",
        values: &[
            "id",
            "version",
            "at",
            "verb",
            "from",
            "to",
            "policy",
            "data/created/name",
            "data/policy_put_in_force/**",
            "data/extended/closes_at",
            "data/moved",
        ],
        present: &["data/extended/reason", "data/cancelled/reason"],
    },
    Public {
        kind: "policy",
        values: &[
            "id",
            "version",
            "at",
            "verb",
            "from",
            "to",
            "policy",
            "data/written/document/**",
            "data/written/hash",
            "data/numbered/number",
            "data/moved",
        ],
        present: &["data/written/reason"],
    },
    Public {
        kind: "panel",
        values: &[
            "id",
            "version",
            "at",
            "verb",
            "from",
            "to",
            "policy",
            "data/formed/round",
        ],
        present: &["data/moved/reason"],
    },
    // No time: it could tell who scored.
    Public {
        kind: "sheet",
        values: &[
            "id",
            "version",
            "verb",
            "from",
            "to",
            "policy",
            "data/assigned/panel",
            "data/assigned/round",
        ],
        present: &["data/moved/reason"],
    },
    Public {
        kind: "pitch_session",
        values: &[
            "id",
            "version",
            "at",
            "verb",
            "from",
            "to",
            "policy",
            "data/planned/name",
            "data/committed/**",
            "data/drawn/draw/**",
            "data/published",
            "data/moved",
        ],
        present: &["data/cancelled/reason"],
    },
    Public {
        kind: "selection",
        values: &[
            "id",
            "version",
            "at",
            "verb",
            "from",
            "to",
            "policy",
            "data/computed/run/**",
            "data/departed/changes/*/application",
            "data/departed/changes/*/decision",
            "data/departed/changes/*/award",
            "data/departed/changes/*/cuts/*/line",
            "data/departed/changes/*/cuts/*/amount",
            "data/promoted/promotion/application",
            "data/promoted/promotion/award",
            "data/promoted/promotion/cuts/*/line",
            "data/promoted/promotion/cuts/*/amount",
            "data/promoted/promotion/passed_over/*/application",
            "data/moved",
        ],
        present: &[
            "data/departed/changes/*/reason",
            "data/departed/changes/*/cuts/*/reason",
            "data/promoted/promotion/reason",
            "data/promoted/promotion/cuts/*/reason",
            "data/promoted/promotion/passed_over/*/reason",
            "data/undone/reason",
        ],
    },
    Public {
        kind: "notice",
        values: &[
            "id",
            "version",
            "at",
            "verb",
            "from",
            "to",
            "policy",
            "data/prepared/selection",
            "data/published/**",
            "data/moved",
        ],
        present: &[],
    },
    // That somebody objected and what was ruled; never who and what.
    Public {
        kind: "objection",
        values: &["id", "version", "at", "verb", "from", "to", "policy"],
        present: &["data/ended/reason"],
    },
];

/// What is shown beside of panels whose result is public.
const RESULT: Public = Public {
    kind: "panel",
    values: &[
        "data/closed/results/*/input/subject",
        "data/closed/results/*/input/keys/*",
        "data/closed/results/*/input/vetoed",
        "data/closed/results/*/input/overrun_seconds",
        "data/closed/results/*/input/domain",
        "data/closed/results/*/score/*",
        "data/closed/results/*/deduction/*",
        "data/closed/results/*/raw",
        "data/closed/results/*/raw/*",
        "data/closed/results/*/decided_by",
        "data/closed/results/*/goes_on",
        "data/closed/results/*/stopped_by",
        "data/closed/policy_number",
        "data/closed/sheets/**",
        "data/closed/voided/**",
    ],
    present: &[],
};

/// What is shown beside of the sheets of such panels.
const MARKS: Public = Public {
    kind: "sheet",
    values: &[
        "data/assigned/subject",
        "data/submitted/marks/scores/*",
        "data/submitted/total",
        "data/submitted/recommended",
        "data/submitted/vetoes/**",
    ],
    present: &[],
};

/// What is shown of the turn of an application that such a panel ranked: when it was heard.
const HEARD: Public = Public {
    kind: "slot",
    values: &[
        "id",
        "version",
        "at",
        "verb",
        "from",
        "to",
        "policy",
        "data/scheduled/turn/application",
        "data/scheduled/turn/starts_at",
        "data/scheduled/turn/ends_at",
        "data/started",
        "data/finished/overrun_seconds",
        "data/moved",
    ],
    present: &["data/repeated/reason"],
};

/// What is shown beside of what such a sheet held when it was handed in.
const RECOMMENDED: Public = Public {
    kind: "sheet",
    values: &["data/saved/recommended"],
    present: &[],
};

/// How much is public of an entry, beside what is public of its kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct More {
    /// Its panel's result is public.
    pub(super) result: bool,
    /// It was the last to be saved before the sheet was handed in.
    pub(super) counts: bool,
}

/// How much of the field at `path` is shown in an entry of `kind`.
pub(super) fn show(kind: &str, more: More, path: &[Step]) -> crate::disclosure::Show {
    use crate::disclosure::Show;
    let lists = || {
        PUBLIC
            .iter()
            .chain(more.result.then_some(&RESULT))
            .chain(more.result.then_some(&MARKS))
            .chain(more.result.then_some(&HEARD))
            .chain((more.result && more.counts).then_some(&RECOMMENDED))
            .filter(|public| public.kind == kind)
    };
    let any = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, path));
    if any(ALWAYS) || lists().any(|public| any(public.values)) {
        Show::Value
    } else if lists().any(|public| any(public.present)) {
        Show::Presence
    } else {
        Show::Nothing
    }
}

fn matches(pattern: &str, path: &[Step]) -> bool {
    let mut steps = path.iter();
    for part in pattern.split('/') {
        if part == "**" {
            return true;
        }
        let fits = match steps.next() {
            None => return false,
            Some(Step::Key(key)) => part == "*" || part == key,
            Some(Step::Index(_)) => part == "*",
        };
        if !fits {
            return false;
        }
    }
    steps.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Step> {
        text.split('/')
            .map(|step| {
                step.parse()
                    .map_or_else(|_| Step::Key(step.to_owned()), Step::Index)
            })
            .collect()
    }

    #[test]
    fn a_pattern_fits_whole_paths() {
        for (pattern, text, fits) in [
            ("a/*", "a/b", true),
            ("a/*", "a/0", true),
            ("a/*", "a", false),
            ("a/*", "a/b/c", false),
            ("a/**", "a/b/0/c", true),
            ("a/**", "a", true),
            ("a/b", "a/c", false),
        ] {
            assert_eq!(matches(pattern, &path(text)), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn nobody_is_named_by_any_list() {
        let lists = PUBLIC.iter().chain([&RESULT, &MARKS, &HEARD, &RECOMMENDED]);
        for pattern in lists.flat_map(|public| public.values.iter().chain(public.present)) {
            for word in [
                "actor",
                "initiator",
                "command",
                "by",
                "expert",
                "objector",
                "comments",
                "facts",
                "statement",
            ] {
                assert!(pattern.split('/').all(|part| part != word), "{pattern}");
            }
        }
    }
}
