//! Selections in which many domains are at their maximum of money at once, against optima that a
//! general solver (HiGHS, with gap 0) has proven.

use fundcycle_scoring::{
    Bid, DomainLimits, Exact, Outcome, SelectionMode, SelectionRules, Yuan, allocate,
};

/// A small generator of test data: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Three bids per two organisations, in so many domains; amounts in hundreds of yuan, or to the fen.
fn bids(count: u64, domains: u64, to_the_fen: bool) -> Vec<Bid> {
    let mut dice = Dice(3);
    let bid = |index| {
        let organisation = format!("o{}", dice.below(count * 2 / 3));
        let domain = format!("d{}", dice.below(domains));
        let score = 5_000 + dice.below(4_800);
        let hundreds = 300 + dice.below(2_700);
        let more = dice.below(10_000);
        Bid {
            application: format!("a{index}"),
            organisation,
            domain,
            street: None,
            score: Exact::ratio(score.into(), 100).unwrap(),
            requested_fen: i64::try_from(hundreds * 10_000 + if to_the_fen { more } else { 0 })
                .unwrap(),
            recommended_fen: None,
        }
    };
    (0..count).map(bid).collect()
}

/// A fifth of what is asked for, one award per organisation; the first `capped` domains may have 60 to
/// 90 % of an equal part of the money.
fn rules(bids: &[Bid], domains: i64, capped: i64) -> SelectionRules {
    let budget = bids.iter().map(|bid| bid.requested_fen).sum::<i64>() / 5;
    let domain = |number: i64| {
        let most = budget / domains * (6 + number % 4) / 10 + 3_700;
        let limits = DomainLimits {
            max_amount: Yuan::from_fen(most),
            ..DomainLimits::default()
        };
        (format!("d{number}"), limits)
    };
    SelectionRules {
        mode: SelectionMode::Optimal,
        max_per_organisation: Some(1),
        domain: (0..capped).map(domain).collect(),
        ..SelectionRules::with_budget(Yuan::from_fen(budget).unwrap())
    }
}

/// The proven total, in hundredths of a point.
fn proven(bids: &[Bid], rules: &SelectionRules) -> i64 {
    let selection = allocate(rules, bids).unwrap();
    let certificate = selection.certificate.unwrap();
    assert_eq!(certificate.gap, Exact::ZERO);
    let funded = |bid: &&Bid| {
        selection
            .decisions
            .iter()
            .any(|line| line.application == bid.application && line.decision == Outcome::Funded)
    };
    let total: Exact = bids.iter().filter(funded).map(|bid| &bid.score).sum();
    assert_eq!(total, certificate.objective);
    assert!(selection.total_awarded_fen <= rules.budget.fen());
    (&total * &Exact::from_integer(100)).to_i64().unwrap()
}

#[test]
fn domains_at_their_maximum_of_money_are_proven_as_another_solver_does() {
    for to_the_fen in [false, true] {
        for (domains, capped, counts_bind, at_least, known) in [
            (8, 5, false, 0, 521_540),
            (8, 8, false, 0, 439_179),
            (5, 5, true, 3, 407_147),
            (10, 10, false, 3, 426_977),
        ] {
            let bids = bids(200, domains, to_the_fen);
            let mut rules = rules(&bids, i64::try_from(domains).unwrap(), capped);
            rules.every_domain.min = (0 < at_least).then_some(at_least);
            rules.every_domain.max = counts_bind.then_some(10);
            assert_eq!(
                proven(&bids, &rules),
                known,
                "{domains} {capped} {to_the_fen}"
            );
        }
    }
}

#[test]
fn two_thousand_bids_are_proven_with_every_domain_at_its_maximum() {
    let bids = bids(2_000, 8, false);
    // As found with two sets of prices.
    assert_eq!(proven(&bids, &rules(&bids, 8, 8)), 4_638_511);
}
