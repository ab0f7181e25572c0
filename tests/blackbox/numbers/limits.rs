//! What `assign` and `allocate` keep to, and what they refuse.

use fundcycle_test_support::temp_dir;
use serde_json::Value;

use super::ask;

fn assign(affinity: &str, more: &[&str]) -> (i32, String, String) {
    let arguments = ["assign", "--affinity", "-", "--per-application", "1"];
    ask(&[&arguments, more].concat(), affinity)
}

const AFFINITY: &str = "application,expert,affinity\na1,e1,9\na1,e2,5\na2,e1,8\na2,e2,1\n";

#[test]
fn limits_of_an_assignment_are_kept() {
    let header = "application,expert,affinity\n";
    let both = format!("{header}a1,e1,9\na2,e1,8\n");
    assert_eq!(assign(AFFINITY, &["--max-load", "2"]).1, both);
    let shared = format!("{header}a1,e2,5\na2,e1,8\n");
    assert_eq!(assign(AFFINITY, &["--max-load", "1"]).1, shared);
    let least = ["--max-load", "2", "--min-load", "1"];
    assert_eq!(assign(AFFINITY, &least).1, shared);
    let folder = temp_dir();
    let file = folder.path().join("conflicts.csv");
    std::fs::write(&file, "application,expert\na2,e1\n").unwrap();
    let file = file.to_str().unwrap();
    let (code, out, err) = assign(AFFINITY, &["--max-load", "2", "--conflicts", file]);
    assert_eq!(
        (code, out),
        (0, format!("{header}a1,e1,9\na2,e2,1\n")),
        "{err}"
    );
}

#[test]
fn what_is_kept_stays_and_rooms_are_kept_apart() {
    let folder = temp_dir();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let header = "application,expert,affinity\n";
    let keep = write("keep.csv", "application,expert\na1,e2\n");
    let (code, out, err) = assign(AFFINITY, &["--max-load", "2", "--keep", &keep]);
    assert_eq!(
        (code, out),
        (0, format!("{header}a1,e2,5\na2,e1,8\n")),
        "{err}"
    );
    let rooms = "room,application,expert\n一室,a1,\n一室,,e2\n二室,a2,\n二室,,e1\n";
    let rooms = write("rooms.csv", rooms);
    let (code, out, err) = assign(AFFINITY, &["--max-load", "2", "--rooms", &rooms]);
    assert_eq!(
        (code, out),
        (0, format!("{header}a1,e2,5\na2,e1,8\n")),
        "{err}"
    );
    let full = write(
        "full.csv",
        "room,application,expert\n一室,a1,\n一室,a2,\n一室,,e2\n",
    );
    let (code, out, err) = assign(AFFINITY, &["--max-load", "1", "--rooms", &full]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("a1, a2") && err.contains("e2"), "{err}");
    let bad = "room,application,expert\n一室,a1,e2\n,a1,\n二室,a1,\n三室,,nobody\n四室,,\n";
    let bad = write("bad.csv", bad);
    let (code, out, err) = assign(AFFINITY, &["--max-load", "1", "--rooms", &bad]);
    assert_eq!(
        (code, out.as_str(), err.lines().count()),
        (1, "", 5),
        "{err}"
    );
    for line in 2..7 {
        assert!(err.contains(&format!("line {line}, ")), "{line}: {err}");
    }
}

#[test]
fn the_worst_off_comes_first_if_asked() {
    // In total 10 + 0 is best, but leaves a2 with nothing.
    let affinity = "application,expert,affinity\na1,e1,10\na1,e2,2\na2,e1,3\n";
    let ask = |fairness| {
        let more = [
            "--max-load",
            "1",
            "--format",
            "json",
            "--fairness",
            fairness,
        ];
        let (code, out, err) = assign(affinity, &more);
        assert_eq!(code, 0, "{err}");
        let json: Value = serde_json::from_str(&out).unwrap();
        assert!(json["elapsed_ms"].is_u64());
        let text = |key: &str| json[key].as_str().unwrap().to_owned();
        (
            text("objective"),
            text("bound"),
            text("minimum_application_affinity"),
        )
    };
    let all = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(ask("total"), all("10", "10", "0"));
    assert_eq!(ask("worst_first"), all("5", "5", "2"));
}

#[test]
fn a_seed_decides_ties_and_nothing_else() {
    let rows = (0..36).map(|cell| format!("a{},e{},1\n", cell / 6, cell % 6));
    let equal = format!("application,expert,affinity\n{}", rows.collect::<String>());
    let with =
        |affinity: &str, seed: &str| assign(affinity, &["--max-load", "1", "--seed", seed]).1;
    let drawn: std::collections::BTreeSet<String> =
        (0..8).map(|seed| with(&equal, &seed.to_string())).collect();
    assert!(1 < drawn.len());
    assert_eq!(with(&equal, "7"), with(&equal, "7"));
    assert_eq!(with(AFFINITY, "1"), with(AFFINITY, "2"));
}

#[test]
fn bad_rows_of_an_assignment_are_said_all_at_once() {
    let bad = "application,expert,affinity\na1,e1,x\n,e2,1\na1,e1,2\na3,e1\n";
    let folder = temp_dir();
    let file = folder.path().join("conflicts.csv");
    std::fs::write(&file, "application,expert\nmisspelt,e1\na1,nobody\n").unwrap();
    let file = file.to_str().unwrap();
    let more = ["--max-load", "1", "--conflicts", file];
    let (code, out, err) = assign(bad, &more);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    for place in [
        "standard input: line 2, column 3",
        "standard input: line 3, column 1",
        "standard input: line 4, column 2",
        "standard input: line 5, column 3",
        "conflicts.csv: line 2, column 1",
        "conflicts.csv: line 3, column 2",
    ] {
        assert!(err.contains(place), "{place}: {err}");
    }
    assert_eq!(
        assign(AFFINITY, &["--max-load", "1", "--min-load", "2"]).0,
        2
    );
}

const CANDIDATES: &str = "application,organisation,domain,score,requested\na,o1,d1,90,50\n\
    b,o1,d1,85,60\nc,o2,d2,80,30.5\nd,o3,d2,59.9,10\ne,o4,d1,70,9.50\n";

/// Runs with `rules`; gives code, output and complaints.
fn allocate(candidates: &str, rules: &str) -> (i32, String, String) {
    let folder = temp_dir();
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, rules).unwrap();
    let file = file.to_str().unwrap();
    ask(
        &["allocate", "--candidates", "-", "--rules", file],
        candidates,
    )
}

/// Decision and award of each candidate, in the order of scores.
fn decisions(rules: &str) -> String {
    let (code, out, err) = allocate(CANDIDATES, rules);
    assert_eq!(code, 0, "{err}");
    let mut lines = out.lines();
    assert_eq!(
        lines.next(),
        Some("application,decision,award,reason,needs")
    );
    let short = |line: &str| line.split(',').take(3).collect::<Vec<_>>().join(" ");
    lines.map(short).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_rule_of_a_selection_decides() {
    let no = |name: &str| format!("{name} not_funded 0.00");
    let [b, c, d, e] = ["b", "c", "d", "e"].map(no);
    let budget = "budget = 100\n";
    for (rules, expected) in [
        // Rank order: a, b, c, e, d.
        (
            "when_short = \"stop\"",
            format!("a funded 50.00, {b}, {c}, {e}, {d}"),
        ),
        (
            "when_short = \"partial_last\"",
            format!("a funded 50.00, b funded 50.00, {c}, {e}, {d}"),
        ),
        (
            "when_short = \"skip_and_fill\"",
            format!("a funded 50.00, {b}, c funded 30.50, e funded 9.50, d funded 10.00"),
        ),
        (
            "when_short = \"skip_and_fill\"\npass_line = 60",
            format!("a funded 50.00, {b}, c funded 30.50, e funded 9.50, {d}"),
        ),
        (
            "max_per_organisation = 1\npass_line = 60\nreserve = 1",
            format!("a funded 50.00, b reserve 0.00, c funded 30.50, e funded 9.50, {d}"),
        ),
        (
            "amount = { rule = \"step_down\", step = \"0.05\", least = \"0.6\" }\npass_line = 60",
            // All four of 150 fit at 65 %.
            "a funded 32.50, b funded 39.00, c funded 19.82, e funded 6.17, d not_funded 0.00"
                .to_owned(),
        ),
        (
            "reserve = 2",
            format!("a funded 50.00, b reserve 0.00, c reserve 0.00, {e}, {d}"),
        ),
        (
            "when_short = \"skip_and_fill\"\n[domain.\"d1\"]\nmax = 1",
            format!("a funded 50.00, {b}, c funded 30.50, {e}, d funded 10.00"),
        ),
        (
            "when_short = \"skip_and_fill\"\n[every_domain]\nmax = 1",
            format!("a funded 50.00, {b}, c funded 30.50, {e}, {d}"),
        ),
        (
            "[domain.\"d2\"]\nmin = 2",
            format!("a funded 50.00, {b}, c funded 30.50, {e}, d funded 10.00"),
        ),
        (
            "mode = \"optimal\"\n[domain.\"d1\"]\nmax_amount = \"69.50\"",
            // Exactly the budget and exactly the limit.
            format!("a funded 50.00, {b}, c funded 30.50, e funded 9.50, d funded 10.00"),
        ),
    ] {
        let ours = decisions(&format!("{budget}{rules}\n"));
        assert_eq!(ours, expected, "{rules}");
    }
    // In a whole policy the rules stand in its table.
    let whole = format!("[selection]\n{budget}[selection.every_domain]\nmax = 0\n");
    assert!(!decisions(&whole).contains(" funded"));
}

#[test]
fn a_loser_is_told_what_was_missing() {
    let (_, out, _) = allocate(CANDIDATES, "budget = 100\npass_line = 60\n");
    let rows: Vec<&str> = out.lines().collect();
    assert_eq!(
        rows[2],
        "b,not_funded,0.00,rank 2: 50.00 yuan are left of the budget,10.00 more yuan of budget"
    );
    assert_eq!(
        rows[5],
        "d,not_funded,0.00,rank 5: 59.9 is below the pass line 60,0.1 more points to reach the pass line"
    );
}

/// Amounts all but proportional to scores, and every domain at its maximum of money: no search has proven
/// the best choice of these, so none is given.
#[test]
fn a_choice_that_cannot_be_proven_is_refused_with_what_to_do() {
    let mut bids = "application,organisation,domain,score,requested\n".to_owned();
    for index in 0..200_u32 {
        let score = 6_000 + index * 7_919 % 3_900;
        let fen = score * 1_000 + index * 3 % 10;
        let (organisation, domain) = (index * 2 / 3, index % 4);
        let score = format!("{}.{:02}", score / 100, score % 100);
        let amount = format!("{}.{:02}", fen / 100, fen % 100);
        let bid = [format!("p{index},o{organisation},d{domain}"), score, amount];
        bids.extend([bid.join(","), "\n".to_owned()]);
    }
    let limits = "budget = 3000000\nmax_per_organisation = 1\ndomain.d0.max_amount = 600000\n\
        domain.d1.max_amount = 550000\ndomain.d2.max_amount = 500000\ndomain.d3.max_amount = 650000\n";
    let (code, out, err) = allocate(&bids, &format!("{limits}mode = \"optimal\"\n"));
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    for said in ["cannot be proven", "mode rank_order", "max_amount"] {
        assert!(err.contains(said), "{said}: {err}");
    }
    let (code, out, err) = allocate(&bids, &format!("{limits}mode = \"rank_order\"\n"));
    assert_eq!((code, out.lines().count()), (0, 201), "{err}");
}

#[test]
fn bad_rows_of_a_selection_are_said_all_at_once() {
    let header = "application,organisation,domain,score,requested\n";
    let bad = format!("{header}a,o,d,high,10\nb,,d,80,1.005\na,o,d,80,-1\n");
    let (code, out, err) = allocate(&bad, "budget = 100\n");
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    for place in [
        "line 2, column 4",
        "line 3, column 2",
        "line 3, column 5",
        "line 4, column 1",
        "line 4, column 5",
    ] {
        assert!(err.contains(place), "{place}: {err}");
    }
    for rules in [
        "budget = -1\n",
        "budget = 1\nmode = \"best\"\n",
        "budget = 1\nlimit = 2\n",
    ] {
        let (code, out, err) = allocate(CANDIDATES, rules);
        assert_eq!((code, out.as_str()), (1, ""), "{rules}{err}");
    }
    let impossible = "budget = 10\nmode = \"optimal\"\n[every_domain]\nmin = 1\n";
    let (code, out, err) = allocate(CANDIDATES, impossible);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
}
